/** Violations of promises about periods: what is kept too long, answered too late, or posted too late. */
import { randomUUID } from 'node:crypto'
import { dropDays } from '../../../db/access/daily-partitions.ts'
import { insertAccount, touchActivity } from '../../../db/accounts.ts'
import { recordStore } from '../../../db/backup/backup-store.ts'
import { endEmailChange } from '../../../db/email-changes.ts'
import { appendBackupsGone } from '../../../db/erasure/deletion-ledger.ts'
import { deleteOrderFacts } from '../../../db/order/books-retention.ts'
import { bringIntoForce } from '../../../db/policies.ts'
import { recordDeliveryResults } from '../../../db/policy-deliveries.ts'
import { changePrivacyRequest } from '../../../db/privacy-requests.ts'
import { periods } from '../../../policy/periods.ts'
import { currentPolicyVersion } from '../../../policy/versions.ts'
import { loseAccount } from '../../harness/lost.ts'
import { type Fixture, type Planted, type Violation, withStatement } from '../fixture.ts'
import {
  insertFact,
  insertPolicy,
  noticeTo,
  overdueStep,
  schema,
  unnotedStep,
  version,
  withdrawPolicy,
} from '../planting.ts'

const unused: Violation = {
  kind: 'data',
  what: 'An account is unused for longer than three years',
  figure: 'accounts_past_term',
  plant: ({ sql, ago, accountId }) =>
    sql`update accounts set last_active_at = ${ago(3 * 366 + 3)} where id = ${accountId}`,
  mend: ({ sql, asOf, accountId }) => sql`update accounts set last_active_at = ${asOf} where id = ${accountId}`,
}
const unnotedUse: Violation = {
  ...unused,
  kind: 'code',
  what: 'The use of an account is noted for those alone who have used it today',
  async plant(fixture) {
    const { sql, accountId, asOf } = fixture
    await unused.plant(fixture)
    await withStatement(sql, 'and last_active_at <=', 'and last_active_at >', (changed) =>
      touchActivity(changed, accountId, asOf),
    )
  },
  // The same call with the right condition turns the figure back.
  mend: ({ sql, accountId, asOf }) => touchActivity(sql, accountId, asOf),
}

const otherAccountId = randomUUID()
const secondsForMilliseconds: Violation = {
  kind: 'code',
  what: 'A sign-up stores its time in seconds where milliseconds are meant',
  figure: 'accounts_past_term',
  plant: ({ sql, api, asOf }) =>
    sql.begin((tx) =>
      insertAccount(tx, api, {
        id: otherAccountId,
        email: `${otherAccountId}@people.example`,
        firstName: 'Fi',
        lastName: 'La',
        phone: null,
        signUpIp: null,
        firebaseUid: null,
        policyVersion: currentPolicyVersion,
        at: new Date(Math.floor(asOf.getTime() / 1_000)),
      }),
    ),
  mend: ({ sql }) => loseAccount(sql, otherAccountId),
}

const backupReceiptId = randomUUID()
const unnotedBackup: Violation = {
  kind: 'code',
  what: 'That the last backup of an erased person is gone is noted at others',
  figure: 'uncounted_backups',
  async plant({ sql, ago, asOf }) {
    const erased = { account_ref: 'x', reason: 'requested', backups_gone_by: ago(9) }
    await sql`insert into deletion_ledger ${sql({ ...erased, entry: 'erased', at: ago(40) })}`
    await sql`insert into deletions ${sql({ ...erased, receipt_id: backupReceiptId, erased_at: ago(40) })}`
    await withStatement(sql, 'where receipt_id =', 'where receipt_id <>', (changed) =>
      appendBackupsGone(changed, backupReceiptId, asOf),
    )
  },
  // The same call with the right condition turns the figure back.
  async mend({ sql, asOf }) {
    await appendBackupsGone(sql, backupReceiptId, asOf)
    await sql`delete from deletions where receipt_id = ${backupReceiptId}`
  },
}

