import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { languageOf, touchActivity } from '../../../db/accounts.ts'
import { findPackage } from '../../../db/catalogue/packages.ts'
import { numberOrNull } from '../../../db/connection/bigints.ts'
import { listEsims, type StoredEsim } from '../../../db/order/esims.ts'
import { findOrderByInstallToken } from '../../../db/order/orders.ts'
import { qrPng } from '../../../mails/order/qr.ts'
import { androidInstallUrl, iosInstallUrl, parseActivationCode } from '../../../providers/lpa.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { renderInstall } from '../../pages/install/install.tsx'
import { deviceOf, type InstallableEsim } from '../../pages/install/install-steps.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderNotFound } from '../../pages/problems/not-found.tsx'
import { esimLife, findEsimsToTopUp } from '../../views/esim-life.ts'

const headers = { ...layoutHeaders({ images: true, copyButtons: true }), 'X-Robots-Tag': 'noindex' }

export function installRoutes(api: ApiContext): Route[] {
  const { sql } = api
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
      responses: { 200: html, 404: html },
      async handle({ params: { token }, query: { device }, header, page }) {
        const order = await findOrderByInstallToken(sql, api, token)
        if (!order) return { status: 404, headers, raw: renderNotFound(page()) }
        const [esims, bought, language] = await Promise.all([
          listEsims(api, order),
          findPackage(sql, order.package_code),
          languageOf(sql, order.account_id),
        ])
        await touchActivity(sql, order.account_id, new Date())
        const delivered = order.status === 'delivered'
        const toTopUp = await findEsimsToTopUp(
          sql,
          esims.map((esim) => ({ ...esim, delivered })),
        )
        const shown = {
          destination: order.destination,
          countries: bought?.destinations ?? [],
          dataBytes: numberOrNull(order.data_bytes),
          daily: bought?.daily ?? false,
          days: order.days,
          device: device ?? deviceOf(header('user-agent')),
          refunded: order.status !== 'delivered' && order.status !== 'ended',
          takesTopUps: toTopUp.size > 0,
          esims: esims.map(installable),
        }
        const raw = renderInstall(shown, page(language))
        return { status: 200, headers, raw }
      },
    }),
  ]
}

function installable(esim: StoredEsim): InstallableEsim {
  const { activationCode } = esim
  const parsed = parseActivationCode(activationCode)
  return {
    ...esimLife(esim),
    iccid: esim.iccid,
    activationCode,
    smdpAddress: parsed?.smdpAddress ?? null,
    matchingId: parsed?.matchingId ?? null,
    confirmationCode: esim.confirmationCode,
    apn: esim.apn,
    iosInstallUrl: parsed && iosInstallUrl(activationCode),
    androidInstallUrl: parsed && androidInstallUrl(activationCode),
    qr: `data:image/png;base64,${qrPng(activationCode).toString('base64')}`,
  }
}
