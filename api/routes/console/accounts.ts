/** An account on the console. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Account, accountExists, findAccount } from '../../../db/accounts.ts'
import { listDevices } from '../../../db/devices.ts'
import { type EmailChange, findEmailChange } from '../../../db/email-changes.ts'
import { readAccountRows } from '../../../db/operator/account-rows.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { ownersOfTasks } from '../../../db/operator/task-owners.ts'
import { listEsimsOfOrders } from '../../../db/order/esims.ts'
import { isPermitted } from '../../../policy/operators/operator-roles.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { actorOf, type ConsoleUser, noteEntry } from '../../http/caller.ts'
import { type FieldError, orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { EmailChangeFacts, renderAccountPage } from '../../pages/console/account.tsx'
import { renderAct } from '../../pages/console/act.tsx'
import { pageOfList } from '../../pages/console/parts.tsx'
import { accountTimelineOf } from '../../views/account-timeline.ts'
import { type AccountActName, accountActNames, createAccountActs } from './account-acts.ts'
import { answers, frameOf, goTo, headers, page } from './console-route.ts'
import { performAct, sentForm } from './perform-act.ts'

/** Of the forms of all acts. */
const actForm = z.object({ ...sentForm.shape, change: sentId.optional() })
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
  const { acts, entryOf, openEmailChange } = createAccountActs(api)

  /** @throws Problem not_found */
  async function known(id: string): Promise<Account> {
    return orNotFound(await findAccount(sql, api, id))
  }

  const formOf = (
    name: AccountActName,
    id: string,
    caller: ConsoleUser,
    typed: { once: string; reason: string; change?: string | undefined; faults: FieldError[] },
    change?: EmailChange,
  ): string => {
    const { once, reason, faults } = typed
    const { label, does, danger } = acts[name]
    return renderAct(frameOf(api, caller), {
      about: { path: `/console/accounts/${id}`, name: `Account ${id}` },
      action: `/console/accounts/${id}/${name}`,
      label,
      does,
      danger,
      once,
      reason,
      faults,
      ...(change && { subject: EmailChangeFacts({ change }) }),
      ...(typed.change !== undefined && { hidden: { change: typed.change } }),
    })
  }

  /** Not by `actRoutes`: the account of a child is gone when its form is sent again. */
  const accountActRoutes = (name: AccountActName): Route[] => {
    const { does, permission, ofEmailChange } = acts[name]
    const path = `/console/accounts/{id}/${name}` as const
    return [
      defineRoute({
        method: 'get',
        path,
        tag: 'console',
        summary: `Asks for the reason: ${does}`,
        callers: ['console'],
        permission,
        ...(ofEmailChange && { reads: ['emailChanges'] as const }),
        params,
        responses: { 200: page },
        problems: ['not_found', ...(ofEmailChange ? (['email_change_state_conflict'] as const) : [])],
        async handle({ params: { id }, caller }) {
          await known(id)
          const change = ofEmailChange ? await openEmailChange(id) : undefined
          const typed = { once: randomUUID(), reason: '', change: change?.id, faults: [] }
          return { status: 200, headers, about: change ? [id] : [], raw: formOf(name, id, caller, typed, change) }
        },
      }),
      defineRoute({
        method: 'post',
        path,
        tag: 'console',
        summary: does,
        callers: ['console'],
        permission,
        ...(ofEmailChange && { reads: ['emailChanges'] as const }),
        form: true,
        params,
        body: z.strictObject({ ...sentForm.shape, ...(ofEmailChange && { change: sentId }) }),
        responses: answers,
        problems: ['not_found'],
        async handle({ params: { id }, body, caller }) {
          const { once, reason, change } = actForm.parse(body)
          if (!(await accountExists(sql, id))) {
            // The same form has deleted the account.
            const result = await acts[name].resultOf(id)
            if (name !== 'child-report' || result === undefined) throw new Problem('not_found')
            noteEntry(caller)
            return goTo(result)
          }
          const form = { operation: `POST ${path}`, once, content: { id, reason, ...(change && { change }) } }
          const faults = await performAct(api, caller, form, { ...entryOf(name, id), reason }, (ids) =>
            acts[name].perform(id, actorOf(caller), { ...ids, change }),
          )
          if (faults.length === 0) return goTo((await acts[name].resultOf(id)) ?? '/console')
          const looked = change === undefined ? undefined : await findEmailChange(sql, api, change)
          const shown = looked?.accountId === id ? looked : undefined
          const raw = formOf(name, id, caller, { once, reason, change, faults }, shown)
          return { status: 422, headers, about: shown ? [id] : [], raw }
        },
      }),
    ]
  }

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
        const tasks = pageOf(rows.tasks, 'tasks')
        const owners = await ownersOfTasks(
          sql,
          tasks.items.map(({ id: taskId, subject_id, attributes }) => ({
            id: taskId,
            subjectId: subject_id,
            attributes,
          })),
        )
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
          tasks: { ...tasks, items: tasks.items.map((row) => ({ row, owner: owners.get(row.id) })) },
          acts: pageOf(rows.acts, 'acts'),
          offered: accountActNames
            .filter((name) => acts[name].isOffered(rows) && isPermitted(caller.role, acts[name].permission))
            .map((name) => ({ name, label: acts[name].label, danger: acts[name].danger })),
          operators,
        })
        return { status: 200, headers, about: [id], raw }
      },
    }),
    ...accountActNames.flatMap(accountActRoutes),
  ]
}
