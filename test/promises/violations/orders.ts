/** Violations of promises about orders, money and messages. */
import { randomUUID } from 'node:crypto'
import { claimDelivery, recordDeliveryResult } from '../../../db/campaigns.ts'
import { setPromotions } from '../../../db/consents.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { creditInvoice } from '../../../db/order/books.ts'
import { moveOrder } from '../../../db/order/orders.ts'
import { claimPlacement, type Offer } from '../../../db/order/placements.ts'
import { deleteVelocity } from '../../../db/order/velocity.ts'
import { recordSendResult } from '../../../db/sends.ts'
import { dayOf } from '../../../shared/calendar.ts'
import { type Fixture, type Planted, type Violation, withStatement } from '../fixture.ts'
import { deleteSeries, differing, insertSeries, order, setting, unsent, unsentSince } from '../planting.ts'

const everySecondNumber: Violation = {
  kind: 'code',
  what: 'The counter of credit notes counts by two',
  figure: 'invoice_gaps',
  async plant(fixture) {
    await insertSeries(fixture, 'AMA-TEST', [1])
    await withStatement(fixture.sql, 'counters.last + 1', 'counters.last + 2', (sql) =>
      sql.begin(async (tx) => {
        for (const refundedMinor of [40, 100]) await creditInvoice(tx, 'AMA-TEST-1', refundedMinor, dayOf(fixture.asOf))
      }),
    )
  },
  async mend(fixture) {
    await fixture.sql`delete from invoices where corrects = 'AMA-TEST-1'`
    await fixture.sql`delete from counters where series like 'AMA-CN-%'`
    await deleteSeries(fixture)
  },
}

const noDelivery: Violation = {
  kind: 'code',
  what: 'The delivery of an order is noted at others',
  figure: 'unsettled_orders',
  async plant(fixture) {
    await fixture.insertOrder({ deliver_by: fixture.ago(0.1) })
    await withStatement(fixture.sql, 'where id =', 'where id <>', (sql) =>
      moveOrder(sql, fixture.orderId, ['provisioning'], { status: 'delivered' }),
    )
  },
  // The same call with the right condition turns the figure back.
  async mend(fixture) {
    const { sql, orderId } = fixture
    if (!(await moveOrder(sql, orderId, ['provisioning'], { status: 'delivered' })))
      throw new Error('the order was not delivered')
    await fixture.deleteOrders()
  },
}

/** A message is sent, and the function that notes it has a wrong condition. */
function unnoted(send: 'mail' | 'push', what: string): Violation {
  const begun = unsentSince(send, 4, 'sending')
  return {
    ...begun,
    kind: 'code',
    what,
    async plant(fixture) {
      await begun.plant(fixture)
      const { sql, orderId, accountId, ago } = fixture
      await withStatement(sql, 'where subject_id =', 'where subject_id <>', (changed) =>
        recordSendResult(changed, { subjectId: orderId, kind: `${send}:confirmation`, accountId }, 'sent', ago(4)),
      )
    },
  }
}

const tellingPlacement: Violation = {
  kind: 'code',
  what: 'A placement adds the order’s id to its reference',
  figure: 'telling_references',
  async plant(fixture) {
    await fixture.insertOrder({})
    const offered = { provider: 'airalo', provider_package_code: 'x', cost_micros: 1n } as const
    const offer: Offer = { ...offered, daily: false, kind: 'base', destinations: ['DE'] }
    await withStatement(fixture.sql, ", 'placing',", " || id::text, 'placing',", (sql) =>
      claimPlacement(sql, fixture.orderId, offer, randomUUID()),
    )
  },
  mend: (fixture) => fixture.deleteOrders(),
}

/** @param reference what the provider got of the order */
const telling = (what: string, reference: (fixture: Fixture) => string): Violation => ({
  kind: 'data',
  what,
  figure: 'telling_references',
  async plant(fixture) {
    await fixture.insertOrder({})
    await fixture.sql`insert into provider_orders ${fixture.sql({
      id: randomUUID(),
      order_id: fixture.orderId,
      provider: 'airalo',
      provider_package_code: 'x',
      client_ref: reference(fixture),
      state: 'placing',
      placed_after: fixture.asOf,
    })}`
  },
  mend: (fixture) => fixture.deleteOrders(),
})

