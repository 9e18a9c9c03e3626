/** G1, everybody can see their data: a person's eSIMs and orders on the web. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findAccount } from '../../../db/accounts.ts'
import { listDaily } from '../../../db/catalogue/packages.ts'
import { installUrl } from '../../../db/crypto/install-token.ts'
import { listEsimsOfOrders } from '../../../db/order/esims.ts'
import { listOrders } from '../../../db/order/orders.ts'
import type { Visitor } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { sentTime } from '../../http/storable.ts'
import { renderMyEsims } from '../../pages/account/my-esims.tsx'
import type { PageContext } from '../../pages/layout.tsx'
import { renderAskAddress } from '../../pages/sign-in.tsx'
import { esimLife, findEsimsToTopUp } from '../../views/esim-life.ts'
import { accountPage } from './account-page.ts'
import { holdsOf } from './own-order.ts'

const shownOrders = 50
const position = z.tuple([sentTime, z.uuid()])

export function myEsimsPageRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  const show = accountPage(config.PUBLIC_URL)

  return [
    defineRoute({
      method: 'get',
      path: '/account',
      tag: 'pages',
      summary: "A person's eSIMs and orders, the newest first; without a session the page to sign in",
      promises: ['G1', 'U3'],
      callers: ['public', 'visitor'],
      query: z.strictObject({ cursor: z.string().max(500).optional() }),
      responses: { 200: html },
      async handle({ caller, header, query: { cursor }, page }) {
        if (caller.kind !== 'visitor') return show(header, (notice) => renderAskAddress('account', page(), { notice }))
        return show(header, (notice) => myEsims(caller, page(), { notice, cursor }))
      },
    }),
  ]

  async function myEsims(
    { accountId }: Visitor,
    page: PageContext,
    { notice, cursor }: { notice: string | undefined; cursor: string | undefined },
  ): Promise<string> {
    const after = decodeCursor(cursor, position)
    const [account, rows] = await Promise.all([
      findAccount(sql, api, accountId),
      listOrders(sql, { accountId, status: undefined, after, limit: shownOrders + 1 }),
    ])
    const deadAddress = account?.mailState === 'bounced' ? account.email : undefined
    const { rows: shown, nextCursor } = cutPage(rows, shownOrders, (row) => [row.created_at.toISOString(), row.id])
    const esims = await listEsimsOfOrders(
      api,
      accountId,
      shown.map(({ id }) => id),
    )
    const toTopUp = await findEsimsToTopUp(
      sql,
      shown.flatMap(({ id, status }) =>
        (esims.get(id) ?? []).map((esim) => ({ ...esim, delivered: status === 'delivered' })),
      ),
    )
    const daily = await listDaily(
      sql,
      shown.map((order) => order.package_code),
    )
    const lines = await Promise.all(
      shown.map(async (order) => ({
        id: order.id,
        createdAt: order.created_at,
        holds: holdsOf(order, daily),
        destination: order.destination,
        isTopUp: order.parent_order_id !== null,
        quantity: order.quantity,
        status: order.status,
        paidAt: order.paid_at,
        deliveredAt: order.delivered_at,
        minor: order.gross_minor,
        currency: order.currency,
        installUrl: await installUrl(api, order),
        esims: (esims.get(order.id) ?? []).map((esim) => ({
          id: esim.id,
          takesTopUps: toTopUp.has(esim.id),
          ...esimLife(esim),
        })),
      })),
    )
    const older = nextCursor && `/account?${new URLSearchParams({ cursor: nextCursor })}`
    return renderMyEsims({ notice, deadAddress, older, isOlder: after !== undefined, orders: lines }, page)
  }
}
