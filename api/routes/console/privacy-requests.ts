/** G6, requests are answered within 30 days: privacy requests on the console. */
import { v4 } from 'uuid'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountExists } from '../../../db/accounts.ts'
import {
  countPrivacyRequests,
  findPrivacyRequest,
  listPrivacyRequests,
  openPrivacyRequest,
  ownersOfRequests,
  type PrivacyRequestRow,
  privacyRequestFilters,
  privacyRequestKinds,
} from '../../../db/privacy-requests.ts'
import { periods } from '../../../policy/periods.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { plusDays } from '../../../shared/calendar.ts'
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { type FieldError, orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { renderRequest } from '../../pages/console/privacy-requests/privacy-request.tsx'
import { type ListedRequest, renderRequests } from '../../pages/console/privacy-requests/privacy-requests.tsx'
import { AnswerFields, EnterFields, ExtensionFields } from '../../pages/console/request-fields.tsx'
import { createPrivacyRequestClient } from '../../runs/privacy-request-client.ts'
import { actRoutes, frameOf, headers, headersOf } from './console-route.ts'

const shown = 50
const position = z.tuple([sentTime, sentId])
/** An empty field of the form limits nothing. */
const query = z.strictObject({
  state: z.enum(privacyRequestFilters).default('open'),
  kind: z.enum(['', ...privacyRequestKinds]).default(''),
  cursor: z.string().max(500).optional(),
})

const answerFields = z.strictObject({
  answerKind: z.enum(answerKinds).default('granted'),
  answer: z.string().trim().max(20_000).default(''),
})
const enterFields = z.strictObject({
  kind: z.enum(privacyRequestKinds).default('access'),
  message: z.string().trim().max(20_000).default(''),
  received: z.string().trim().max(40).default(''),
  replyTo: z.string().trim().max(254).default(''),
})
const day = z.iso.date()
const address = z.email()
const extensionFields = z.strictObject({ because: z.enum(extensionReasons).default('complexity') })

export function consolePrivacyRequestRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const requests = createPrivacyRequestClient(api)

  /** @throws Problem not_found */
  async function known(id: string): Promise<PrivacyRequestRow> {
    return orNotFound(await findPrivacyRequest(sql, id))
  }

  const pageOf = (name: keyof typeof labels, { id }: PrivacyRequestRow) => ({
    about: { path: `/console/privacy-requests/${id}`, name: `Privacy request ${privacyReference(id)}` },
    action: `/console/privacy-requests/${id}/${name}`,
    ...labels[name],
    danger: false,
  })

  const entryOf = (row: PrivacyRequestRow, act: 'answer' | 'extend') => ({
    accountId: row.account_id,
    orderId: null,
    act,
    subject: row.account_id === null ? row.kind : privacyReference(row.id),
  })

  /** Common to both acts. */
  const ofRequest = {
    permission: 'privacy',
    promises: ['G6'],
    params: idParams,
    asksFields: true,
    find: ({ id }: z.output<typeof idParams>) => known(id),
    doneAt: ({ id }: z.output<typeof idParams>) => `/console/privacy-requests/${id}`,
  } as const

  /** The form of a request that did not come by the app or the web. `find` gives the account that asks, if it has one. */
  const entering = <Params extends z.ZodObject>(form: {
    path: `/console/${string}`
    params: Params
    find(params: z.output<Params>): Promise<string | null>
    pageAbout(accountId: string | null): { path: string; name: string }
  }) =>
    actRoutes(api, {
      path: form.path,
      does: 'Enters a privacy request that came by phone, letter or mail',
      asks: 'Asks for a privacy request that came by phone, letter or mail',
      // Whoever takes the call notes what was asked for; `privacy` answers it.
      permission: 'tasks',
      promises: ['G6'],
      largeBody: 'texts',
      params: form.params,
      fields: enterFields,
      asksFields: true,
      find: form.find,
      pageOf: (accountId, typed) => ({
        about: form.pageAbout(accountId),
        action: form.path.replace('{id}', accountId ?? ''),
        ...labels.enter,
        danger: false,
        typed,
        fields: (state) => EnterFields({ state, hasAccount: accountId !== null }),
      }),
      faultsOf: (accountId, fields) => faultsOfEntered(accountId, fields, new Date()),
      entryOf: (accountId, { fields }) => ({ accountId, orderId: null, act: 'enter', subject: fields.kind }),
      async perform(accountId, { fields: { kind, message, received, replyTo } }, { requestId }) {
        // Not the id of the entry: the request's own is the person's, and their deletion finds it in what is kept.
        const id = v4({ random: api.cipher.fingerprint('privacy-request-of-form', requestId).subarray(0, 16) })
        const receivedAt = received === '' ? new Date() : new Date(received)
        await requests.open({ id, accountId, kind, message, replyTo: replyTo || null, receivedAt })
      },
      doneAt: async (params) => form.pageAbout(await form.find(params)).path,
    })

  return [
    defineRoute({
      method: 'get',
      path: '/console/privacy-requests',
      tag: 'console',
      summary: 'The privacy requests, the first due first',
      promises: ['G6'],
      callers: ['console'],
      permission: 'look',
      reads: ['privacyRequests'],
      query,
      responses: { 200: html },
      async handle({ caller, query: { state, kind, cursor } }) {
        const asOf = new Date()
        const filter = { filter: state, kind: kind || undefined, asOf }
        const after = decodeCursor(cursor, position)
        const [count, found] = await Promise.all([
          countPrivacyRequests(sql, filter),
          listPrivacyRequests(sql, { ...filter, accountId: undefined, after, limit: shown + 1 }),
        ])
        const { rows, nextCursor } = cutPage(found, shown, (row) => [row.answer_by.toISOString(), row.id])
        const next =
          nextCursor && `/console/privacy-requests?${new URLSearchParams({ state, kind, cursor: nextCursor })}`
        const items = rows.map((row) => listedRequest(row, asOf))
        const raw = renderRequests(frameOf(api, caller), { state, kind, count, items, next })
        return { status: 200, headers, about: [...(await ownersOfRequests(sql, rows)).values()], raw }
      },
    }),
    ...entering({
      path: '/console/accounts/{id}/enter-request',
      params: idParams,
      async find({ id }) {
        if (!(await accountExists(sql, id))) throw new Problem('not_found')
        return id
      },
      pageAbout: (id) => ({ path: `/console/accounts/${id}`, name: `Account ${id}` }),
    }),
    ...entering({
      path: '/console/enter-request',
      params: z.strictObject({}),
      find: async () => null,
      pageAbout: () => ({ path: '/console/privacy-requests', name: 'Privacy requests' }),
    }),
    defineRoute({
      method: 'get',
      path: '/console/privacy-requests/{id}',
      tag: 'console',
      summary: 'A privacy request, and what an operator can do about it',
      promises: ['G6'],
      callers: ['console'],
      permission: 'privacy',
      reads: ['privacyRequests'],
      params: idParams,
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ params: { id }, caller, header }) {
        const frame = frameOf(api, caller, header)
        const row = await known(id)
        const opened = orNotFound(await openPrivacyRequest(sql, api, row))
        const owner = (await ownersOfRequests(sql, [row])).get(id)
        const request = {
          id,
          reference: privacyReference(id),
          kind: row.kind,
          state: row.state,
          accountId: owner ?? null,
          receivedAt: row.received_at,
          answerBy: row.answer_by,
          answerKind: row.answer_kind,
          isExtended: row.extended_because !== null,
          ...opened,
        }
        return {
          status: 200,
          headers: headersOf(api, frame),
          about: owner === undefined ? [] : [owner],
          raw: renderRequest(frame, { request }),
        }
      },
    }),
    ...actRoutes(api, {
      ...ofRequest,
      path: '/console/privacy-requests/{id}/resolve',
      does: 'Answers a privacy request',
      asks: 'Asks for the answer to a privacy request, and for the reason',
      largeBody: 'texts',
      fields: answerFields,
      pageOf: (row, fields) => ({
        ...pageOf('resolve', row),
        typed: fields,
        fields: (state) => AnswerFields({ state }),
      }),
      entryOf: (row) => entryOf(row, 'answer'),
      perform: ({ id }, { fields: { answerKind: kind, answer } }, { requestId }) =>
        requests.resolve(id, { kind, text: answer || null }, requestId),
    }),
    ...actRoutes(api, {
      ...ofRequest,
      path: '/console/privacy-requests/{id}/extend',
      does: 'Extends the time for the answer once by two months',
      asks: 'Asks why the time for the answer to a privacy request is extended',
      fields: extensionFields,
      pageOf: (row, fields) => ({
        ...pageOf('extend', row),
        typed: fields,
        fields: (state) => ExtensionFields({ state }),
      }),
      entryOf: (row) => entryOf(row, 'extend'),
      perform: ({ id }, { fields }, { updateId }) => requests.extend(id, fields.because, updateId),
    }),
  ]
}