const campaignId = randomUUID()
const insertCampaign = ({ sql, ago }: Fixture) =>
  sql`insert into campaigns ${sql({ id: campaignId, subject: 'x', paragraphs: ['x'], state: 'sending', created_at: ago(3), created_by: 'x' })}`
async function deletePromotions({ sql, accountId }: Fixture) {
  await sql`delete from campaigns`
  await sql`update accounts set promotions = false where id = ${accountId}`
  await sql`delete from consents`
}

const sentAfterWithdrawal: Violation = {
  kind: 'data',
  what: 'A promotion was sent a day after consent was withdrawn',
  figure: 'unwanted_promotions',
  async plant(fixture) {
    const { sql, ago, accountId } = fixture
    await sql`insert into consents ${sql({ account_id: accountId, purpose: 'promotions', granted: false, source: 'web', at: ago(2) })}`
    await insertCampaign(fixture)
    await sql`insert into campaign_deliveries ${sql({ campaign_id: campaignId, account_id: accountId, state: 'sent', at: ago(1) })}`
  },
  mend: deletePromotions,
}

const notAskedAgain: Violation = {
  kind: 'code',
  what: 'A campaign does not ask for the consent again before it sends',
  figure: 'unwanted_promotions',
  async plant(fixture) {
    const { sql, ago, accountId } = fixture
    await setPromotions(sql, { accountId, granted: true, source: 'web', at: ago(3) })
    await setPromotions(sql, { accountId, granted: false, source: 'web', at: ago(2) })
    await insertCampaign(fixture)
    const delivery = { campaignId, accountId, at: ago(1) }
    // The unchanged function lets nobody send.
    if (await claimDelivery(sql, delivery)) throw new Error('a promotion without consent was claimed')
    await withStatement(sql, 'and a.promotions', '', (changed) => claimDelivery(changed, delivery))
    await recordDeliveryResult(sql, delivery, 'sent')
  },
  mend: deletePromotions,
}

const noRecord: Violation = {
  kind: 'code',
  what: 'Consent is set without a record of when and where',
  figure: 'unproven_consents',
  plant: ({ sql, accountId, asOf }) =>
    withStatement(sql, 'from changed', 'from changed where false', (changed) =>
      setPromotions(changed, { accountId, granted: true, source: 'web', at: asOf }),
    ),
  mend: deletePromotions,
}

const onlyInAccount: Violation = {
  kind: 'data',
  what: 'An account agrees to promotions, of which there is no record',
  figure: 'unproven_consents',
  plant: ({ sql, accountId }) => sql`update accounts set promotions = true where id = ${accountId}`,
  mend: deletePromotions,
}

const withdrawnInRecord: Violation = {
  kind: 'data',
  what: 'An account agrees to promotions although the last record is a withdrawal',
  figure: 'unproven_consents',
  async plant({ sql, accountId, ago }) {
    await setPromotions(sql, { accountId, granted: true, source: 'web', at: ago(3) })
    await setPromotions(sql, { accountId, granted: false, source: 'web', at: ago(2) })
    await sql`update accounts set promotions = true where id = ${accountId}`
  },
  mend: deletePromotions,
}

const oldCount = ({ sql, ago }: Fixture) =>
  sql`insert into velocity_counts (kind, hash, hour, orders, gross_minor, expires_at)
    values ('card', ${Buffer.alloc(32)}, date_trunc('hour', ${ago(40)}::timestamptz), 1, 1000, ${ago(9)})`

const deleteCounts = ({ sql }: Fixture) => sql`delete from velocity_counts`

