/**
 * Rows other than orders that say what their run does not know: the API wrote them before it notified the run, or the
 * run wrote them for an update that was lost with its workflow task (orders.ts). Each run is sent again what its row
 * says. docs/faults.md has all pairs.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { heartbeat } from '@temporalio/activity'
import type { QueryDefinition, UpdateDefinition } from '@temporalio/common'
import type { WorkerContext } from '../../context.ts'
import { listOpenBreaches } from '../../db/access/breaches.ts'
import {
  type DecidedChange,
  listAnswersAndExtensions,
  listBulkActionsSince,
  listCampaignsSince,
  listDecidedChanges,
  listOrdersWithReserved,
  listPoliciesWithdrawnSince,
} from '../../db/operation/out-of-step.ts'
import { deleteAnswer } from '../../db/privacy-requests.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failureType } from '../../shared/failures.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import { stageOf } from '../../temporal/run-stage.ts'
import { queryRun, sendUpdate } from '../../temporal/runs.ts'
import { type BreachState, breachState, breachWorkflowId, recorded } from '../../workflows/breach/breach.contract.ts'
import * as campaigns from '../../workflows/campaign.contract.ts'
import * as emailChanges from '../../workflows/email-change.contract.ts'
import * as bulk from '../../workflows/order/bulk-action.contract.ts'
import { policyNoticeState, policyNoticeWorkflowId, withdraw } from '../../workflows/policy-notice.contract.ts'
import {
  extend,
  privacyRequestState,
  privacyRequestWorkflowId,
  resolve,
} from '../../workflows/privacy-request.contract.ts'
import { decisionsOf } from '../breach.ts'
import { releaseAbandoned } from '../order/refunds/reserved-refunds.ts'

/** An update whose effect a row shows and its run does not. */
interface UnappliedUpdate {
  /** the same in each comparison of rows and runs */
  name: string
  repeat(): Promise<unknown>
}

/** A request that has written a row notifies its run in much less time. */
const graceMs = 10 * milliseconds.minute
/** The run of a row that has ended may stay open for this time. */
const endedSinceMs = 60 * milliseconds.day
/** A run that works on an update shows the state of its row a moment later. */
const showsWithinMs = 3_000
const answersWithinMs = 10_000

