/** Lets the time of runs pass: until an order has a state, and until all that was begun has ended. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Duration } from '@temporalio/common'
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js'
import pMap from 'p-map'
import { z } from 'zod'
import { failureCode, failureType } from '../../../shared/failures.ts'
import { isNotFound } from '../../../temporal/grpc-status.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { accountDeletionWorkflowId } from '../../../workflows/account-deletion.contract.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { privacyRequestWorkflowId } from '../../../workflows/privacy-request.contract.ts'
import { isWaiting } from '../../harness/temporal/is-waiting.ts'
import type { Order, Person } from '../oracles/record.ts'
import { Stuck, untilAnswered } from './caller.ts'
import type { WorldStack } from './stack/stack.ts'
import { createOrderWatch } from './watch.ts'
import type { Witness } from './witness.ts'

const withSteps = z.object({ processors: z.array(z.object({ processor: z.string(), state: z.string() })) })

/** Hundreds of people share two cores: an act that takes this long is stuck, and not slow. */
export const stuckAfterMs = 600_000
/** An order that has not changed for so long waits for time to pass. */
const idleMs = 3_000
const lookEveryMs = 1_000
const claimsLapseMs = 25_000
const together = { concurrency: 24 }
export const ended = ['delivered', 'refunded', 'ended', 'cancelled', 'unpaid', 'refund_failed']

interface SettlingOptions {
  stack: WorldStack
  witness: Witness
  /** people by their accounts */
  owners: ReadonlyMap<string, Person>
  /** false while a part is being disturbed: time that passes then would be an outage of hours */
  isCalm(): boolean
}

