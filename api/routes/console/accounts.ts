/** An account on the console. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountExists, findAccount } from '../../../db/accounts.ts'
import { type Device, listDevices } from '../../../db/devices.ts'
import { type EmailChange, findEmailChange } from '../../../db/email-changes.ts'
import { readAccountRows } from '../../../db/operator/account-rows.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { ownersOfTasks } from '../../../db/operator/task-owners.ts'
import { openTasksOf } from '../../../db/operator-tasks.ts'
import { listEsimsOfOrders } from '../../../db/order/esims.ts'
import { isPermitted } from '../../../policy/operators/operator-roles.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { asOneLine } from '../../../shared/text/one-line.ts'
import { actorOf } from '../../http/caller.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams, sentId } from '../../http/storable.ts'
import { EmailChangeFacts, renderAccountPage } from '../../pages/console/account.tsx'
import { pageOfList } from '../../pages/console/parts.tsx'
import { accountTimelineOf } from '../../views/timeline/account-timeline.ts'
import { type AccountActName, accountActNames, createAccountActs } from './account-acts.ts'
import { actRoutes, frameOf, headersOf } from './console-route.ts'

/** The change of address that the form names. */
const actFields = z.strictObject({ change: sentId.optional() })
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

const enterRequest = { name: 'enter-request', label: 'Enter a privacy request', danger: false }

interface AccountSubject {
  id: string
  /** the change of address that the act is about */
  change: EmailChange | undefined
}

const hiddenIn = ({ change }: { change: string | undefined }) => (change === undefined ? {} : { hidden: { change } })

/** What was stored before texts of several lines were refused is shown on a line all the same. */
const shownDevice = (device: Device): Device => ({
  ...device,
  model: device.model && asOneLine(device.model),
  osVersion: device.osVersion && asOneLine(device.osVersion),
  appVersion: device.appVersion && asOneLine(device.appVersion),
})

export function consoleAccountRoutes(api: ApiContext): Route[] {
  const { sql, cipher } = api
  const { acts, entryOf, openEmailChange } = createAccountActs(api)

  const accountActRoutes = (name: AccountActName): Route[] => {
    const { label, does, danger, permission, ofEmailChange, endsAccount } = acts[name]
    return actRoutes(api, {
      path: `/console/accounts/{id}/${name}`,
      does,
      permission,
      params: idParams,
      fields: actFields,
      asksFields: ofEmailChange,
      ...(ofEmailChange && ({ reads: ['emailChanges'], problems: ['email_change_state_conflict'] } as const)),
      async find({ id }, _caller, sent): Promise<AccountSubject> {
        if (!(await accountExists(sql, id))) throw new Problem('not_found')
        if (!ofEmailChange) return { id, change: undefined }
        if (!sent) return { id, change: await openEmailChange(id) }
        const named = sent.change === undefined ? undefined : await findEmailChange(sql, api, sent.change)
        return { id, change: named?.accountId === id ? named : undefined }
      },
      doneBefore: async ({ id }) =>
        endsAccount && !(await accountExists(sql, id)) ? acts[name].resultOf(id) : undefined,
      aboutOf: ({ id, change }) => (change ? [id] : []),
      pageOf: ({ id, change }, sent) => ({
        about: { path: `/console/accounts/${id}`, name: `Account ${id}` },
        action: `/console/accounts/${id}/${name}`,
        label,
        does,
        danger,
        ...(change && { subject: EmailChangeFacts({ change }) }),
        ...hiddenIn({ change: sent.change ?? change?.id }),
      }),
      faultsOf: (_account, { change }) =>
        ofEmailChange && change === undefined ? [{ field: 'Change of address', reason: 'is missing' }] : [],
      entryOf: ({ id }) => entryOf(name, id),
      perform: ({ id }, { caller, fields: { change } }, ids) =>
        acts[name].perform(id, actorOf(caller), { ...ids, change }),
      doneAt: async ({ id }) => (await acts[name].resultOf(id)) ?? '/console',
    })
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
      params: idParams,
      query,
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ params: { id }, query: pages, caller, header }) {
        const asOf = new Date()
        const frame = frameOf(api, caller, header)
        const account = orNotFound(await findAccount(sql, api, id))
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
        const raw = renderAccountPage(frame, {
          account: {
            ...account,
            name: asOneLine(`${account.firstName} ${account.lastName}`),
            email: asOneLine(account.email),
            ref: cipher.accountRef(id),
          },
          timeline: pageOf(accountTimelineOf(account, rows, asOf), 'timeline'),
          orders: pageOf(
            rows.orders.map(({ order }) => order),
            'orders',
          ),
          esims: { ...esims, items: esims.items.map((esim) => ({ ...esim, iccid: iccids.get(esim.id) ?? 'erased' })) },
          devices: pageOf(devices.map(shownDevice), 'devices'),
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
          tasks: {
            ...tasks,
            items: tasks.items.map((row) => ({ row, owner: owners.get(row.id), open: openTasksOf([row], asOf)[0] })),
          },
          endsSteps: isPermitted(caller.role, 'privacy'),
          acts: pageOf(rows.acts, 'acts'),
          offered: [
            ...(isPermitted(caller.role, 'tasks') ? [enterRequest] : []),
            ...accountActNames
              .filter((name) => acts[name].isOffered(rows) && isPermitted(caller.role, acts[name].permission))
              .map((name) => ({ name, label: acts[name].label, danger: acts[name].danger })),
          ],
          operators,
        })
        return { status: 200, headers: headersOf(api, frame), about: [id], raw }
      },
    }),
    ...accountActNames.flatMap(accountActRoutes),
  ]
}