/** A request as a list of the console shows it. @param asOf the time by which it is late */
export const listedRequest = (row: PrivacyRequestRow, asOf: Date): ListedRequest => ({
  id: row.id,
  reference: privacyReference(row.id),
  kind: row.kind,
  state: row.state,
  receivedAt: row.received_at,
  answerBy: row.answer_by,
  late: row.late_at !== null || (row.state === 'open' && row.answer_by < asOf),
})

/** What is wrong with a request that an operator enters. */
function faultsOfEntered(
  accountId: string | null,
  { message, received, replyTo }: z.output<typeof enterFields>,
  now: Date,
): FieldError[] {
  const isDay = day.safeParse(received).success
  const isLate = isDay && new Date(received) < plusDays(now, -periods.privacyRequest.answerWithinDays)
  return [
    ...(message === '' ? [{ field: 'Message', reason: 'must say what was asked for' }] : []),
    ...(received !== '' && (!isDay || new Date(received) > now || isLate)
      ? [{ field: 'Received', reason: 'must be one of the last 30 days, such as 2026-11-28' }]
      : []),
    ...((replyTo === '' ? accountId === null : !address.safeParse(replyTo).success)
      ? [{ field: 'Reply to', reason: 'must be an e-mail address' }]
      : []),
  ]
}

const labels = {
  enter: {
    label: 'Enter a privacy request',
    does: 'For a request that came by phone, letter or mail. It is acknowledged by mail at once, and has to be answered within 30 days of its arrival. Who asks for the deletion of their data and reaches their account, or its mail, is done sooner by deleting the account: in the app, or on the page of their data, for which a link by mail signs them in without the phone.',
  },
  resolve: {
    label: 'Answer',
    does: 'The request is answered: the answer is mailed to the person, and it is the only one.',
  },
  extend: { label: 'Extend', does: 'The time for the answer is two months longer, once. The person is mailed why.' },
} as const