const undeleted: Violation = {
  kind: 'code',
  what: 'The deletion of counts of purchases takes none',
  figure: 'oldest_velocity_count',
  async plant(fixture) {
    await oldCount(fixture)
    await withStatement(fixture.sql, 'where expires_at <=', 'where expires_at >', (sql) =>
      deleteVelocity(sql, fixture.asOf, 10),
    )
  },
  // The same call with the right condition turns the figure back.
  async mend(fixture) {
    if ((await deleteVelocity(fixture.sql, fixture.asOf, 10)) !== 1) throw new Error('the count was not deleted')
  },
}

const measured = (what: string, columns: (fixture: Fixture) => object): Violation =>
  order('unasked_measurements', what, (fixture) => ({
    measurement_event_id: randomUUID(),
    ad_user_data: false,
    ...columns(fixture),
  }))

export const orderViolations = {
  U2: {
    violations: [
      order('unsettled_orders', 'A paid order is past due, without eSIM or refund', ({ ago }) => ({
        deliver_by: ago(0.1),
      })),
      noDelivery,
      {
        kind: 'data',
        what: 'Stripe has a payment that no order has',
        figure: 'unsettled_payments',
        plant: ({ sql, asOf }) =>
          raiseOperatorTask(sql, { kind: 'payment_without_order', subjectId: 'pi_1', at: asOf }),
        mend: ({ sql }) => sql`delete from attention`,
      },
    ],
  },
  U3: {
    violations: [
      unsent('mail', 'due', 'A confirmation is due since four days'),
      unnoted('mail', 'The result of a confirmation is noted at other orders'),
      unsent('push', 'due', 'A push message is due since four days'),
    ],
  },
  U4: { violations: [sentAfterWithdrawal, notAskedAgain, onlyInAccount] },
  G4: { violations: [withdrawnInRecord, noRecord, sentAfterWithdrawal] },
  U5: {
    violations: [
      order('overdue_reviews', 'An order is held for longer than a day', ({ ago }) => ({
        status: 'in_review',
        paid_at: ago(1.1),
      })),
      {
        kind: 'data',
        what: 'A count of purchases by a card is kept for longer than 30 days',
        figure: 'oldest_velocity_count',
        plant: oldCount,
        mend: deleteCounts,
      },
      undeleted,
    ],
  },
  U6: {
    violations: [
      everySecondNumber,
      order('missing_invoices', 'A delivered order has no invoice', ({ ago }) => ({
        status: 'delivered',
        created_at: ago(0.5),
        paid_at: ago(0.4),
      })),
      differing('unbooked_money', 'refund_without_credit_note', 'Stripe has a refund without a credit note', null),
    ],
  },
  P1: {
    violations: [
      tellingPlacement,
      telling('A provider’s reference contains the account’s id', ({ accountId }) => `account-${accountId}`),
      telling('A provider’s reference begins as the order’s id does', ({ orderId }) => orderId.slice(0, 8)),
    ],
    because: 'The figure compares references, and finds the id of an order as well as that of its account.',
  },
  P3: {
    violations: [
      measured('A paid order without consent has an id for ad measurement', () => ({})),
      measured('A delivered order without consent has an id for ad measurement', () => ({ status: 'delivered' })),
      measured('A refunded order without consent has an id for ad measurement', () => ({ status: 'refunded' })),
    ],
    because: 'The id and the consent are in the order’s row: only a row can break it. P8 is about hosts.',
  },
  P4: {
    violations: [
      unsent('push', 'sending', 'A push message that a dead worker began four days ago has no outcome'),
      setting('unlisted_hosts', 'Push messages go through another host', { FIREBASE_CONNECT_TO: 'relay.example:443' }),
      unnoted('push', 'The result of a push message is noted at others'),
    ],
  },
  P5: {
    violations: [
      unsent('mail', 'due', 'A mail is due since four days'),
      setting('open_mail', 'Mail goes without encryption', { NODE_ENV: 'production', SMTP_URL: 'smtp://127.0.0.1:25' }),
      unnoted('mail', 'The result of a mail is noted at others'),
    ],
  },
} satisfies Record<string, Planted>
