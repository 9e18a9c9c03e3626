/** The operators' console: operator tasks, held orders and privacy requests. An operator key opens a session for a day. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { verifyApiKey } from '../../../db/api-keys.ts'
import { listOutages } from '../../../db/operation/outside-parties.ts'
import {
  closeOperatorTask,
  countOpenOperatorTasks,
  listOpenOperatorTasks,
  noteOperatorTask,
  positionOf,
  takeOperatorTask,
} from '../../../db/operator-tasks.ts'
import { listOrdersInReview } from '../../../db/order/orders.ts'
import {
  countOpenPrivacyRequests,
  findPrivacyRequest,
  listPrivacyRequests,
  openPrivacyRequest,
} from '../../../db/privacy-requests.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { closeSession } from '../../../db/web-sessions.ts'
import { figures } from '../../../policy/figures.ts'
import { periods } from '../../../policy/periods.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { promises } from '../../../policy/promises.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { approve, reject } from '../../../workflows/order/order.contract.ts'
import { answerKinds } from '../../../workflows/privacy-request.contract.ts'
import type { EvidenceReader } from '../../evidence/evidence.ts'
import { actorOf, type ConsoleUser } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import type { Limiter } from '../../http/limits.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderConsole, renderConsoleSignIn, renderRequest } from '../../pages/console.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderPromises } from '../../pages/promises.tsx'
import { listOpenRuns } from '../../runs/open-runs.ts'
import { createOrderClient } from '../../runs/order-client.ts'
import { createPrivacyRequestClient } from '../../runs/privacy-request-client.ts'
import { listWedgedRuns } from '../../runs/wedged-runs.ts'
import { endedCookie, secretIn } from '../../sign-in/session-cookie.ts'
import { createWebSignIn } from '../../sign-in/web-sign-in.ts'
import { taskNote, taskPosition } from '../operator/operator-tasks.ts'

const page = { description: 'A page', contentType: 'text/html' } as const
const done = { 303: { description: 'Done; the answer is on another page' }, 200: page } as const
const headers = layoutHeaders({ forms: true })
const back = { status: 303, headers: { Location: '/console' } } as const
const params = z.strictObject({ id: sentId })
const nothing = z.strictObject({})
const shown = 50
const answerWithinMs = 3_000

export function consoleRoutes(api: ApiContext, evidence: EvidenceReader, limiter: Limiter): Route[] {
  const { sql, config } = api
  const { SUPPORT_MAIL: supportMail, PUBLIC_URL: publicUrl } = config
  const signIn = createWebSignIn(api)
  const orders = createOrderClient(api)
  const requests = createPrivacyRequestClient(api)

  const decide = (name: string, definition: typeof approve): Route =>
    defineRoute({
      method: 'post',
      path: `/console/orders/{id}/${name}`,
      tag: 'console',
      summary: name === 'approve' ? 'Approves a held order' : 'Rejects and refunds a held order',
      promises: ['U5'],
      callers: ['console'],
      form: true,
      params,
      body: nothing,
      responses: done,
      problems: ['not_found', 'order_state_conflict', 'request_in_progress'],
      async handle({ params: { id } }) {
        await orders.update(id, definition, [])
        return back
      },
    })

  const onTask = <Body extends z.ZodType>(
    name: string,
    summary: string,
    body: Body,
    act: (id: string, body: z.output<Body>, by: string) => Promise<boolean>,
  ): Route =>
    defineRoute({
      method: 'post',
      path: `/console/attention/{id}/${name}`,
      tag: 'console',
      summary,
      callers: ['console'],
      form: true,
      params,
      body,
      responses: done,
      problems: ['not_found'],
      async handle({ params: { id }, body, caller }) {
        if (!(await act(id, body as z.output<Body>, actorOf(caller)))) throw new Problem('not_found')
        return back
      },
    })

  return [
    defineRoute({
      method: 'get',
      path: '/console',
      tag: 'console',
      summary: 'The open operator tasks; without a session the page to sign in',
      callers: ['public', 'console'],
      reads: ['orders', 'privacyRequests'],
      query: z.strictObject({ tasks: z.string().max(500).optional().describe('the page of tasks to show') }),
      responses: { 200: page },
      async handle({ caller, query }) {
        if (caller.kind !== 'console') return { status: 200, headers, raw: renderConsoleSignIn(supportMail) }
        return { status: 200, headers, ...(await overview(caller, query.tasks)) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/sign-in',
      tag: 'console',
      summary: 'Signs an operator in by their key',
      promises: ['R4'],
      callers: ['public'],
      form: true,
      body: z.strictObject({ key: z.string().max(200) }),
      responses: done,
      async handle({ body, ip, requestId }) {
        const key = await verifyApiKey(sql, body.key.trim())
        if (!('refused' in key) && key.kind === 'operator') {
          const cookie = await signIn.openConsole(key.id, { ip, requestId })
          return { status: 303, headers: { Location: '/console', 'Set-Cookie': cookie } }
        }
        await limiter.assertMayFail(ip)
        await limiter.countFailure(ip)
        const reason = 'refused' in key ? `key_${key.refused}` : 'key_of_another_kind'
        api.metrics.authenticationFailures.inc({ reason })
        const event = { kind: 'authentication_failed', actor: 'anonymous', detail: reason, ip, requestId } as const
        await recordSecurityEvent(sql, api, { ...event, at: new Date() })
        throw new Problem('unauthenticated')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/sign-out',
      tag: 'console',
      summary: 'Ends the session',
      callers: ['console'],
      form: true,
      body: nothing,
      responses: done,
      async handle({ header }) {
        const secret = secretIn(header('cookie'), 'console', publicUrl)
        if (secret) await closeSession(sql, secret)
        return { status: 303, headers: { Location: '/console', 'Set-Cookie': endedCookie('console', publicUrl) } }
      },
    }),
    decide('approve', approve),
    decide('reject', reject),
    onTask('take', 'Takes an operator task', nothing, (id, _body, by) =>
      takeOperatorTask(sql, { id, by, at: new Date() }),
    ),
    onTask('note', 'Notes what is known of an operator task', z.strictObject({ note: taskNote }), (id, { note }) =>
      noteOperatorTask(sql, { id, note }),
    ),
    onTask('settle', 'Settles an operator task', nothing, (id, _body, by) =>
      closeOperatorTask(sql, { id, by, at: new Date() }),
    ),
    defineRoute({
      method: 'get',
      path: '/console/privacy-requests/{id}',
      tag: 'console',
      summary: 'A privacy request, and the form to answer it',
      promises: ['G6'],
      callers: ['console'],
      reads: ['privacyRequests'],
      params,
      responses: { 200: page },
      problems: ['not_found'],
      async handle({ params: { id }, caller }) {
        const row = await findPrivacyRequest(sql, id)
        const opened = row && (await openPrivacyRequest(sql, api, row))
        if (!row || !opened) throw new Problem('not_found')
        const request = {
          id,
          reference: privacyReference(id),
          kind: row.kind,
          state: row.state,
          accountId: row.account_id,
          receivedAt: row.received_at,
          answerBy: row.answer_by,
          answerKind: row.answer_kind,
          ...opened,
        }
        const about = row.account_id === null ? [] : [row.account_id]
        return { status: 200, headers, about, raw: renderRequest({ supportMail, csrf: caller.csrf, request }) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/privacy-requests/{id}/resolve',
      tag: 'console',
      summary: 'Answers a privacy request',
      promises: ['G6'],
      callers: ['console'],
      form: true,
      params,
      body: z.strictObject({ answerKind: z.enum(answerKinds), answer: z.string().trim().max(20_000) }),
      responses: done,
      problems: ['not_found', 'privacy_request_state_conflict', 'request_in_progress'],
      async handle({ params: { id }, body }) {
        await requests.resolve(id, { kind: body.answerKind, text: body.answer || null }, randomUUID())
        return back
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/promises',
      tag: 'console',
      summary: 'Every promise, with the figures that show whether it is kept',
      callers: ['console'],
      responses: { 200: page },
      handle: async () => ({ status: 200, headers, raw: await promisesPage() }),
    }),
  ]

  async function overview(
    { csrf, label }: ConsoleUser,
    cursor: string | undefined,
  ): Promise<{ raw: string; about: string[] }> {
    const asOf = new Date()
    const after = decodeCursor(cursor, taskPosition)
    const [found, taskCount, inReview, open, openCount, outages, wedged, read, runs] = await Promise.all([
      listOpenOperatorTasks(sql, { limit: shown + 1, after, asOf }),
      countOpenOperatorTasks(sql),
      listOrdersInReview(sql, shown),
      listPrivacyRequests(sql, { accountId: undefined, filter: 'open', asOf, after: undefined, limit: shown }),
      countOpenPrivacyRequests(sql),
      listOutages(sql),
      listWedgedRuns(api.temporal, { limit: shown, answerWithinMs }).catch(() => undefined),
      evidence.latest(),
      listOpenRuns(api, { asOf, limit: shown }),
    ])
    const { rows: tasks, nextCursor } = cutPage(found, shown, positionOf)
    const idsOf = (status: string) => read.promises.filter((each) => each.status === status).map(({ id }) => id)
    const raw = renderConsole({
      supportMail,
      csrf,
      label,
      uiUrl: config.TEMPORAL_UI_URL,
      namespace: api.temporal.options.namespace,
      runs,
      asOf,
      outages,
      wedged,
      tasks: { count: taskCount, next: nextCursor, items: tasks },
      reviewCount: inReview.count,
      reviews: inReview.orders.map((order) => ({
        id: order.id,
        packageName: order.package_name,
        minor: order.gross_minor,
        currency: order.currency,
        reason: order.reason,
        dueAt: order.paid_at && plusMs(order.paid_at, periods.order.reviewWindowMs),
      })),
      requestCount: openCount,
      requests: open.map((row) => ({
        id: row.id,
        reference: privacyReference(row.id),
        kind: row.kind,
        answerBy: row.answer_by,
        late: row.late_at !== null || row.answer_by < asOf,
      })),
      promises: { kept: idsOf('kept').length, broken: idsOf('broken'), unknown: idsOf('unknown') },
    })
    return { raw, about: [...inReview.orders, ...open].flatMap(({ account_id }) => account_id ?? []) }
  }

  async function promisesPage(): Promise<string> {
    const read = await evidence.latest()
    return renderPromises({
      supportMail,
      readAt: read.readAt,
      promises: read.promises.map(({ id, status, figures: its }) => {
        const { sentence, keptBy, provenBy } = promises[id]
        return {
          id,
          sentence,
          status,
          keptBy,
          provenBy: provenBy.file,
          figures: its.map(({ name, value, detail, status }) => {
            const { meaning, unit } = figures[name]
            return { meaning, unit, value, detail: detail ?? null, status }
          }),
        }
      }),
    })
  }
}