const oldFact = (fixture: Fixture) => insertFact(fixture, fixture.ago(9 * 366))

const emailChangeId = randomUUID()
const insertEmailChange = ({ sql, ago, accountId }: Fixture, expiresAt: Date) =>
  sql`insert into email_changes ${sql({ id: emailChangeId, account_id: accountId, requested_at: ago(3), expires_at: expiresAt })}`
const deleteEmailChanges = ({ sql }: Fixture) => sql`delete from email_changes`

const requestId = randomUUID()
const insertRequest = ({ sql, ago }: Fixture, answerBy: Date, lateAt: Date | null = null) =>
  sql`insert into privacy_requests (id, kind, message, received_at, answer_by, late_at)
    values (${requestId}, 'access', ${Buffer.concat([Buffer.from([1]), Buffer.alloc(40)])}, ${ago(31)}, ${answerBy}, ${lateAt})`
const deleteRequests = ({ sql }: Fixture) => sql`delete from privacy_requests`

async function changeOver(fixture: Fixture): Promise<void> {
  await fixture.sql`update policies set state = 'superseded' where state = 'in_force'`
  await insertPolicy(fixture, 'in_force')
  // Persons who have signed up since accept the version itself.
  await fixture.sql`update accounts set created_at = ${fixture.ago(100)}`
}
/** All but the first person got their notice in time. */
const shortNotice = (
  kind: Violation['kind'],
  what: string,
  plantFirst: (fixture: Fixture, first: string) => Promise<unknown>,
): Violation => ({
  kind,
  what,
  figure: 'short_notices',
  async plant(fixture) {
    await changeOver(fixture)
    const [first = '', ...others] = fixture.people
    for (const id of others) await noticeTo(fixture, id, 'sent', fixture.ago(32))
    await plantFirst(fixture, first)
  },
  mend: withdrawPolicy,
})

const requested = { reason: 'requested', figure: 'overdue_erasures' } as const
const child = { reason: 'child', figure: 'overdue_child_erasures' } as const

