/** G6, requests are answered within 30 days: privacy requests on the console. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
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
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { answerKinds, extensionReasons } from '../../../workflows/privacy-request.contract.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams, sentId, sentTime } from '../../http/storable.ts'
import { renderRequest } from '../../pages/console/privacy-requests/privacy-request.tsx'
import { type ListedRequest, renderRequests } from '../../pages/console/privacy-requests/privacy-requests.tsx'
import { AnswerFields, ExtensionFields } from '../../pages/console/request-fields.tsx'
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

const labels = {
  resolve: {
    label: 'Answer',
    does: 'The request is answered: the answer is mailed to the person, and it is the only one.',
  },
  extend: { label: 'Extend', does: 'The time for the answer is two months longer, once. The person is mailed why.' },
} as const