/** Rows beside orders whose run has another state than the row says. */
export function createOtherRows(context: WorkerContext) {
  const { sql, temporal, log } = context
  const signals = createOrderSignals(context)

  return {
    /**
     * Sends runs again what their rows say, where a second comparison finds the same. @returns how many updates were
     * lost
     */
    async repeatUpdates(at: Date): Promise<number> {
      const first = await findUnapplied(at)
      if (first.length === 0) return 0
      await pause(showsWithinMs)
      const names = new Set(first.map(({ name }) => name))
      const still = (await findUnapplied(at)).filter(({ name }) => names.has(name))
      for (const { name, repeat } of still) {
        heartbeat()
        // The run has the update by now, or its workers do not answer: the next comparison sends it again.
        await repeat().catch((error: unknown) => log.warn({ error, update: name }, 'an update could not be sent again'))
      }
      return still.length
    },
  }

  async function findUnapplied(at: Date): Promise<UnappliedUpdate[]> {
    const checks = [bulkActions, campaignsOf, policies, privacyRequests, changesOfAddress, breaches, reserved]
    const found: UnappliedUpdate[] = []
    for (const each of checks) found.push(...(await each(at)))
    return found
  }

  async function bulkActions(at: Date): Promise<UnappliedUpdate[]> {
    const updates = { running: bulk.resumeBulkAction, paused: bulk.pauseBulkAction, cancelled: bulk.cancelBulkAction }
    const rows = await listBulkActionsSince(sql, plusMs(at, -endedSinceMs))
    return toggled(rows, bulk.bulkActionWorkflowId, updates)
  }

  async function campaignsOf(at: Date): Promise<UnappliedUpdate[]> {
    const updates = { sending: campaigns.resume, paused: campaigns.pause, cancelled: campaigns.cancelCampaign }
    const rows = await listCampaignsSince(sql, plusMs(at, -endedSinceMs))
    return toggled(rows, campaigns.campaignWorkflowId, updates)
  }

  /** Finds rows that operators pause, resume and cancel. Their runs show the same words as the rows. */
  async function toggled(
    rows: { id: string; state: string }[],
    workflowIdOf: (id: string) => string,
    updates: { [state: string]: UpdateDefinition<void> },
  ): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const { id, state } of rows) {
      heartbeat()
      const update = updates[state]
      const stage = update && (await stageOf(temporal, workflowIdOf(id)))
      if (update && stage && stage !== state && stage in updates)
        found.push({
          name: `${workflowIdOf(id)} ${update.name}`,
          repeat: () => repeatUpdate(workflowIdOf(id), update, []),
        })
    }
    return found
  }

  async function policies(at: Date): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const version of await listPoliciesWithdrawnSince(sql, plusMs(at, -endedSinceMs))) {
      const id = policyNoticeWorkflowId(version)
      const state = await ask(id, policyNoticeState)
      // Between two pages of mails the run reads the row by itself.
      const isBehind = state && (state.mailing ? state.mailing.notice !== 'withdrawn' : state.status === 'waiting')
      if (isBehind) found.push({ name: `${id} withdraw`, repeat: () => repeatUpdate(id, withdraw, []) })
    }
    return found
  }

  async function privacyRequests(at: Date): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const row of await listAnswersAndExtensions(sql, plusMs(at, -graceMs))) {
      const id = privacyRequestWorkflowId(row.id)
      const state = await ask(id, privacyRequestState)
      if (state?.status !== 'open' && state?.status !== 'late') continue
      const { answer_id: answerId, answer_kind: answerKind, by_mail: byMail, extended_because: reason } = row
      if (answerId !== null && answerKind !== null) {
        const answer = { answerKind, byMail, answerId }
        const name = `${id} resolve ${answerId}`
        found.push({
          name,
          repeat: () => repeatUpdate(id, resolve, [answer]).catch((error) => deleteRefused(row.id, answerId, error)),
        })
      } else if (reason !== null && !state.extended)
        found.push({ name: `${id} extend`, repeat: () => repeatUpdate(id, extend, [{ reason }]) })
    }
    return found
  }

  /** Deletes an answer that the run has refused, as the API does: another answer could not be stored beside it. */
  async function deleteRefused(requestId: string, answerId: string, error: unknown): Promise<void> {
    if (failureType(error) !== 'PrivacyRequestStateConflict') throw error
    await deleteAnswer(sql, requestId, answerId)
  }

  async function changesOfAddress(): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const row of await listDecidedChanges(sql)) {
      const id = emailChanges.emailChangeWorkflowId(row.id)
      const state = await ask(id, emailChanges.emailChangeState)
      if (state?.status === 'open') found.push(...decisionsLeft(id, row, state.confirmed))
    }
    return found
  }

  function decisionsLeft(
    id: string,
    row: DecidedChange,
    known: emailChanges.EmailChangeState['confirmed'],
  ): UnappliedUpdate[] {
    const { state, old_confirmed_at: oldAt, new_confirmed_at: newAt, old_waived_by: by } = row
    if (state === 'cancelled' || state === 'replaced')
      return [
        { name: `${id} ${state}`, repeat: () => repeatUpdate(id, emailChanges.cancelEmailChange, [{ status: state }]) },
      ]
    const left: UnappliedUpdate[] = []
    if (oldAt !== null && !known.old) {
      const waive = () => repeatUpdate(id, emailChanges.waiveOldEmail, [{ by: by ?? '' }])
      const confirm = () => repeatUpdate(id, emailChanges.confirmEmail, [{ side: 'old' as const }])
      left.push({ name: `${id} old`, repeat: by === null ? confirm : waive })
    }
    if (newAt !== null && !known.new)
      left.push({
        name: `${id} new`,
        repeat: () => repeatUpdate(id, emailChanges.confirmEmail, [{ side: 'new' as const }]),
      })
    return left
  }

  async function breaches(): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const breach of await listOpenBreaches(sql)) {
      const id = breachWorkflowId(breach.id)
      const state = await ask(id, breachState)
      if (state && hasMissed(state, decisionsOf(breach)))
        found.push({ name: `${id} recorded`, repeat: () => repeatUpdate(id, recorded, []) })
    }
    return found
  }

  /**
   * U2, paid means delivered or refunded: finds amounts that a partial refund has reserved and whose run was
   * terminated. Stripe says what was refunded all the same.
   */
  async function reserved(at: Date): Promise<UnappliedUpdate[]> {
    const found: UnappliedUpdate[] = []
    for (const orderId of await listOrdersWithReserved(sql, plusMs(at, -graceMs)))
      found.push({
        name: `${orderId} reserved`,
        repeat: async () => {
          if ((await releaseAbandoned(context, orderId, at)) === 'none') await signals.payment(orderId)
        },
      })
    return found
  }

  /** Asks an open run by a query. @returns undefined when the run is not open, or does not answer */
  async function ask<State>(workflowId: string, query: QueryDefinition<State>): Promise<State | undefined> {
    heartbeat()
    if ((await stageOf(temporal, workflowId)) === undefined) return undefined
    return queryRun(temporal, workflowId, query, Date.now() + answersWithinMs).catch((error: unknown) => {
      log.warn({ error, workflowId }, 'a run does not say where it is')
      return undefined
    })
  }

  /** Sends an update under a new id each time: Temporal would answer a repeated id as it answered the first. */
  async function repeatUpdate<Args extends unknown[]>(
    workflowId: string,
    update: UpdateDefinition<unknown, Args>,
    args: Args,
  ): Promise<void> {
    const limits = { deadline: Date.now() + answersWithinMs, updateId: `again-${randomUUID()}` }
    await sendUpdate(temporal, workflowId, update, args, limits)
  }
}

const hasMissed = (known: BreachState, decided: ReturnType<typeof decisionsOf>): boolean =>
  known.authoritySettled !== decided.authoritySettled || known.people !== decided.people
