/** Records what Stripe says of a dispute, when two of its events are handled at the same time as well. */
import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../../context.ts'
import { recordDisputeTasks, upsertDispute } from '../../db/order/disputes.ts'
import type { Dispute } from '../../providers/stripe/disputes.ts'
import { askAboutPayment } from './provider-alarm.ts'

/**
 * Records a dispute, and asks Stripe again until nothing has changed since: the last to write has also read what is
 * true then, so an answer that was read early and written late is not the last.
 * @param first what Stripe has said
 * @param orderId undefined for an erased order: it has operator tasks, and no row
 * @param follow what its state leads to
 * @param read bounds and repeats the look; by default the activity does
 * @returns what Stripe said last
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
