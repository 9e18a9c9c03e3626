/**
 * States beside the violations: within a grace, explained, or not known. The figure must show these, too, as what they
 * are. test/promises/shown.json has what each figure shows.
 */
import { randomUUID } from 'node:crypto'
import { recordStore } from '../../db/backup/backup-store.ts'
import type { DataKeys } from '../../db/connection/schema.ts'
import { plusYears } from '../../shared/calendar.ts'
import type { Fixture, Violation } from './fixture.ts'
import {
  deleteSeries,
  differing,
  insertErasure,
  insertFact,
  insertPolicy,
  insertSeries,
  noticeTo,
  order,
  unsentSince,
  withdrawPolicy,
} from './planting.ts'

export type Edge = Omit<Violation, 'kind'>

const edge = (what: string, { figure, plant, mend }: Pick<Violation, 'figure' | 'plant' | 'mend'>): Edge => ({
  what,
  figure,
  plant,
  mend,
})

const deleteFacts = ({ sql }: Fixture) => sql`delete from order_facts`
const older = ({ sql, ago }: Fixture, days: number) => sql`update accounts set created_at = ${ago(days)}`
const asBefore = (fixture: Fixture) => older(fixture, 0)

/** The data keys that a plant has deleted. */
let lostKeys: DataKeys[] = []