export const periodViolations = {
  R1: {
    because: 'Two functions write the time of the last use: that of a sign-up, and that of each use.',
    violations: [unused, unnotedUse, secondsForMilliseconds],
  },
  R2: {
    because: 'The figure counts invoices and the facts of orders.',
    violations: [
      {
        kind: 'data',
        what: 'Facts of an order are nine years old',
        figure: 'books_past_term',
        plant: oldFact,
        mend: ({ sql }) => sql`delete from order_facts`,
      },
      {
        kind: 'data',
        what: 'An invoice is nine years old',
        figure: 'books_past_term',
        plant: ({ sql, ago }) =>
          sql`insert into invoices ${sql({
            number: 'AMA-OLD-1',
            series: 'AMA-OLD',
            sequence: 1,
            kind: 'invoice',
            issued_on: ago(9 * 366),
            supplied_on: ago(9 * 366),
            seller: 'Us',
            description: 'x',
            destination: 'DE',
            quantity: 1,
            net_minor: 85,
            tax_minor: 15,
            gross_minor: 100,
            tax_rate_bps: 1800,
            currency: 'EUR',
            payment_kind: 'card',
          })}`,
        mend: ({ sql }) => sql`delete from invoices where series = 'AMA-OLD'`,
      },
      {
        kind: 'code',
        what: 'The purge of the books takes the days of a year later',
        figure: 'books_past_term',
        async plant(fixture) {
          await oldFact(fixture)
          await deleteOrderFacts(fixture.sql, [fixture.ago(8 * 366)], 100)
        },
        // The same call with the right day turns the figure back.
        async mend({ sql, ago }) {
          if ((await deleteOrderFacts(sql, [ago(9 * 366)], 100)) !== 1) throw new Error('the facts were not purged')
        },
      },
    ],
  },
  R3: {
    violations: [
      {
        kind: 'data',
        what: 'The store has a backup of 31 days',
        figure: 'oldest_backup',
        plant: ({ sql, ago, asOf }) =>
          recordStore(
            sql,
            [31, 1].map((days) => ({ at: ago(days), bytes: 1 })),
            asOf,
          ),
        mend: (fixture) => fixture.lookIntoStore(),
      },
      {
        kind: 'data',
        what: 'The last three backups are missing or empty',
        figure: 'newest_backup',
        plant: ({ sql, ago, asOf }) =>
          recordStore(
            sql,
            [
              { at: ago(3), bytes: 1 },
              { at: ago(1), bytes: 0 },
            ],
            asOf,
          ),
        mend: (fixture) => fixture.lookIntoStore(),
      },
      unnotedBackup,
    ],
  },
  R4: {
    because: 'The figure reads the days of two logs.',
    violations: [
      schema(
        'oldest_security_log',
        'A day of the security log is years old',
        "create table security_log_2020_01_01 partition of security_log for values from ('2020-01-01Z') to ('2020-01-02Z')",
        'drop table security_log_2020_01_01',
      ),
      schema(
        'oldest_security_log',
        'A day of the access log is years old',
        "create table access_log_2020_01_01 partition of access_log for values from ('2020-01-01Z') to ('2020-01-02Z')",
        'drop table access_log_2020_01_01',
      ),
      {
        kind: 'code',
        what: 'Housekeeping reads 90 days as 90 months',
        figure: 'oldest_security_log',
        async plant({ sql, ago }) {
          await sql`create table security_log_2021_01_01 partition of security_log for values from ('2021-01-01Z') to ('2021-01-02Z')`
          await dropDays(sql, 'security_log', ago(periods.securityLog.keepDays * 30))
        },
        // The same call with the right day turns the figure back.
        async mend({ sql, ago }) {
          if ((await dropDays(sql, 'security_log', ago(periods.securityLog.keepDays))) !== 1) {
            throw new Error('the day was not dropped')
          }
        },
      },
    ],
  },
  G2: {
    because: 'A change ends once its period is over, and once both have confirmed.',
    violations: [
      {
        kind: 'data',
        what: 'A change of address is open two days after its period',
        figure: 'overdue_email_changes',
        plant: (fixture) => insertEmailChange(fixture, fixture.ago(2)),
        mend: deleteEmailChanges,
      },
      {
        kind: 'data',
        what: 'A change of address that both have confirmed is open after its period',
        figure: 'overdue_email_changes',
        async plant(fixture) {
          await insertEmailChange(fixture, fixture.ago(2 / 24))
          await fixture.sql`update email_changes set old_confirmed_at = expires_at, new_confirmed_at = expires_at`
        },
        mend: deleteEmailChanges,
      },
      {
        kind: 'code',
        what: 'The end of a change of address is noted at others',
        figure: 'overdue_email_changes',
        async plant(fixture) {
          await insertEmailChange(fixture, fixture.ago(2))
          await withStatement(fixture.sql, 'where id =', 'where id <>', (sql) =>
            endEmailChange(sql, emailChangeId, 'expired', fixture.asOf),
          )
        },
        // The same call with the right condition turns the figure back.
        async mend(fixture) {
          await endEmailChange(fixture.sql, emailChangeId, 'expired', fixture.asOf)
          const ended = await fixture.sql`delete from email_changes where state = 'expired'`
          if (ended.count !== 1) throw new Error('the change was not ended')
        },
      },
    ],
  },
  G3: {
    because: 'A part is overdue while it is tried, and when it is left to an operator.',
    violations: [
      overdueStep(requested, 'apple', 'pending', 'Apple has not deleted a person for four days'),
      overdueStep(requested, 'temporal', 'needs_operator', 'Runs of an erased person need an operator'),
      unnotedStep(requested, 'A part of an erasure that is done is noted at another'),
    ],
  },
  K1: {
    because: 'A part is overdue while it is tried, and when it is left to an operator.',
    violations: [
      overdueStep(child, 'firebase', 'pending', 'Firebase has not deleted a child for four days'),
      overdueStep(child, 'google', 'needs_operator', 'The deletion of a child at Google needs an operator'),
      unnotedStep(child, 'A part of a child’s erasure that is done is noted at another'),
    ],
  },
  G6: {
    because: 'The day of a request counts, also once it has another one.',
    violations: [
      {
        kind: 'data',
        what: 'A request is not answered by its day',
        figure: 'late_requests',
        plant: (fixture) => insertRequest(fixture, fixture.ago(1)),
        mend: deleteRequests,
      },
      {
        kind: 'data',
        what: 'A request that was late has another day, and no answer yet',
        figure: 'late_requests',
        plant: (fixture) => insertRequest(fixture, fixture.ago(-5), fixture.ago(1)),
        mend: deleteRequests,
      },
      {
        kind: 'code',
        what: 'The answer to a request is noted at others',
        figure: 'late_requests',
        async plant(fixture) {
          await insertRequest(fixture, fixture.ago(1))
          await withStatement(fixture.sql, 'where id =', 'where id <>', (sql) =>
            changePrivacyRequest(sql, requestId, { state: 'answered' }),
          )
        },
        // The same call with the right condition turns the figure back.
        async mend({ sql }) {
          await changePrivacyRequest(sql, requestId, { state: 'answered' })
          const answered = await sql`delete from privacy_requests where state = 'answered'`
          if (answered.count !== 1) throw new Error('the request was not answered')
        },
      },
    ],
  },
  N1: {
    violations: [
      {
        kind: 'data',
        what: 'No version of the policy is in force',
        figure: 'policies_in_force',
        plant: ({ sql }) => sql`update policies set state = 'superseded' where state = 'in_force'`,
        mend: ({ sql }) => sql`update policies set state = 'in_force' where state = 'superseded'`,
      },
      {
        kind: 'schema',
        what: 'The index that lets one version be in force is gone, and two are',
        figure: 'policies_in_force',
        async plant(fixture) {
          await fixture.sql`drop index policies_in_force`
          await insertPolicy(fixture, 'in_force')
        },
        async mend(fixture) {
          await withdrawPolicy(fixture)
          await fixture.sql`create unique index policies_in_force on policies ((true)) where state = 'in_force'`
        },
      },
      {
        kind: 'code',
        what: 'The version that takes effect does not come into force',
        figure: 'policies_in_force',
        async plant(fixture) {
          await insertPolicy(fixture, 'posted')
          await withStatement(fixture.sql, "set state = 'in_force'", "set state = 'posted'", (sql) =>
            sql.begin((tx) => bringIntoForce(tx, version, fixture.asOf)),
          )
        },
        mend: withdrawPolicy,
      },
    ],
  },
  N2: {
    because: 'A notice comes too late, or not at all.',
    violations: [
      shortNotice('data', 'A person was told 29 days ahead of the version in force', (fixture, first) =>
        noticeTo(fixture, first, 'sent', fixture.ago(29)),
      ),
      shortNotice('data', 'The notice to a person is still due when the version is in force', (fixture, first) =>
        noticeTo(fixture, first, 'due', null),
      ),
      shortNotice('code', 'The result of a notice is never noted', async (fixture, first) => {
        await noticeTo(fixture, first, 'sending', null)
        const results = [{ accountId: first, state: 'sent', code: null, at: fixture.ago(32) }] as const
        await withStatement(fixture.sql, 'and d.account_id = s.id', 'and d.account_id <> s.id', (sql) =>
          recordDeliveryResults(sql, { version, notice: 'announced' }, results),
        )
      }),
    ],
  },
} satisfies Record<string, Planted>
