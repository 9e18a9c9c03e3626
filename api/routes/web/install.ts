import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { touchActivity } from '../../../db/accounts.ts'
import { listEsims, type StoredEsim } from '../../../db/order/esims.ts'
import { findOrderByInstallToken } from '../../../db/order/orders.ts'
import { qrPng } from '../../../mails/qr.ts'
import { androidInstallUrl, iosInstallUrl, parseActivationCode } from '../../../providers/lpa.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { type InstallableEsim, renderInstall } from '../../pages/install/install.tsx'
import { deviceOf } from '../../pages/install/install-steps.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderNotFound } from '../../pages/not-found.tsx'

const page = { description: 'A page', contentType: 'text/html' } as const
const headers = { ...layoutHeaders({ images: true }), 'X-Robots-Tag': 'noindex' }

export function installRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  return [
    defineRoute({
      method: 'get',
      path: '/i/{token}',
      tag: 'pages',
      summary: 'A delivered eSIM: QR code, installation links, codes for manual installation, usage',
      description: 'The token is the secret of the mailed link. It is valid as long as the order is kept.',
      promises: ['U3'],
      callers: ['public'],
      params: z.strictObject({ token: z.string().max(200) }),
      query: z.strictObject({ device: z.enum(['ios', 'android', 'other']).optional() }),
      requestHeaders: { 'User-Agent': 'Decides which phone’s steps are shown, unless `device` says it.' },
      responses: { 200: page, 404: page },
      async handle({ params: { token }, query: { device }, header }) {
        const order = await findOrderByInstallToken(sql, api, token)
        if (!order) return { status: 404, headers, raw: renderNotFound(config.SUPPORT_MAIL) }
        const esims = await listEsims(api, order)
        await touchActivity(sql, order.account_id, new Date())
        const raw = renderInstall({
          supportMail: config.SUPPORT_MAIL,
          destination: order.destination,
          packageName: order.package_name,
          days: order.days,
          device: device ?? deviceOf(header('user-agent')),
          refunded: order.status !== 'delivered' && order.status !== 'ended',
          esims: esims.map(installable),
        })
        return { status: 200, headers, raw }
      },
    }),
  ]
}

function installable(esim: StoredEsim): InstallableEsim {
  const { activationCode } = esim
  const parsed = parseActivationCode(activationCode)
  return {
    state: esim.state,
    suspended: esim.suspended,
    iccid: esim.iccid,
    activationCode,
    smdpAddress: parsed?.smdpAddress ?? null,
    matchingId: parsed?.matchingId ?? null,
    confirmationCode: esim.confirmationCode,
    apn: esim.apn,
    iosInstallUrl: parsed && iosInstallUrl(activationCode),
    androidInstallUrl: parsed && androidInstallUrl(activationCode),
    qr: `data:image/png;base64,${qrPng(activationCode).toString('base64')}`,
    totalBytes: esim.totalBytes === null ? null : Number(esim.totalBytes),
    usedBytes: Number(esim.usedBytes),
    checkedAt: esim.checkedAt,
    validityStarts: esim.validityStarts,
    activatedAt: esim.activatedAt,
    unusedUntil: esim.unusedUntil,
    expiresAt: esim.expiresAt,
  }
}