export const edges: readonly Edge[] = [
  {
    what: 'an account has lost its data key',
    figure: 'unreadable_accounts',
    async plant({ sql, accountId }) {
      lostKeys = await sql<DataKeys[]>`select * from data_keys where account_id = ${accountId}`
      await sql.begin(async (tx) => {
        await tx`select erase_only(${accountId})`
        await tx`delete from data_keys where account_id = ${accountId}`
      })
    },
    mend: ({ sql }) => sql`insert into data_keys ${sql(lostKeys)}`,
  },
  {
    what: 'a step of an erasure waits, and nothing has failed',
    figure: 'unfinished_erasures',
    plant: (fixture) => insertErasure(fixture, 'requested', { processor: 'google', state: 'pending', code: null }, 1),
    mend: ({ sql }) => sql`delete from deletions`,
  },
  {
    what: 'one series of invoices has a gap of two, and another has none',
    figure: 'invoice_gaps',
    async plant(fixture) {
      await insertSeries(fixture, 'AMA-TEST', [1, 2, 3])
      await insertSeries(fixture, 'AMA-TEST-B', [1, 4])
    },
    mend: deleteSeries,
  },
  {
    what: 'in development push messages go to this machine',
    figure: 'unlisted_hosts',
    plant: async (fixture) => fixture.change({ config: { FIREBASE_CONNECT_TO: '127.0.0.1:8443' } }),
    mend: async (fixture) => fixture.changeBack(),
  },
  {
    what: 'in production mail goes encrypted to this machine',
    figure: 'open_mail',
    plant: async (fixture) => fixture.change({ config: { NODE_ENV: 'production', SMTP_URL: 'smtps://127.0.0.1:465' } }),
    mend: async (fixture) => fixture.changeBack(),
  },
  {
    what: 'an account is unused for exactly three years: the sweep comes within a day',
    figure: 'accounts_past_term',
    plant: ({ sql, asOf, accountId }) =>
      sql`update accounts set last_active_at = ${plusYears(asOf, -3)} where id = ${accountId}`,
    mend: ({ sql, asOf }) => sql`update accounts set last_active_at = ${asOf}`,
  },
  {
    what: 'a change of address has lapsed half an hour ago: clocks differ',
    figure: 'overdue_email_changes',
    plant: ({ sql, ago, accountId }) =>
      sql`insert into email_changes ${sql({ id: randomUUID(), account_id: accountId, requested_at: ago(1), expires_at: ago(1 / 48) })}`,
    mend: ({ sql }) => sql`delete from email_changes`,
  },
  edge(
    'a paid order is five minutes past due',
    order('unsettled_orders', '', ({ ago }) => ({ deliver_by: ago(5 / 1440) })),
  ),
  edge(
    'an order is held for a day and five minutes',
    order('overdue_reviews', '', ({ ago }) => ({ status: 'in_review', paid_at: ago(1 + 5 / 1440) })),
  ),
  edge(
    'a held order is past due as well',
    order('unsettled_orders', '', ({ ago }) => ({ status: 'in_review', paid_at: ago(1.1) })),
  ),
  edge(
    'a refund is past due',
    order('unsettled_orders', '', ({ ago }) => ({ status: 'refunding', deliver_by: ago(0.1) })),
  ),
  edge('a mail is due since two days', unsentSince('mail', 2)),
  edge('a push message is due since two days', unsentSince('push', 2)),
  edge('a payment that Stripe has twice', differing('unsettled_payments', 'charged_twice', '', null)),
  edge('what an operator has accepted', differing('unsettled_payments', 'charged_twice', '', 'accepted_by_operator')),
  edge(
    'a refund without credit note whose run is at it',
    differing('unbooked_money', 'refund_without_credit_note', '', 'in_flight'),
  ),
  ...(['unsettled_payments', 'unbooked_money'] as const).map(
    (figure): Edge => ({
      what: `the books were not compared for a day and a half: ${figure}`,
      figure,
      plant: ({ sql, ago }) => sql`update reconciliations set started_at = ${ago(1.6)}`,
      mend: ({ sql, asOf }) => sql`update reconciliations set started_at = ${asOf}`,
    }),
  ),
  ...(['unsettled_payments', 'unbooked_money'] as const).map(
    (figure): Edge => ({
      what: `the books were never compared, two days after the first account: ${figure}`,
      figure,
      async plant(fixture) {
        await older(fixture, 2)
        await fixture.sql`update reconciliations set state = 'incomplete'`
      },
      async mend(fixture) {
        await asBefore(fixture)
        await fixture.sql`update reconciliations set state = 'complete'`
      },
    }),
  ),
  {
    what: 'nobody has asked Stripe for four hours',
    figure: 'unsettled_payments',
    plant: ({ sql, ago }) => sql`update payment_sweeps set done_at = ${ago(4 / 24)}`,
    mend: ({ sql, asOf }) => sql`update payment_sweeps set done_at = ${asOf}`,
  },
  {
    what: 'the key before the one in use was in use for two years, and so was one of another purpose',
    figure: 'key_age',
    plant: async ({ sql, ago }) => {
      for (const [purpose, id] of [
        ['field', 'k0'],
        ['payload', 'k1'],
      ] as const) {
        await sql`insert into encryption_keys ${sql({ purpose, id, first_seen_at: ago(730), active_since: ago(730) })}`
      }
    },
    mend: ({ sql, ago }) => sql`delete from encryption_keys where first_seen_at = ${ago(730)}`,
  },
  {
    what: 'nobody has noted the keys yet',
    figure: 'key_age',
    plant: ({ sql }) => sql`update encryption_keys set id = 'elsewhere'`,
    mend: ({ sql, api }) => sql`update encryption_keys set id = ${api.cipher.activeKekId}`,
  },
  ...[1, 4].map(
    (days): Edge => ({
      what: `facts of seven years and ${days} day(s), counted from their issue: a purge takes two days at most`,
      figure: 'books_past_term',
      async plant(fixture) {
        fixture.change({ config: { BOOKS_COUNT_FROM: 'issue' } })
        await insertFact(fixture, new Date(plusYears(fixture.asOf, -7).getTime() - days * 86_400_000))
      },
      async mend(fixture) {
        fixture.changeBack()
        await deleteFacts(fixture)
      },
    }),
  ),
  {
    what: 'facts of nine years in a month on hold',
    figure: 'books_past_term',
    async plant(fixture) {
      const day = fixture.ago(9 * 366)
      await insertFact(fixture, day)
      await fixture.sql`insert into books_holds (month, reason, held_at, held_by)
        values (${`${day.toISOString().slice(0, 7)}-01`}, 'audit', ${fixture.asOf}, 'x')`
    },
    async mend(fixture) {
      await deleteFacts(fixture)
      await fixture.sql`delete from books_holds`
    },
  },
  {
    what: 'facts of the first day of a year that is counted from its end',
    figure: 'books_past_term',
    async plant(fixture) {
      fixture.change({ config: { BOOKS_COUNT_FROM: 'year_end' } })
      await insertFact(fixture, new Date(Date.UTC(fixture.ago(2).getUTCFullYear() - 7, 0, 1)))
    },
    async mend(fixture) {
      fixture.changeBack()
      await deleteFacts(fixture)
    },
  },
  {
    what: 'the last backup of an erased person was due yesterday',
    figure: 'uncounted_backups',
    plant: ({ sql, ago }) =>
      sql`insert into deletion_ledger ${sql({ account_ref: 'edge', entry: 'erased', reason: 'requested', at: ago(31), backups_gone_by: ago(1) })}`,
    mend: ({ sql, ago }) =>
      sql`insert into deletion_ledger ${sql({ account_ref: 'edge', entry: 'backups_gone', reason: 'requested', at: ago(1), backups_gone_by: ago(1) })}`,
  },
  ...(['newest_backup', 'oldest_backup'] as const).flatMap((figure): Edge[] => [
    {
      what: `nobody has looked into the store for a day and a half: ${figure}`,
      figure,
      async plant(fixture) {
        await older(fixture, 2)
        await fixture.sql`update backup_store set read_at = ${fixture.ago(1.6)}`
      },
      async mend(fixture) {
        await asBefore(fixture)
        await fixture.lookIntoStore()
      },
    },
    {
      what: `the store is empty on the first day: ${figure}`,
      figure,
      async plant(fixture) {
        await older(fixture, 1)
        await recordStore(fixture.sql, [], fixture.asOf)
      },
      async mend(fixture) {
        await asBefore(fixture)
        await fixture.lookIntoStore()
      },
    },
    {
      what: `the store is empty after the second night: ${figure}`,
      figure,
      async plant(fixture) {
        await older(fixture, 2)
        await recordStore(fixture.sql, [], fixture.asOf)
      },
      async mend(fixture) {
        await asBefore(fixture)
        await fixture.lookIntoStore()
      },
    },
  ]),
  ...(['overdue_erasures', 'overdue_child_erasures', 'unfinished_erasures'] as const).map(
    (figure): Edge => ({
      what: `an outside party has not erased for two days: ${figure}`,
      figure,
      plant: (fixture) => insertErasure(fixture, 'child', { processor: 'apple', state: 'pending' }, 2),
      mend: ({ sql }) => sql`delete from deletions`,
    }),
  ),
  {
    what: 'Stripe redacts after 90 days',
    figure: 'overdue_erasures',
    plant: (fixture) => insertErasure(fixture, 'requested', { processor: 'stripe_redaction', state: 'pending' }, 40),
    mend: ({ sql }) => sql`delete from deletions`,
  },
  {
    what: 'a request is open',
    figure: 'oldest_request',
    plant: ({ sql, ago }) =>
      sql`insert into privacy_requests (id, kind, message, received_at, answer_by)
        values (${randomUUID()}, 'access', ${Buffer.concat([Buffer.from([1]), Buffer.alloc(40)])}, ${ago(12)}, ${ago(-18)})`,
    mend: ({ sql }) => sql`delete from privacy_requests`,
  },
  {
    what: 'one person of three was told of the version that is coming',
    figure: 'notice_share',
    async plant(fixture) {
      await insertPolicy(fixture, 'posted')
      await noticeTo(fixture, fixture.accountId, 'sent', fixture.ago(1))
    },
    mend: withdrawPolicy,
  },
  {
    what: 'a version is coming and nobody is to be told',
    figure: 'notice_share',
    async plant(fixture) {
      await insertPolicy(fixture, 'posted')
      await fixture.sql`update accounts set policy_version = '2030-01-01'`
    },
    async mend(fixture) {
      await fixture.sql`update accounts set policy_version = (select version from policies where state = 'in_force')`
      await withdrawPolicy(fixture)
    },
  },
  edge(
    'the refund of an order has failed, and nobody repeats it',
    order('unsettled_orders', '', () => ({ status: 'refund_failed' })),
  ),
  {
    what: 'the check of encrypted columns holds for new values only',
    figure: 'unsealed_columns',
    plant: ({ sql }) =>
      sql.unsafe(`alter domain sealed drop constraint sealed_is_ciphertext;
        alter domain sealed add constraint sealed_is_ciphertext
          check (get_byte(value, 0) = 1 and octet_length(value) >= 29) not valid`),
    mend: ({ sql }) => sql`alter domain sealed validate constraint sealed_is_ciphertext`,
  },
]
