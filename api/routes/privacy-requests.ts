import { v4 } from 'uuid'
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import {
  findPrivacyRequest,
  isTaken,
  listPrivacyRequests,
  openPrivacyRequest,
  ownersOfRequests,
  type PrivacyRequestRow,
  privacyRequestFilters,
  privacyRequestKinds,
} from '../../db/privacy-requests.ts'
import { periods } from '../../policy/periods.ts'
import { privacyReference } from '../../policy/privacy-reference.ts'
import { isoOrNull, plusDays } from '../../shared/calendar.ts'
import { answerKinds, extensionReasons } from '../../workflows/privacy-request.contract.ts'
import { recordOperatorAct } from '../acts/recorded-acts.ts'
import { assertReaches, type Caller } from '../http/caller.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { actOnce } from '../http/idempotency.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { idParams, sentTime } from '../http/storable.ts'
import { createPrivacyRequestClient } from '../runs/privacy-request-client.ts'
import { accountId } from '../views/account-fields.ts'
import { enumeration } from '../views/enumeration.ts'
import { whyField, whyNote } from '../views/operator-words.ts'

const text = z.string().trim().min(1).max(20_000)
const time = z.iso.datetime().nullable()

export const requestState = enumeration('PrivacyRequestState', 'Whether a privacy request is answered', {
  open: 'It waits for its answer; `answerBy` says until when',
  answered: 'It has its answer',
})

const newRequest = z
  .strictObject({
    accountId: accountId.optional().describe('a person may leave it out; so may an operator who enters a mail'),
    kind: z.enum(privacyRequestKinds),
    message: text,
    replyTo: z.email().max(254).optional().describe('operators only: where to answer a person without an account'),
    receivedAt: sentTime.optional().describe('operators only: when the mail arrived, if not now'),
    ...whyField,
  })
  .meta({ id: 'NewPrivacyRequest' })

const requestSummary = z
  .object({
    id: z.uuid(),
    reference: z.string().describe('the name of the request in mails'),
    accountId: z.uuid().nullable(),
    kind: z.enum(privacyRequestKinds),
    state: requestState.schema,
    late: z.boolean().describe('not answered in time'),
    receivedAt: time,
    answerBy: time,
    extendedBecause: z.string().nullable(),
    acknowledgedAt: time,
    escalatedAt: time,
    answerKind: z.enum(answerKinds).nullable(),
    answeredAt: time,
  })
  .meta({ id: 'PrivacyRequestSummary' })

const request = requestSummary
  .extend({ message: z.string(), replyTo: z.string().nullable(), answer: z.string().nullable() })
  .meta({ id: 'PrivacyRequest' })

const newAnswer = z
  .strictObject({
    answerKind: z.enum(answerKinds),
    answer: text.nullable().describe('the text to mail to the person; null when they were answered by another way'),
    ...whyField,
  })
  .meta({ id: 'PrivacyRequestAnswer' })

const position = z.tuple([sentTime, z.uuid()])
const one = { description: 'The request', schema: request }
const conflict = ['privacy_request_state_conflict', 'not_found'] as const

