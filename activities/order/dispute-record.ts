/** Records what Stripe says of a dispute, when two of its events are handled at the same time as well. */
import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../../context.ts'
import { recordDisputeTasks, upsertDispute } from '../../db/order/disputes.ts'
import type { Dispute } from '../../providers/stripe/disputes.ts'
import { askAboutPayment } from './provider-alarm.ts'

/**
 * Records a dispute, and asks Stripe again until nothing has changed since: the call that writes last has also read the
 * newest state, so an answer that was read early and written late is not the last.
 * @param first the first answer of Stripe
 * @param orderId undefined for an erased order: it has operator tasks, and no row
 * @param follow applies the consequences of the dispute's state
 * @param read limits and repeats the call to Stripe; by default the activity is repeated
 * @returns the last answer of Stripe
 */
export async function recordUntilCurrent(
  context: Context,
  first: Dispute,
  orderId: string | undefined,
  at: Date,
  follow: () => Promise<void> = async () => {},
  read: (look: () => Promise<Dispute>) => Promise<Dispute | undefined> = (look) => askAboutPayment(context, look),
): Promise<Dispute> {
  const { sql, stripe } = context
  let dispute = first
  for (let isReread = false; ; isReread = true) {
    const isStored = orderId === undefined || (await upsertDispute(sql, orderId, dispute, at, { isReread }))
    if (isStored) {
      // The operator task comes first: the bank sets a deadline, and the provider may be down.
      await recordDisputeTasks(sql, dispute, orderId, at)
      await follow()
    }
    const now = (await read(() => stripe.getDispute(dispute.disputeId))) ?? dispute
    if (isStored && isDeepStrictEqual(now, dispute)) return dispute
    dispute = now
  }
}