export function createSettling({ stack, witness, owners, isCalm }: SettlingOptions) {
  const { temporal } = stack
  const { sql, cipher } = stack.context
  const watch = createOrderWatch(sql)
  /** whose time has not been settled */
  const unsettled = { orders: new Set<Order>(), deletions: new Set<Person>(), requests: new Map<string, boolean>() }

  /** no attempt dies any more once a round is settled */
  let claimsLapseAt = 0

  async function forward(workflowId: string, duration: Duration): Promise<Date | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await fastForward(temporal, workflowId, duration)).now
      } catch (error) {
        if (isNotFound(error)) return undefined
        if (attempt === 5) throw error
        await pause(1_000)
      }
    }
  }

  /** Waits for a state of an order, and lets time pass when nothing happens. */
  async function reach(order: Order, wanted: readonly string[]): Promise<Order> {
    const deadline = Date.now() + stuckAfterMs
    let changedAt = Date.now()
    for (let last = ''; ; ) {
      await witness.look(order)
      if (wanted.includes(order.status)) return order
      if (order.status !== last || !isCalm() || !(await isWaiting(temporal, orderWorkflowId(order.orderId))))
        changedAt = Date.now()
      last = order.status
      if (Date.now() > deadline) throw new Stuck(`${order.name} is ${order.status}, not ${wanted.join(' or ')}`)
      if (Date.now() - changedAt > idleMs) {
        // Airalo's settling time is real time.
        await sql`update provider_orders set last_asked_at = last_asked_at - interval '2 minutes'
          where order_id = ${order.orderId} and provider = 'airalo' and state = 'placing'`.catch(() => [])
        await forward(orderWorkflowId(order.orderId), '5 minutes')
        changedAt = Date.now()
      }
      await watch.change(order, lookEveryMs)
    }
  }

  async function settleOrder(order: Order): Promise<void> {
    const person = owners.get(order.accountId)
    if (person?.deletion || person?.inactive || order.status === 'ended') return
    await reach(order, ended)
    await untilLapsed(() => hasWork(order))
    for (let days = 0; days < 7 && (await hasWork(order)); days += 1)
      await forward(orderWorkflowId(order.orderId), days === 0 ? '4 hours' : '1 day')
  }

  /** Whether a run still does something, such as a mail that has failed; following an eSIM for a year is none. */
  async function hasWork({ orderId }: Order): Promise<boolean> {
    const description = await temporal.workflow
      .getHandle(orderWorkflowId(orderId))
      .describe()
      .catch(() => undefined)
    const { pendingActivities, pendingWorkflowTask } = description?.raw ?? {}
    return (
      Boolean(pendingWorkflowTask) || (pendingActivities ?? []).some((each) => each.activityType?.name !== 'watchEsims')
    )
  }

  /**
   * The names of a deletion's steps that have a state. It is asked with a key: all people of a world have one address,
   * and one address without a key is answered 120 times a minute.
   */
  async function stepsOf(receiptId: string): Promise<(state: string) => string[]> {
    const answer = await untilAnswered(stack.service, 'GET', `/v1/deletions/${receiptId}`)
    const { processors } = withSteps.parse(answer.body)
    return (state) => processors.filter((each) => each.state === state).map(({ processor }) => processor)
  }

  /**
   * Waits as long as a dead attempt keeps others from sending a message (db/sends.ts), which is real time: days that
   * are skipped meanwhile would be days of an outage, after which the message is given up.
   */
  async function untilLapsed(isUnderWay: () => Promise<boolean>): Promise<void> {
    while (Date.now() < claimsLapseAt && (await isUnderWay())) await pause(lookEveryMs)
  }

  async function settleDeletion(person: Person, onProgress: (line: string) => void): Promise<void> {
    const { deletion } = person
    if (!deletion && !person.inactive) return
    if (deletion) await untilLapsed(async () => (await stepsOf(deletion.receiptId))('pending').includes('mail'))
    const workflowId = accountDeletionWorkflowId(cipher.accountRef(person.accountId))
    const now = await forward(workflowId, '4 days')
    // The skipped time may not wait for an attempt that no worker has taken yet.
    for (
      const deadline = Date.now() + stuckAfterMs;
      now && Date.now() < deadline && !(await isWaiting(temporal, workflowId));
    )
      await pause(lookEveryMs)
    if (!deletion) return
    const later = ['backups', 'stripe_redaction']
    const stepsThatAre = await stepsOf(deletion.receiptId)
    deletion.pending = stepsThatAre('pending').filter((step) => !later.includes(step))
    // Rows of runs that are gone may stay in Temporal's list, and are an operator's (decision 0610).
    deletion.left = stepsThatAre('needs_operator').filter((step) => step !== 'temporal')
    if (deletion.pending.length === 0) return
    const { raw } = await temporal.workflow.getHandle(workflowId).describe()
    for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? []) {
      const error = await decodeOptionalFailureToOptionalError(temporal.options.loadedDataConverter, lastFailure)
      const why = failureCode(error) ?? failureType(error) ?? error?.message ?? 'nothing'
      onProgress(`  ${person.name}: ${activityType?.name}, attempt ${attempt}, the one before: ${why}`)
    }
  }

  /**
   * Lets enough time pass for everything that was begun to end: as long as an order's run works, four days for a
   * deletion.
   */
  async function settle(onProgress: (line: string) => void): Promise<void> {
    claimsLapseAt = Date.now() + claimsLapseMs
    const timed = async <Item>(what: string, items: Iterable<Item>, one: (item: Item) => Promise<unknown>) => {
      const from = Date.now()
      await pMap(items, one, together)
      const took = Math.round((Date.now() - from) / 1_000)
      if (took > 0) onProgress(`  ${what} settled in ${took} s`)
    }
    await timed('orders', unsettled.orders, settleOrder)
    await timed('deletions', unsettled.deletions, (person) => settleDeletion(person, onProgress))
    await timed('privacy requests', unsettled.requests, ([id, isDue]) =>
      forward(privacyRequestWorkflowId(id), isDue ? '28 days' : '1 day'),
    )
    unsettled.orders.clear()
    unsettled.deletions.clear()
    unsettled.requests.clear()
  }

  return { unsettled, forward, reach, settle }
}
