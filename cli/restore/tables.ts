/**
 * The treatment of each table's rows that are newer than the dump. Rows that nothing outside of the database knows are
 * `undecided` in the report of each restore: nobody can tell whether something was lost, and an operator has to decide.
 */
import { insertItem, restoreUndecided } from '../../db/backup/restores.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'

/**
 * - `rebuilt`: from runs and outside parties, by this part of the restore.
 * - `carried`: in the backup folder, beside the dumps.
 * - `anew`: it is made again by itself, or an empty one harms nobody.
 * - `undecided`: lost, at least in part. An operator has to decide about it, or to know of it.
 */
type AfterLoss = Readonly<Record<'rebuilt' | 'carried' | 'anew' | 'undecided', Readonly<Record<string, string>>>>

export const afterLoss: AfterLoss = {
  rebuilt: {
    bulk_actions: 'other-runs.ts: left to operators',
    breach_people: 'other-runs.ts: left to operators',
    breaches: 'other-runs.ts: left to operators',
    campaign_deliveries: 'other-runs.ts: left to operators',
    campaigns: 'other-runs.ts: left to operators',
    counters: 'a restore begins a series of numbers',
    deletion_seals: 'deletions.ts',
    deletion_steps: 'deletions.ts',
    deletions: 'deletions.ts',
    email_changes: 'other-runs.ts: left to operators',
    erased_references: 'deletions.ts',
    esims: 'orders/rebuild-placements.ts',
    attention:
      'failure-isolation.ts, deletions.ts, other-runs.ts, orders/own-order.ts, orders/payments-without-run.ts, orders/raised-again.ts, orders/rebuild-order.ts, orders/rebuild-placements.ts, orders/undecided-order.ts, rebuild.ts, tables.ts, withdrawals.ts; the sweeps raise theirs again',
    invoice_links: 'orders/rebuild-order.ts',
    invoices: 'orders/rebuild-order.ts, orders/rebuild-refunds.ts',
    key_rotations: 'other-runs.ts: left to operators',
    lost_numbers: 'rebuild.ts',
    order_facts: 'orders/rebuild-order.ts, orders/lost-order.ts',
    order_history: 'orders/rebuild-order.ts, and the events that the payment sweep reads again',
    orders: 'orders/rebuild-order.ts',
    policies: 'other-runs.ts: left to operators',
    policy_deliveries: 'other-runs.ts: left to operators',
    privacy_requests: 'other-runs.ts: left to operators',
    provider_orders: 'orders/rebuild-placements.ts',
    refunds: 'orders/rebuild-refunds.ts',
    restored_items: 'each restore has its own',
    restores: 'each restore has its own',
    withdrawals: 'withdrawals.ts',
  },
  carried: {
    data_keys: 'the newest snapshot of the keys',
    deletion_ledger: 'the copy of the ledger, and the deletion runs',
    transparency_head: 'the copy of the log',
    transparency_log: 'the copy of the log',
  },
  anew: {
    address_allowances: 'counts of a day at most',
    allowances: 'counts of a day at most',
    backup_store: 'the folder is read each night',
    backups: 'the folder lists them',
    disputes: 'the payment sweep reads Stripe’s events from before the dump',
    encryption_keys: 'the nightly check reads the keys',
    event_stream: 'the stream of events begins anew',
    inactivity: 'the sweep reads the accounts',
    migrations: 'the dump is brought to the version of the programs',
    outside_parties: 'learned from the calls',
    package_offers: 'the catalogue is read each hour',
    packages: 'the catalogue is read each hour',
    payment_sweeps: 'an older one reads more',
    processor_balances: 'read each night',
    provider_balances: 'read each hour',
    provider_spending: 'counted from now on',
    reconciliation_differences: 'compared anew',
    reconciliations: 'compared anew',
    signing_keys: 'published by each process that starts',
    web_sessions: 'everybody signs in anew',
    webhook_events: 'an event that comes again is handled again, with the same end',
  },
  undecided: {
    access_log: 'who has read whose data since: a breach of that time cannot name the people',
    accounts: 'sign-ups, and changes of profile, address and language',
    api_keys: 'keys that were made since are gone, those that were revoked since are valid',
    books_holds: 'months whose books an operator has ordered to keep since',
    consents:
      'consents that were given or taken back since: those that were given are lost, and all of before count as withdrawn',
    devices: 'phones that were registered since get no pushes until their app registers them again',
    ended_sign_ins:
      'sign-ins that have ended since: of people who were erased since and are not in the dump, tokens make a newcomer until they expire',
    event_retries: 'events that an endpoint had refused and that were to be repeated',
    events: 'events since, of what is not rebuilt: the app backend has to read its orders and accounts again',
    event_recipients: 'which endpoints were sent events since: a breach by a key cannot count those',
    idempotency_keys: 'a request from before that is repeated under its key counts as a new one, and may order again',
    identities: 'links with Apple and Google that were made or ended since',
    link_tokens: 'links that were mailed since do not work: people ask for another one',
    operator_acts:
      'acts of operators since, and the sums by which a second operator is asked for; tasks that they settled since are open, without their notes',
    operators: 'operators who were disabled since, roles and credentials that were changed since',
    security_log: 'what has happened since, for an investigation',
    sends:
      'which mails a mail server has accepted or refused since: a mail that no run remembers may come twice, and evidence in a dispute leaves it out',
    sign_in_events: 'what Apple and Google have said of sign-ins since',
    velocity_counts: 'what people who were erased since had bought, by which orders are held for a review',
    webhook_endpoints: 'subscriptions to events that were made, changed or ended since',
  },
}

/**
 * Lists in the report the tables whose changes since the dump are recorded nowhere else, and makes one operator task of
 * them.
 */
export async function leaveLostTables(sql: Queryable, restoreId: string, at: Date): Promise<void> {
  for (const table of Object.keys(afterLoss.undecided))
    await insertItem(sql, restoreId, {
      kind: 'table',
      subjectId: table,
      outcome: 'undecided',
      detail: 'known_to_the_lost_database_alone',
    })
  await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: restoreId, detail: 'tables', at })
}
