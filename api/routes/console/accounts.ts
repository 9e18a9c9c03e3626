/** An account on the console. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Account, findAccount } from '../../../db/accounts.ts'
import { listConsents } from '../../../db/consents.ts'
import { listDevices } from '../../../db/devices.ts'
import { listActsOfAccount } from '../../../db/operator/operator-acts.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { listTasksOfAccount } from '../../../db/operator-tasks.ts'
import { listEsims } from '../../../db/order/esims.ts'
import { listOrders } from '../../../db/order/orders.ts'
import { listPrivacyRequests } from '../../../db/privacy-requests.ts'
import { listSendsOfAccount } from '../../../db/sends.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderAccountPage } from '../../pages/console/account.tsx'
import { renderAct } from '../../pages/console/act.tsx'
import { done, frameOf, goTo, headers, page } from './console-route.ts'
import { faultsOfReason, performAct, sentForm } from './perform-act.ts'

const params = z.strictObject({ id: sentId })
/** More of one kind than this are not of one person who calls. */
const shown = 200

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
      summary: 'An account with its orders, eSIMs, devices, requests, messages and tasks',
      callers: ['console'],
      permission: 'look',
      reads: ['account', 'consents', 'devices', 'orders', 'esims', 'privacyRequests'],
      params,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: { id }, caller }) {
        const account = await known(id)
        const asOf = new Date()
        const all = { accountId: id, after: undefined, limit: shown }
        const [orders, devices, consents, requests, sends, tasks, acts, operators] = await Promise.all([
          listOrders(sql, { ...all, status: undefined }),
          listDevices(sql, api, id),
          listConsents(sql, id, shown),
          listPrivacyRequests(sql, { ...all, filter: undefined, asOf }),
          listSendsOfAccount(sql, id, shown),
          listTasksOfAccount(sql, id, asOf),
          listActsOfAccount(sql, id, shown),
          operatorNames(sql),
        ])
        const esims = await Promise.all(
          orders.map(async (order) => (await listEsims(api, order)).map((esim) => ({ ...esim, orderId: order.id }))),
        )
        const raw = renderAccountPage(frameOf(api, caller), {
          account: { ...account, name: `${account.firstName} ${account.lastName}`, ref: cipher.accountRef(id) },
          orders,
          esims: esims.flat(),
          devices,
          consents,
          requests: requests.map((row) => ({
            id: row.id,
            reference: privacyReference(row.id),
            kind: row.kind,
            state: row.state,
            answerBy: row.answer_by,
          })),
          sends,
          tasks,
          acts,
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
        let faults = faultsOfReason(reason)
        if (faults.length === 0) {
          const form = { operation: 'POST /console/accounts/{id}/note', once, content: { id, reason } }
          faults = await performAct(
            api,
            caller,
            form,
            { accountId: id, orderId: null, act: 'note', reason },
            async () => {},
          )
        }
        if (faults.length === 0) return goTo(`/console/accounts/${id}`)
        return { status: 422, headers, raw: noteForm(id, caller, { once, reason, faults }) }
      },
    }),
  ]
}
