/** The console's first page: what needs an operator, the most urgent first, and what the service is doing. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountsNamedIn } from '../../../db/access/named-accounts.ts'
import { listOutages } from '../../../db/operation/outside-parties.ts'
import { operatorNames } from '../../../db/operator/operator-names.ts'
import { countWaitingOrders } from '../../../db/operator/order-queue.ts'
import { readServiceState } from '../../../db/operator/service-state.ts'
import { accountsOf, ownersOfTasks } from '../../../db/operator/task-owners.ts'
import { countOpenOperatorTasks, listOpenOperatorTasks, positionOf } from '../../../db/operator-tasks.ts'
import { listOrdersInReview } from '../../../db/order/orders.ts'
import { countPrivacyRequests, listPrivacyRequests, ownersOfRequests } from '../../../db/privacy-requests.ts'
import { isPermitted } from '../../../policy/operators/operator-roles.ts'
import { periods } from '../../../policy/periods.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { limitOf } from '../../../workflows/order/order-states.ts'
import type { EvidenceReader } from '../../evidence/evidence.ts'
import { viewEvidence } from '../../evidence/evidence-view.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { renderConsole } from '../../pages/console/home.tsx'
import { renderConsoleSignIn } from '../../pages/console/sign-in/sign-in.tsx'
import { renderPromises } from '../../pages/promises.tsx'
import { listConsoleRuns } from '../../runs/console-runs.ts'
import { listWedgedRuns } from '../../runs/wedged-runs.ts'
import { taskPosition } from '../operator/operator-tasks.ts'
import { frameOf, headers, waysToSignIn } from './console-route.ts'
import { listedRequest } from './privacy-requests.ts'

const shown = 50
const answerWithinMs = 3_000

export function consoleHomeRoutes(api: ApiContext, evidence: EvidenceReader): Route[] {
  const { sql, config } = api
  const signInPage = renderConsoleSignIn(config.SUPPORT_MAIL, waysToSignIn(api))
  return [
    defineRoute({
      method: 'get',
      path: '/console',
      tag: 'console',
      summary: 'The open operator tasks; without a session the page to sign in',
      callers: ['public', 'console'],
      permission: 'look',
      reads: ['orders', 'privacyRequests'],
      query: z.strictObject({ tasks: z.string().max(500).optional().describe('the page of tasks to show') }),
      responses: { 200: html },
      async handle({ caller, query }) {
        if (caller.kind !== 'console') return { status: 200, headers, raw: signInPage }
        return { status: 200, headers, ...(await overview(caller, query.tasks)) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/console/promises',
      tag: 'console',
      summary: 'Every promise, with the figures that show whether it is kept',
      callers: ['console'],
      permission: 'look',
      responses: { 200: html },
      handle: async ({ caller }) => ({
        status: 200,
        headers,
        raw: renderPromises(frameOf(api, caller), viewEvidence(await evidence.latest())),
      }),
    }),
  ]

  async function overview(caller: ConsoleUser, cursor: string | undefined): Promise<{ raw: string; about: string[] }> {
    const asOf = new Date()
    const after = decodeCursor(cursor, taskPosition)
    const [found, taskCount, inReview, open, openCount, outages, wedged, read, runs, orderCounts, state, operators] =
      await Promise.all([
        listOpenOperatorTasks(sql, { limit: shown + 1, after, asOf }),
        countOpenOperatorTasks(sql),
        listOrdersInReview(sql, shown),
        listPrivacyRequests(sql, { accountId: undefined, filter: 'open', asOf, after: undefined, limit: shown }),
        countPrivacyRequests(sql, { filter: 'open', asOf }),
        listOutages(sql),
        listWedgedRuns(api.temporal, { limit: shown, answerWithinMs }).catch(() => undefined),
        evidence.latest(),
        listConsoleRuns(api, { asOf, limit: shown }),
        countWaitingOrders(sql),
        readServiceState(sql, asOf),
        operatorNames(sql),
      ])
    const { rows: tasks, nextCursor } = cutPage(found, shown, positionOf)
    const listed = [...(runs ?? []), ...(wedged ?? [])].map(({ workflowId }) => workflowId)
    const [owners, ofRuns, ofRequests] = await Promise.all([
      ownersOfTasks(sql, tasks),
      accountsNamedIn(sql, listed.join('\n')),
      ownersOfRequests(sql, open),
    ])
    const { kept, broken, unknown } = viewEvidence(read)
    const raw = renderConsole(frameOf(api, caller), {
      orderCounts,
      state,
      backupIsLate: !state.backups?.newest_at || state.backups.newest_at < plusMs(asOf, -periods.backups.nextWithinMs),
      operators,
      runs,
      asOf,
      outages,
      wedged,
      tasks: { count: taskCount, next: nextCursor, items: tasks, owners },
      reviewCount: inReview.count,
      reviews: inReview.orders.map((order) => ({
        id: order.id,
        packageName: order.package_name,
        minor: order.gross_minor,
        currency: order.currency,
        reason: order.reason,
        dueAt: order.paid_at && limitOf('in_review', order.paid_at),
      })),
      requestCount: openCount,
      requests: open.map((row) => listedRequest(row, asOf)),
      promises: { kept, broken, unknown },
      endsSteps: isPermitted(caller.role, 'privacy'),
    })
    return {
      raw,
      about: [
        ...inReview.orders.map((row) => row.account_id),
        ...ofRequests.values(),
        ...accountsOf(owners),
        ...ofRuns,
      ],
    }
  }
}