export function privacyRequestRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createPrivacyRequestClient(api)

  async function view(id: string, caller: Caller): Promise<z.input<typeof request>> {
    const row = orNotFound(await findPrivacyRequest(sql, id))
    const owner = (await ownersOfRequests(sql, [row])).get(id)
    if (caller.kind !== 'operator') {
      if (owner === undefined) throw new Problem('not_found')
      assertReaches(caller, owner)
    }
    const opened = orNotFound(await openPrivacyRequest(sql, api, row))
    return { ...summaryOf(row, owner, new Date()), ...opened }
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/privacy-requests',
      tag: 'privacy requests',
      summary: 'Make a privacy request, or enter one that came by mail',
      description:
        'The request is acknowledged by mail at once, and answered within 30 days. To delete all data at once, delete the account instead.',
      promises: ['G6'],
      callers: ['service', 'person', 'operator'],
      scope: 'erasure',
      reads: ['privacyRequests'],
      idempotencyKey: 'required',
      largeBody: 'texts',
      body: newRequest,
      responses: { 201: { ...one, headers: { Location: 'its address' } } },
      problems: ['account_missing', 'privacy_request_state_conflict'],
      async handle({ body, caller, idempotency }) {
        const now = new Date()
        const receivedAt = body.receivedAt === undefined ? now : new Date(body.receivedAt)
        const errors = faultsOf(body, receivedAt, caller, now)
        if (errors.length > 0) throw new Problem('invalid_request', { errors })
        const owner = body.accountId ?? (caller.kind === 'person' ? caller.accountId : null)
        if (owner !== null) assertReaches(caller, owner)
        const { kind, message, replyTo = null } = body
        const spends = caller.kind === 'operator' ? undefined : 'privacy_request'
        const { resourceId: id } = await idempotency.claim(owner, spends)
        const open = () => client.open({ id, accountId: owner, kind, message, replyTo, receivedAt })
        if (caller.kind !== 'operator') await open()
        else
          await recordRequestAct(
            api,
            caller,
            { id: entryIdOf(api, id), request: { id, owner, kind }, act: 'enter', reason: body.reason ?? null },
            open,
          )
        return { status: 201, headers: { Location: `/v1/privacy-requests/${id}` }, body: await view(id, caller) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/privacy-requests',
      tag: 'privacy requests',
      summary: 'List privacy requests, the first due first',
      promises: ['G6', 'G1'],
      callers: ['service', 'person', 'operator'],
      reads: ['privacyRequests'],
      query: z.strictObject({
        ...pageQuery,
        accountId: accountId.optional().describe('required from a service; a person sees their own requests'),
        state: z.enum(privacyRequestFilters).optional(),
      }),
      responses: {
        200: { description: 'A page', schema: pageOf(requestSummary).meta({ id: 'PrivacyRequestPage' }) },
      },
      async handle({ query, caller }) {
        const owner = query.accountId ?? (caller.kind === 'person' ? caller.accountId : undefined)
        if (owner !== undefined) assertReaches(caller, owner)
        else if (caller.kind === 'service') {
          throw new Problem('invalid_request', { errors: [{ field: 'accountId', reason: 'missing' }] })
        }
        const asOf = new Date()
        const found = await listPrivacyRequests(sql, {
          accountId: owner,
          filter: query.state,
          asOf,
          after: decodeCursor(query.cursor, position),
          limit: query.limit + 1,
        })
        const { rows, nextCursor } = cutPage(found, query.limit, (row) => [row.answer_by.toISOString(), row.id])
        const owners = await ownersOfRequests(sql, rows)
        return { status: 200, body: { items: rows.map((row) => summaryOf(row, owners.get(row.id), asOf)), nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/privacy-requests/{id}',
      tag: 'privacy requests',
      summary: 'One privacy request and its answer',
      promises: ['G6', 'G1'],
      callers: ['service', 'person', 'operator'],
      reads: ['privacyRequests'],
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      handle: async ({ params: { id }, caller }) => ({ status: 200, body: await view(id, caller) }),
    }),
    defineRoute({
      method: 'post',
      path: '/v1/privacy-requests/{id}/resolve',
      tag: 'privacy requests',
      summary: 'Answer a privacy request',
      description: 'The request counts as answered once the mail server has accepted the answer.',
      promises: ['G6'],
      callers: ['operator'],
      reads: ['privacyRequests'],
      idempotencyKey: 'required',
      params: idParams,
      largeBody: 'texts',
      body: newAnswer,
      responses: { 202: { ...one, description: 'The answer is being mailed' } },
      problems: conflict,
      async handle({ params: { id }, body, caller, idempotency }) {
        const answer = { kind: body.answerKind, text: body.answer }
        const { account_id: owner, kind } = orNotFound(await findPrivacyRequest(sql, id))
        // Every repetition has the same id: after an unknown outcome the answer may be accepted already.
        await actOnce(idempotency, owner, ({ requestId }) =>
          recordRequestAct(
            api,
            caller,
            { id: requestId, request: { id, owner, kind }, act: 'answer', reason: body.reason ?? answer.kind },
            () => client.resolve(id, answer, requestId),
          ),
        )
        return { status: 202, body: await view(id, caller) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/privacy-requests/{id}/extend',
      tag: 'privacy requests',
      summary: 'Extend the time for the answer once by two months, for a reason that is mailed to the person',
      promises: ['G6'],
      callers: ['operator'],
      reads: ['privacyRequests'],
      idempotencyKey: 'optional',
      params: idParams,
      body: z.strictObject({ reason: z.enum(extensionReasons), ...whyNote }).meta({ id: 'PrivacyRequestExtension' }),
      responses: { 200: one },
      problems: conflict,
      async handle({ params: { id }, body, caller, idempotency }) {
        const { account_id: owner, kind } = orNotFound(await findPrivacyRequest(sql, id))
        await actOnce(idempotency, owner, ({ requestId, updateId }) =>
          recordRequestAct(
            api,
            caller,
            { id: requestId, request: { id, owner, kind }, act: 'extend', reason: body.note ?? body.reason },
            () => client.extend(id, body.reason, updateId),
          ),
        )
        return { status: 200, body: await view(id, caller) }
      },
    }),
  ]
}

/** The request's own id is the person's, and their deletion finds it in what is kept. The same for each repetition. */
const entryIdOf = ({ cipher }: ApiContext, requestId: string): string =>
  v4({ random: cipher.fingerprint('entry-of-privacy-request', requestId).subarray(0, 16) })

/**
 * Does what an operator does to a privacy request, with an entry; it is on the page of the account, where the request
 * has one.
 * @param act.reason without one a word: the answer itself names people
 */
async function recordRequestAct(
  api: ApiContext,
  caller: Caller,
  act: {
    id: string
    request: { id: string; owner: string | null; kind: string }
    act: 'enter' | 'answer' | 'extend'
    reason: string | null
  },
  perform: () => Promise<unknown>,
): Promise<void> {
  const { request, ...entry } = act
  const { owner } = request
  // An entry about nobody's account outlives it, and names no request.
  const subject = owner === null ? request.kind : privacyReference(request.id)
  await recordOperatorAct(api, caller, { ...entry, accountId: owner, orderId: null, subject }, perform)
}

function faultsOf(body: z.output<typeof newRequest>, receivedAt: Date, caller: Caller, now: Date) {
  const faults: { field: string; reason: string }[] = []
  if (caller.kind !== 'operator') {
    for (const field of ['replyTo', 'receivedAt', 'reason'] as const) {
      if (body[field] !== undefined) faults.push({ field, reason: 'is for operators' })
    }
  }
  if (body.accountId === undefined && caller.kind === 'service') faults.push({ field: 'accountId', reason: 'missing' })
  if (body.accountId === undefined && caller.kind === 'operator' && body.replyTo === undefined) {
    faults.push({ field: 'replyTo', reason: 'missing: where to answer' })
  }
  const oldest = plusDays(now, -periods.privacyRequest.answerWithinDays)
  if (receivedAt > now || receivedAt < oldest) {
    faults.push({ field: 'receivedAt', reason: 'must be within the last 30 days' })
  }
  return faults
}

/** @param owner the account of its person; undefined while they have none */
function summaryOf(row: PrivacyRequestRow, owner: string | undefined, asOf: Date): z.input<typeof requestSummary> {
  return {
    id: row.id,
    reference: privacyReference(row.id),
    accountId: owner ?? null,
    kind: row.kind,
    state: row.state,
    late: row.late_at !== null || (row.state === 'open' && row.answer_by < asOf),
    receivedAt: isoOrNull(row.received_at),
    answerBy: isoOrNull(row.answer_by),
    extendedBecause: row.extended_because,
    acknowledgedAt: isoOrNull(row.acknowledged_at),
    escalatedAt: isoOrNull(row.escalated_at),
    answerKind: isTaken(row) ? row.answer_kind : null,
    answeredAt: isoOrNull(row.answered_at),
  }
}
