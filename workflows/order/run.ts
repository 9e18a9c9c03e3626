/**
 * The common parts of one order's run: its state, the requests of signals and updates, and its messages to the
 * customer.
 */
import {
  ActivityFailure,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
} from '@temporalio/workflow'
import { failureCode } from '../../shared/failures.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { objectOf, shortText } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import {
  type DeliveryMessage,
  firstState,
  type OrderActivities,
  type OrderInput,
  type OrderMail,
  type OrderPush,
  type OrderState,
  type OrderStatus,
} from './order.contract.ts'
import { limitOf, orderStates } from './order-states.ts'

export const localFirst = proxyLocalFirst<OrderActivities>()
export const charge = proxyActivities<OrderActivities>(retry.money)
const stage = proxyActivities<OrderActivities>(retry.beforeTheBankDecides)
const notifyNow = proxyLocalActivities<OrderActivities>(retry.localOnce)
const notify = proxyActivities<OrderActivities>(retry.message)

export type OrderRun = ReturnType<typeof startRun>

/** The state of a run at its start, which its steps change. */
export function startRun(input: OrderInput) {
  const { orderId } = input
  const startedAt = now()
  const paymentDueAt = limitOf('awaiting_payment', startedAt)
  const state: OrderState = { ...firstState, dueAt: paymentDueAt.toISOString() }
  const announcements: Promise<void>[] = []
  const earlyDisputes = new Set<string>()
  showStatusDetails({ ...state, dueAt: paymentDueAt })

  return {
    input,
    orderId,
    startedAt,
    paymentDueAt,
    state,
    /** set by signals, cleared by the code that asks the outside party */
    hints: { payment: false, provider: false },
    /** set by updates and by a cancellation of the run */
    requested: {
      cancel: false,
      approve: false,
      reject: false,
      /** eSIMs are being returned; the outcome is not known yet */
      returning: false,
      /** eSIMs may have been returned although the answer said otherwise */
      returnTried: false,
      /** the provider has not been asked since whether they were */
      returnUnsure: false,
      returned: false,
      retryRefund: false,
      /** a dispute has ended: a refund that it has stopped can be made, or the bank has paid the customer */
      disputeOver: false,
      /** the card's issuer has warned of fraud, and the payment is to be refunded */
      suspect: false,
      /** the payment was given back before the delivery */
      paidBack: false,
      /** the eSIMs are returned because the customer has withdrawn from the contract */
      withdrawn: false,
    },
    progress: { delivered: false },
    fraudWarning: { hinted: false, looking: false },
    paidBack: { hinted: false, looking: false },
    checkout: { done: false, fault: undefined as Error | undefined },
    /** once provisioning has begun: stops it */
    stopProvisioning: undefined as (() => void) | undefined,

    /** @param dueAt missing: the table's limit of the state, which begins now */
    moveTo(
      status: OrderStatus,
      dueAt: Date | null = orderStates[status].until === null ? null : limitOf(status, now()),
      waitingFor = orderStates[status].waitsFor,
    ): void {
      Object.assign(state, { status, waitingFor, dueAt: dueAt?.toISOString() ?? null })
      showStatus({ status, waitingFor, dueAt })
    },

    /**
     * U3, confirmations and package updates are sent once: mail and push, each attempted at once, then retried by a
     * regular activity. Only the end of the run waits for them.
     */
    announce(mail: OrderPush, sent?: readonly DeliveryMessage[]): void {
      announcements.push(...sendMessages(orderId, mail, sent))
    },
    /**
     * P3, ad measurement gets a purchase and its value: best effort, which never delays or fails an order, and is given
     * up when the event would be too old.
     */
    measurePurchase(sent?: readonly DeliveryMessage[]): void {
      if (sent?.includes('purchase')) return
      const at = clock()
      announcements.push(
        unlessGivenUp(attemptOnceThenRetry(sent !== undefined, (by) => by.measurePurchase({ orderId, ...at }))),
      )
    },
    /** @param early there is nothing yet that could be suspended */
    async noteDispute(disputeId: string, early: boolean): Promise<void> {
      if (early) earlyDisputes.add(disputeId)
      if (await noteDispute(orderId, disputeId)) this.requested.disputeOver = true
    },
    noteEarlyDisputes(): void {
      for (const disputeId of earlyDisputes) announcements.push(noteDispute(orderId, disputeId).then(() => undefined))
    },
    /** The end of the run waits for this work, and nothing else. */
    doAside(work: Promise<void>): void {
      announcements.push(work)
    },
    async announced(): Promise<void> {
      await Promise.all(announcements)
    },
  }
}

/**
 * U3, confirmations and package updates are sent once: starts the mail and the push of an order; each is attempted at
 * once, then retried by a regular activity.
 * @param sent messages that need no other attempt; if given, each message was tried once already
 */
export function sendMessages(orderId: string, mail: OrderPush, sent?: readonly DeliveryMessage[]): Promise<void>[] {
  const at = clock()
  const isTried = sent !== undefined
  return [
    ...(sent?.includes('mail') ? [] : [sendMail(orderId, mail, at, isTried)]),
    // A push that a phone cannot get within the retries is out of date; the app shows the state itself.
    ...(sent?.includes('push')
      ? []
      : [unlessGivenUp(attemptOnceThenRetry(isTried, (by) => by.sendOrderPush({ orderId, push: mail, ...at })))]),
  ]
}

async function sendMail(orderId: string, mail: OrderMail, at: { asOf: string }, isTried: boolean): Promise<void> {
  try {
    await attemptOnceThenRetry(isTried, (by) => by.sendOrderMail({ orderId, mail, ...at }))
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'mail_undelivered', ...clock(), ...codeOf(error) })
  }
}

/** One attempt at once, as a local activity, unless one was made already; then those of a regular activity. */
const attemptOnceThenRetry = (isTried: boolean, attempt: (by: typeof notify) => Promise<void>): Promise<void> =>
  isTried ? attempt(notify) : attempt(notifyNow).catch(() => attempt(notify))

/** The input of the signal `dispute`. */
export const disputeNotice = objectOf<{ disputeId: string }>({ disputeId: shortText })

/**
 * An operator records a dispute that this activity cannot record. The run goes on, as it has other promises to keep.
 * @returns whether the dispute is over
 */
export async function noteDispute(orderId: string, disputeId: string): Promise<boolean> {
  let recorded: Awaited<ReturnType<OrderActivities['recordDispute']>>
  try {
    recorded = await charge.recordDispute({ orderId, disputeId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'dispute_unrecorded', ...clock(), ...codeOf(error) })
  }
  if (recorded?.needsEvidence && patched('dispute-evidence')) await stageEvidence(orderId, disputeId)
  return recorded?.isOver === true
}

async function stageEvidence(orderId: string, disputeId: string): Promise<void> {
  try {
    await stage.stageDisputeEvidence({ orderId, disputeId, ...clock() })
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await localFirst.raiseAttention({ orderId, kind: 'dispute_evidence_unstaged', ...clock(), ...codeOf(error) })
  }
}

/** The code of an activity's failure, for the input of another activity. */
export const codeOf = (error: unknown): { code?: string } => {
  const code = failureCode(error)
  return code === undefined ? {} : { code }
}

/** True when an activity's total time was up, whether or not an attempt was running. */
export function ranOutOfTime(error: unknown): boolean {
  return error instanceof ActivityFailure && (error.cause instanceof TimeoutFailure || error.retryState === 'TIMEOUT')
}

/** For best-effort work: that it failed for good is in the history, and no promise hangs on it. */
async function unlessGivenUp(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
  }
}
