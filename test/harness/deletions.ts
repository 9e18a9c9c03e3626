/** Deletions of accounts, with their receipts and runs, and the totals of Stripe. */
import type { Duration } from '@temporalio/common'
import type { DeletionSecrets } from '../../db/erasure/deletion-seals.ts'
import type { Stack } from '../../dev/stack.ts'
import type { ErasureStep, StepState } from '../../policy/deletion.ts'
import { type FastForwardOptions, fastForward } from '../../temporal/time-skipping.ts'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { type Caller, createCaller, expectStatus } from './http.ts'
import { untilValue } from './until.ts'

/** A seal without any part. */
export const nothingSealed: DeletionSecrets = {
  apple: null,
  google: null,
  firebase: null,
  stripeCustomer: null,
  settlements: null,
  providerOrders: null,
  payments: null,
  address: null,
  trace: null,
}

/** A deletion in the form of GET /v1/deletions/{receiptId}. */
export interface Receipt {
  receiptId: string
  reason: string
  erasedAt: string
  backupsGoneBy: string
  completedAt: string | null
  processors: {
    processor: ErasureStep
    state: StepState
    code: string | null
    changedAt: string
    instruction: string | null
  }[]
}

export type Deletion = ReturnType<typeof followDeletion>

/** Deletes an account, by default as its person. @returns the reader of its progress */
export async function deleteAccount(stack: Stack, person: { accountId: string; caller: Caller }, by = person.caller) {
  const receipt: Receipt = expectStatus(await by.delete(`/v1/accounts/${person.accountId}`), 200)
  return followDeletion(stack, person.accountId, receipt.receiptId)
}

export function followDeletion(stack: Stack, accountId: string, receiptId: string) {
  const anybody = createCaller(stack.urls.api)
  const workflowId = accountDeletionWorkflowId(stack.context.cipher.accountRef(accountId))
  const receipt = async (): Promise<Receipt> => expectStatus(await anybody.get(`/v1/deletions/${receiptId}`), 200)

  return {
    receiptId,
    workflowId,
    receipt,
    /** The state of each erasure step, by name. */
    async states(): Promise<Record<string, StepState>> {
      const { processors } = await receipt()
      return Object.fromEntries(processors.map(({ processor, state }) => [processor, state]))
    },
    /** Waits until an erasure step has a state. @returns the step */
    async until(processor: ErasureStep, state: StepState) {
      const { processors } = await untilValue(`${processor} is ${state}`, receipt, (seen) =>
        seen.processors.some((step) => step.processor === processor && step.state === state),
      )
      return processors.find((step) => step.processor === processor)
    },
    /** Moves the clock of the deletion's run; the simulators' clocks stay. */
    fastForward: (duration: Duration, options?: FastForwardOptions) =>
      fastForward(stack.temporal, workflowId, duration, options),
  }
}

/**
 * R2, retention of the books: after erasures their totals still equal those of Stripe.
 * @param takenBackMinor what banks have taken back by lost disputes, and the books count as refunded
 * @throws with both totals
 */
export async function checkTotals(stack: Stack, takenBackMinor = 0): Promise<void> {
  const stripe = await stack.sims.stripe.state()
  const received = stripe.paymentIntents.filter(({ status }) => status === 'succeeded')
  const effective = stripe.refunds.filter(({ status }) => status !== 'failed' && status !== 'canceled')
  const [facts] = await stack.context.sql`
    select count(*)::int as payments, coalesce(sum(gross_minor), 0)::int as received,
      coalesce(sum(refunded_minor), 0)::int as refunded from order_facts`
  const [documents] = await stack.context.sql`
    select coalesce(sum(gross_minor), 0)::int as invoiced,
      (select coalesce(sum(gross_minor), 0)::int from order_facts where outcome = 'delivered') as delivered from invoices`
  const expected = {
    payments: received.length,
    received: sum(received.map(({ amount_received }) => amount_received)),
    refunded: sum(effective.map(({ amount }) => amount)) + takenBackMinor,
  }
  const differs = JSON.stringify(facts) !== JSON.stringify(expected) || documents?.invoiced !== documents?.delivered
  if (differs)
    throw new Error(
      `the books have ${JSON.stringify({ ...facts, ...documents })}, Stripe has ${JSON.stringify(expected)}`,
    )
}

const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0)
