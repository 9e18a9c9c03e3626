/** An account on the console. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Account, findAccount } from '../../../db/accounts.ts'
import { listDevices } from '../../../db/devices.ts'
import { readAccountRows } from '../../../db/operator/account-rows.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { listEsimsOfOrders } from '../../../db/order/esims.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderAccountPage } from '../../pages/console/account.tsx'
import { renderAct } from '../../pages/console/act.tsx'
import { pageOfList } from '../../pages/console/parts.tsx'
import { accountTimelineOf } from '../../views/account-timeline.ts'
import { done, frameOf, goTo, headers, page } from './console-route.ts'
import { performAct, sentForm } from './perform-act.ts'

const params = z.strictObject({ id: sentId })
/** Of each list on one page. */
const shown = 50
const number = z.coerce.number().int().min(1).max(100_000).default(1)
/** Which page of each list is shown. */
const query = z.strictObject({
  timeline: number,
  orders: number,
  esims: number,
  devices: number,
  requests: number,
  tasks: number,
  acts: number,
  messages: number,
  consents: number,
})

export function consoleAccountRoutes(api: ApiContext): Route[] {
  const { sql, cipher } = api

  /** @throws Problem not_found */
  async function known(id: string): Promise<Account> {
    const account = await findAccount(sql, api, id)
    if (!account) throw new Problem('not_found')
    return account
  }

  const noteForm = (
    id: string,
    caller: ConsoleUser,
    typed: { once: string; reason: string; faults: FieldError[] },
  ): string =>
    renderAct(frameOf(api, caller), {
      about: { path: `/console/accounts/${id}`, name: `Account ${id}` },
      action: `/console/accounts/${id}/note`,
      label: 'Note',
      does: 'The note appears on the page of the account.',
      danger: false,
      ...typed,
    })

  return [
    defineRoute({
      method: 'get',
      path: '/console/accounts/{id}',
      tag: 'console',
      summary: 'An account with its timeline, orders, eSIMs, devices, requests, messages and tasks',
      callers: ['console'],
      permission: 'look',
      reads: ['account', 'consents', 'devices', 'orders', 'esims', 'privacyRequests'],
      params,
      query,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: { id }, query: pages, caller }) {
        const account = await known(id)
        const [rows, devices, operators] = await Promise.all([
          readAccountRows(sql, id),
          listDevices(sql, api, id),
          operatorNames(sql),
        ])
        const pageOf = <Item>(all: readonly Item[], name: keyof typeof pages) => pageOfList(all, pages[name], shown)
        const esims = pageOf(
          rows.orders.flatMap(({ order, rows: its }) => its.esims.map((esim) => ({ ...esim, orderId: order.id }))),
          'esims',
        )
        const shownOrders = [...new Set(esims.items.map(({ orderId }) => orderId))]
        const opened = [...(await listEsimsOfOrders(api, id, shownOrders)).values()].flat()
        const iccids = new Map(opened.map((esim) => [esim.id, esim.iccid]))
        const raw = renderAccountPage(frameOf(api, caller), {
          account: { ...account, name: `${account.firstName} ${account.lastName}`, ref: cipher.accountRef(id) },
          timeline: pageOf(accountTimelineOf(account, rows, new Date()), 'timeline'),
          orders: pageOf(
            rows.orders.map(({ order }) => order),
            'orders',
          ),
          esims: { ...esims, items: esims.items.map((esim) => ({ ...esim, iccid: iccids.get(esim.id) ?? 'erased' })) },
          devices: pageOf(devices, 'devices'),
          consents: pageOf(rows.consents, 'consents'),
          requests: pageOf(
            rows.requests.map((row) => ({
              id: row.id,
              reference: privacyReference(row.id),
              kind: row.kind,
              state: row.state,
              answerBy: row.answer_by,
            })),
            'requests',
          ),
          messages: pageOf(rows.sends, 'messages'),
          tasks: pageOf(rows.tasks, 'tasks'),
          acts: pageOf(rows.acts, 'acts'),
          operators,
        })
        return { status: 200, headers, about: [id], raw }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/accounts/{id}/note',
      tag: 'console',
      summary: 'Asks for a note about an account',
      callers: ['console'],
      permission: 'orders',
      params,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: { id }, caller }) {
        await known(id)
        const raw = noteForm(id, caller, { once: randomUUID(), reason: '', faults: [] })
        return { status: 200, headers, raw }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/accounts/{id}/note',
      tag: 'console',
      summary: 'Stores a note about an account',
      callers: ['console'],
      permission: 'orders',
      form: true,
      params,
      body: sentForm,
      responses: { ...done, 422: { ...page, description: 'It was not stored; the page says why' } },
      problems: ['not_found'],
      async handle({ params: { id }, body: { once, reason }, caller }) {
        await known(id)
        const form = { operation: 'POST /console/accounts/{id}/note', once, content: { id, reason } }
        const entry = { accountId: id, orderId: null, act: 'note', reason }
        const faults = await performAct(api, caller, form, entry, async () => {})
        if (faults.length === 0) return goTo(`/console/accounts/${id}`)
        return { status: 422, headers, raw: noteForm(id, caller, { once, reason, faults }) }
      },
    }),
  ]
}
