import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readSubProcessorFigures } from '../../api/evidence/sub-processors.ts'
import { createApi } from '../../api/server.ts'
import { recordStore } from '../../db/backup/backup-store.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { noteKeys } from '../../db/crypto/encryption-keys.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { paymentSweepParts, recordSweep } from '../../db/order/payment-sweeps.ts'
import {
  finishReconciliation,
  insertReconciliation,
  recordDifferences,
} from '../../db/reconciliation/reconciliations.ts'
import { evaluate, type Figure, type FigureName, figures } from '../../policy/figures.ts'
import { personalData } from '../../policy/personal-data.ts'
import { type PromiseEntry, promises } from '../../policy/promises.ts'
import type { DifferenceKindName } from '../../policy/reconciliation.ts'
import { createMetrics } from '../../shared/metrics.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { loseOrders } from '../harness/lost.ts'
import { type ApiHarness, startApiHarness } from './api-harness.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const asOf = new Date()
const ago = (days: number) => new Date(asOf.getTime() - days * 24 * 60 * 60 * 1000)

let harness: ApiHarness
let operator: string
let people: { id: string }[]
let accountId: string
let sql: ApiHarness['api']['sql']

beforeAll(async () => {
  harness = await startApiHarness({ env: { SANDBOX: 'true' } })
  operator = await harness.key('operator')
  sql = harness.api.sql
  const { FIELD_KEYS: keyring } = harness.api.config
  await noteKeys(sql, { purpose: 'field', ids: [...keyring.keys.keys()], activeId: keyring.activeId, at: asOf })
  for (const part of paymentSweepParts) await recordSweep(sql, { part, readUntil: asOf, at: asOf })
  await insertReconciliation(sql, { id: reconciliationId, at: asOf, readFrom: ago(35) })
  await finishReconciliation(sql, { id: reconciliationId, at: asOf, report: noDifference })
  await lookIntoStore()
  people = await insertAccounts(harness.api, 3)
  accountId = people[0]?.id ?? ''
})
afterAll(() => harness.stop())

interface Shown {
  kept: number
  broken: string[]
  unknown: string[]
  promises: {
    id: string
    status: string
    sentence: string
    figures: { name: string; value: number | null; status: string; detail: string | null; readAt: string }[]
  }[]
}

async function evidence(): Promise<Shown> {
  const answer = await harness.call('GET', `/v1/promises?asOf=${encodeURIComponent(asOf.toISOString())}`, {
    token: operator,
  })
  expect(answer.status, answer.text).toBe(200)
  return JSON.parse(answer.text)
}

function figureOf(shown: Shown, name: string) {
  const figure = shown.promises.flatMap((promise) => promise.figures).find((each) => each.name === name)
  if (!figure) throw new Error(`no figure ${name}`)
  return figure
}

describe('every promise', () => {
  const entries = Object.entries(promises) as [string, PromiseEntry][]

  test('is kept in a system without faults, with the time of the reading', async () => {
    const shown = await evidence()
    expect([shown.broken, shown.unknown]).toEqual([[], []])
    expect(shown.kept).toBe(entries.length)
    expect(shown.promises.map(({ id }) => id)).toEqual(entries.map(([id]) => id))
    for (const { figures: its, sentence } of shown.promises) {
      expect(sentence.length).toBeGreaterThan(10)
      for (const { readAt } of its) expect(Math.abs(Date.now() - Date.parse(readAt))).toBeLessThan(60_000)
    }
  })
})

/** Breaks a figure's limit and restores it. */
interface Breach {
  break: () => Promise<unknown>
  mend: () => Promise<unknown>
}

const orderId = randomUUID()
const insertOrder = (columns: Partial<Orders>) => () =>
  sql`insert into orders ${sql({
    id: orderId,
    account_id: accountId,
    request_hash: Buffer.alloc(0),
    package_code: 'x',
    package_name: 'x',
    destination: 'DE',
    quantity: 1,
    days: 1,
    gross_minor: 100,
    currency: 'EUR',
    status: 'provisioning',
    created_at: ago(0.5),
    payment_due_at: ago(0.5),
    paid_at: ago(0.4),
    ...columns,
  } satisfies Partial<Orders>)}`
const dropOrder = () => loseOrders(sql, accountId)
const order = (columns: Partial<Orders>): Breach => ({ break: insertOrder(columns), mend: dropOrder })
const statement = (broken: string, mended: string): Breach => ({
  break: () => sql.unsafe(broken),
  mend: () => sql.unsafe(mended),
})

const receiptId = randomUUID()
const erasure = (reason: string): Breach => ({
  async break() {
    await sql`insert into deletions ${sql({ receipt_id: receiptId, account_ref: 'ref', reason, erased_at: ago(4), backups_gone_by: ago(-30) })}`
    await sql`insert into deletion_steps ${sql({ receipt_id: receiptId, processor: 'apple', state: 'pending', code: 'http_503', changed_at: ago(4) })}`
  },
  mend: () => sql`delete from deletions where receipt_id = ${receiptId}`,
})

const request: Breach = {
  break: () =>
    sql`insert into privacy_requests (id, kind, message, received_at, answer_by)
      values (${randomUUID()}, 'access', ${sealed()}, ${ago(31)}, ${ago(1)})`,
  mend: () => sql`delete from privacy_requests`,
}

function sealed(): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.alloc(40)])
}

const campaignId = randomUUID()
const version = '2030-01-01'

/** Changes settings of the running API. */
function settings(changes: Record<string, unknown>): Breach {
  let before: object = {}
  return {
    async break() {
      before = { ...harness.api.config }
      Object.assign(harness.api.config, changes)
    },
    mend: async () => Object.assign(harness.api.config, before),
  }
}

/** Inserts a version of the policy that came into force yesterday. */
async function bringIntoForce(): Promise<void> {
  await sql`update policies set state = 'superseded' where state = 'in_force'`
  await sql`insert into policies ${sql({
    version,
    title: 'x',
    body: 'x',
    changes: ['x'],
    material: true,
    state: 'in_force',
    created_at: ago(40),
    created_by: 'x',
    posted_at: ago(40),
    announced_for: ago(1),
    effective_at: ago(1),
  })}`
}
const takeBack = async () => {
  await sql`delete from policies where version = ${version}`
  await sql`update policies set state = 'in_force' where state = 'superseded'`
}
const noticeTo = (account_id: string, sentAt: Date) =>
  sql`insert into policy_deliveries ${sql({
    version,
    notice: 'announced',
    account_id,
    state: 'sent',
    attempts: 1,
    told_for: ago(1),
    claimed_at: sentAt,
    sent_at: sentAt,
    message_ref: account_id,
  })}`

const reconciliationId = randomUUID()
const differing = (kind: DifferenceKindName): Breach => ({
  break: () =>
    recordDifferences(sql, reconciliationId, [
      { kind, subjectId: 'x', detail: 'x', subjectAt: asOf, explainedBy: null },
    ]),
  mend: () => sql`delete from reconciliation_differences`,
})
const lookIntoStore = () => recordStore(sql, [{ at: ago(1), bytes: 1 }], asOf)
const noDifference = { compared: {}, failed: [], explained: {}, unexplained: {}, sums: [], balances: [] }

const breaches: Partial<Record<FigureName, Breach>> = {
  unknown_columns: statement(
    'alter table accounts add column shoe_size integer',
    'alter table accounts drop column shoe_size',
  ),
  unsealed_columns: statement(
    'alter domain sealed drop constraint sealed_is_ciphertext',
    'alter domain sealed add constraint sealed_is_ciphertext check (get_byte(value, 0) = 1 and octet_length(value) >= 29)',
  ),
  clear_ip_columns: statement('alter table devices add column last_ip text', 'alter table devices drop column last_ip'),
  card_columns: statement(
    'alter table orders add column card_number text',
    'alter table orders drop column card_number',
  ),
  unreadable_accounts: {
    break: () =>
      sql`update data_keys set wrapped_key = set_byte(wrapped_key, 20, 255 - get_byte(wrapped_key, 20)) where account_id = ${accountId}`,
    mend: () =>
      sql`update data_keys set wrapped_key = set_byte(wrapped_key, 20, 255 - get_byte(wrapped_key, 20)) where account_id = ${accountId}`,
  },
  accounts_past_term: {
    break: () => sql`update accounts set last_active_at = ${ago(3 * 366 + 3)} where id = ${accountId}`,
    mend: () => sql`update accounts set last_active_at = ${asOf} where id = ${accountId}`,
  },
  overdue_email_changes: {
    break: () =>
      sql`insert into email_changes ${sql({ id: randomUUID(), account_id: accountId, requested_at: ago(3), expires_at: ago(2) })}`,
    mend: () => sql`delete from email_changes`,
  },
  unsettled_orders: order({ deliver_by: ago(0.1), created_at: ago(20) }),
  unsettled_payments: {
    break: () => raiseOperatorTask(sql, { kind: 'payment_without_order', subjectId: 'pi_1', at: asOf }),
    mend: () => sql`delete from attention`,
  },
  overdue_reviews: order({ status: 'in_review', paid_at: ago(1.1) }),
  unbooked_orders: order({ deliver_by: ago(-1) }),
  missing_invoices: order({ status: 'delivered' }),
  invoice_gaps: {
    async break() {
      await sql`insert into counters (series, last) values ('AMA-TEST', 3)`
      for (const sequence of [1, 3]) {
        await sql`insert into invoices ${sql({
          number: `AMA-TEST-${sequence}`,
          series: 'AMA-TEST',
          sequence,
          kind: 'invoice',
          issued_on: asOf,
          supplied_on: asOf,
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
        })}`
      }
    },
    async mend() {
      await sql`delete from invoices where series = 'AMA-TEST'`
      await sql`delete from counters where series = 'AMA-TEST'`
    },
  },
  unsent_mails: {
    break: () =>
      sql`insert into sends ${sql({ subject_id: orderId, kind: 'mail:confirmation', state: 'due', first_at: ago(4) })}`,
    mend: () => sql`delete from sends`,
  },
  unsent_pushes: {
    break: () =>
      sql`insert into sends ${sql({ subject_id: orderId, kind: 'push:confirmation', state: 'due', first_at: ago(4) })}`,
    mend: () => sql`delete from sends`,
  },
  telling_references: {
    async break() {
      await insertOrder({ deliver_by: ago(-1), created_at: ago(20) })()
      await sql`insert into provider_orders ${sql({
        id: randomUUID(),
        order_id: orderId,
        provider: 'airalo',
        provider_package_code: 'x',
        client_ref: `order-${orderId}`,
        state: 'placing',
        placed_after: asOf,
      })}`
    },
    mend: dropOrder,
  },
  unasked_measurements: order({ measurement_event_id: randomUUID(), deliver_by: ago(-1), created_at: ago(20) }),
  unlisted_hosts: settings({ META_URL: 'https://broker.example' }),
  open_mail: settings({ NODE_ENV: 'production', SMTP_URL: 'smtp://127.0.0.1:25' }),
  foreign_regions: settings({ HOSTING_REGION: 'us-east-1' }),
  unexported_columns: {
    async break() {
      const email = personalData['accounts.email']
      Object.assign(personalData, { 'accounts.shoe_size': { ...email, export: 'account.shoeSize' } })
    },
    mend: async () => Reflect.deleteProperty(personalData, 'accounts.shoe_size'),
  },
  unwanted_promotions: {
    async break() {
      await sql`insert into consents ${sql({ account_id: accountId, purpose: 'promotions', granted: false, source: 'web', at: ago(2) })}`
      await sql`insert into campaigns ${sql({ id: campaignId, subject: 'x', paragraphs: ['x'], created_at: ago(1), created_by: 'x' })}`
      await sql`insert into campaign_deliveries ${sql({ campaign_id: campaignId, account_id: accountId, state: 'sent', at: ago(1) })}`
    },
    async mend() {
      await sql`delete from campaigns`
      await sql`delete from consents`
    },
  },
  unproven_consents: {
    break: () => sql`update accounts set promotions = true where id = ${accountId}`,
    mend: () => sql`update accounts set promotions = false where id = ${accountId}`,
  },
  books_past_term: {
    break: () =>
      sql`insert into order_facts ${sql({
        id: randomUUID(),
        paid_on: ago(9 * 366),
        package_name: 'x',
        destination: 'DE',
        quantity: 1,
        gross_minor: 1,
        currency: 'EUR',
        outcome: 'paid',
      })}`,
    mend: () => sql`delete from order_facts`,
  },
  unbooked_money: differing('invoice_missing'),
  oldest_backup: {
    break: () =>
      recordStore(
        sql,
        [
          { at: ago(31), bytes: 1 },
          { at: ago(1), bytes: 1 },
        ],
        asOf,
      ),
    mend: lookIntoStore,
  },
  newest_backup: {
    break: () =>
      recordStore(
        sql,
        [
          { at: ago(3), bytes: 1 },
          { at: ago(1), bytes: 0 },
        ],
        asOf,
      ),
    mend: lookIntoStore,
  },
  uncounted_backups: {
    break: () =>
      sql`insert into deletion_ledger ${sql({ account_ref: 'x', entry: 'erased', reason: 'requested', at: ago(40), backups_gone_by: ago(9) })}`,
    mend: () =>
      sql`insert into deletion_ledger ${sql({ account_ref: 'x', entry: 'backups_gone', reason: 'requested', at: ago(9), backups_gone_by: ago(9) })}`,
  },
  oldest_security_log: statement(
    "create table security_log_2020_01_01 partition of security_log for values from ('2020-01-01Z') to ('2020-01-02Z')",
    'drop table security_log_2020_01_01',
  ),
  oldest_velocity_count: {
    break: () =>
      sql`insert into velocity_counts (kind, hash, hour, orders, gross_minor, expires_at)
        values ('card', ${Buffer.alloc(32)}, date_trunc('hour', ${ago(40)}::timestamptz), 1, 1000, ${ago(9)})`,
    mend: () => sql`delete from velocity_counts`,
  },
  overdue_erasures: erasure('requested'),
  overdue_child_erasures: erasure('child'),
  late_requests: request,
  policies_in_force: {
    break: () => sql`update policies set state = 'superseded' where state = 'in_force'`,
    mend: () => sql`update policies set state = 'in_force' where state = 'superseded'`,
  },
  short_notices: {
    async break() {
      await bringIntoForce()
      for (const [index, { id }] of people.entries()) await noticeTo(id, ago(index === 0 ? 29 : 32))
    },
    mend: takeBack,
  },
  lost_keys: {
    break: () => sql`update data_keys set kek_id = 'thrown-away' where account_id = ${accountId}`,
    mend: () => sql`update data_keys set kek_id = ${harness.api.cipher.activeKekId} where account_id = ${accountId}`,
  },
  key_age: {
    break: () => sql`update encryption_keys set active_since = ${ago(366)}`,
    mend: () => sql`update encryption_keys set active_since = ${asOf}`,
  },
}

describe('the evidence shows a promise as broken: figure', () => {
  test.each(Object.entries(breaches))('%s', async (name, breach) => {
    const promised = Object.entries(promises).filter(([, entry]) => (entry.figures as readonly string[]).includes(name))
    await breach.break()
    try {
      const shown = await evidence()
      const figure = figureOf(shown, name)
      expect([figure.status, figure.value]).toEqual(['broken', expect.any(Number)])
      expect(shown.broken).toEqual(expect.arrayContaining(promised.map(([id]) => id)))
      expect(JSON.stringify(shown)).not.toContain(accountId)
    } finally {
      await breach.mend()
    }
    const mended = await evidence()
    expect([figureOf(mended, name).status, mended.broken]).toEqual(['kept', []])
  })

  test('N2: the evidence counts a person without a notice of the version in force', async () => {
    await bringIntoForce()
    await sql`update accounts set created_at = ${ago(100)}`
    for (const { id } of people.slice(1)) await noticeTo(id, ago(32))
    const shown = await evidence()
    await takeBack()
    expect([figureOf(shown, 'short_notices').value, shown.broken]).toEqual([1, ['N2']])
  })

  test('P5 P7 P8: the evidence names settings with unknown hosts, without TLS, or outside the EU', () => {
    const settings = { ...harness.api.config, NODE_ENV: 'production' as const }
    const good = { ...settings, APPLE_URL: 'https://appleid.apple.com', SMTP_URL: 'smtps://u:p@mail.example:465' }
    const stranger = readSubProcessorFigures({ ...good, META_URL: 'https://broker.example' })
    expect(stranger.unlisted_hosts?.detail).toContain('META_URL')
    expect(evaluate('open_mail', readSubProcessorFigures({ ...good, SMTP_URL: 'smtp://127.0.0.1:25' }).open_mail)).toBe(
      'broken',
    )
    expect(evaluate('open_mail', readSubProcessorFigures(good).open_mail)).toBe('kept')
  })

  test('every figure with a limit has a test that breaks it', () => {
    const informing = (Object.keys(figures) as FigureName[]).filter((name) => !('brokenAbove' in figures[name]))
    const shown = new Set<string>([...Object.keys(breaches), ...informing])
    expect(Object.keys(figures).filter((name) => !shown.has(name))).toEqual([])
    expect(informing.sort()).toEqual(['notice_share', 'oldest_request', 'unfinished_erasures'])
  })
})

test('an informing figure has a value and no limit', async () => {
  await erasure('requested').break()
  await request.break()
  const shown = await evidence()
  expect(figureOf(shown, 'unfinished_erasures')).toMatchObject({ value: 1, detail: 'apple (http_503): 1' })
  expect(figureOf(shown, 'oldest_request').value).toBe(31)
  await erasure('requested').mend()
  await request.mend()
})

test('U2: the evidence counts what the comparison has found at Stripe, once, and also what an operator has', async () => {
  const subject = { subjectId: 'pi_1', detail: 'x', subjectAt: asOf }
  await raiseOperatorTask(sql, { kind: 'payment_without_order', subjectId: 'pi_1', at: asOf })
  await recordDifferences(sql, reconciliationId, [
    { ...subject, kind: 'payment_without_order', explainedBy: null },
    { ...subject, kind: 'paid_not_settled', subjectId: 'o', explainedBy: 'with_an_operator' },
    { ...subject, kind: 'charged_twice', subjectId: 'p', explainedBy: 'accepted_by_operator' },
  ])
  expect(figureOf(await evidence(), 'unsettled_payments')).toMatchObject({ value: 2, status: 'broken' })
  await sql`delete from reconciliation_differences`
  await sql`delete from attention`
})

test.each([
  [
    'U2 U6: without a comparison for a day and a half',
    ['U2', 'U6'],
    () => sql`update reconciliations set started_at = ${ago(1.6)}`,
  ],
  [
    'U2 U6: with comparisons that were incomplete',
    ['U2', 'U6'],
    () => sql`update reconciliations set state = 'incomplete'`,
  ],
  ['R3: without a look into the backup store', ['R3'], () => sql`update backup_store set read_at = ${ago(1.6)}`],
])('%s nobody knows whether the promise is kept', async (_, ids, forget) => {
  await sql`update accounts set created_at = ${ago(2)}`
  await forget()
  expect((await evidence()).unknown).toEqual(ids)
  await sql`update reconciliations set started_at = ${asOf}, state = 'complete'`
  await lookIntoStore()
})

test('R3: no backup at all is not kept: unknown on the first day, broken from the second night', async () => {
  await recordStore(sql, [], asOf)
  await sql`update accounts set created_at = ${ago(1)}`
  expect((await evidence()).unknown).toEqual(['R3'])
  await sql`update accounts set created_at = ${ago(2)}`
  const shown = await evidence()
  expect(shown.broken).toEqual(['R3'])
  expect(figureOf(shown, 'oldest_backup')).toMatchObject({ value: null, detail: 'no backup' })
  await lookIntoStore()
})

test('a promise whose figure cannot be read is unknown, not kept', async () => {
  await sql`alter table policies rename to hidden`
  const shown = await evidence()
  await sql`alter table hidden rename to policies`
  expect(shown.unknown).toEqual(['N1', 'N2'])
  expect(figureOf(shown, 'short_notices')).toMatchObject({ value: null, status: 'unknown' })
})

test('S1: an encrypted column refuses plain text', async () => {
  const clear = () => sql`update accounts set phone = ${Buffer.from('+491701234567')} where id = ${accountId}`
  await expect(clear()).rejects.toThrow('sealed_is_ciphertext')
})

test('the API exports all figures as metrics, and the alert rules use existing metrics', async () => {
  const { text } = await harness.call('GET', '/metrics', { token: operator })
  expect(text).toContain('ama_promise_status{promise="G6",status="kept"} 1')
  expect(text).toMatch(/ama_evidence_figure\{figure="oldest_security_log"\} \d/)
  expect(text).toContain('ama_evidence_read_timestamp_seconds')
  const rules = parse(readFileSync(`${root}ops/alerts.yml`, 'utf8')) as { groups: { rules: Rule[] }[] }
  const all = rules.groups.flatMap((group) => group.rules)
  expect(all.length).toBeGreaterThan(8)
  const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((found) => found[1]))
  for (const { alert, expr, annotations } of all) {
    expect(annotations?.summary, alert).toBeTruthy()
    for (const [metric] of expr.matchAll(/\bama_\w+|\bnodejs_\w+|\bprocess_\w+/g)) {
      const base = metric.replace(/_(bucket|sum|count)$/, '')
      expect([...exported], alert).toContain(exported.has(metric) ? metric : base)
    }
    // An alert on a label that no metric has would never fire.
    for (const [, label, value] of expr.matchAll(/\b(figure|promise|status)="(\w+)"/g)) {
      expect(text, alert).toContain(`${label}="${value}"`)
    }
    for (const [, name, limit] of expr.matchAll(/\{figure="(\w+)"\}\) > ([\d.]+)/g)) {
      const { brokenAbove }: Figure = figures[name as FigureName]
      // An alert fires before a limit is exceeded, or at once.
      expect(Number(limit), alert).toBeLessThanOrEqual(brokenAbove ?? Number.POSITIVE_INFINITY)
    }
  }
})

test('the gauges show exactly the broken and unknown promises', async () => {
  await request.break()
  await sql`alter table policies rename to hidden`
  // Another process that has not read the figures yet.
  const fresh = await createApi({ ...harness.api, metrics: createMetrics() }).listen(0)
  try {
    const scraped = await fetch(`${fresh.url}/metrics`, { headers: { authorization: `Bearer ${operator}` } })
    const text = await scraped.text()
    const gauges = [...text.matchAll(/^ama_promise_status\{promise="(\w+)",status="(\w+)"\} (\d)$/gm)]
    expect(gauges).toHaveLength(3 * Object.keys(promises).length)
    const raised = gauges.flatMap(([, id, status, value]) => (value === '1' ? [`${id} ${status}`] : []))
    // The hidden table's columns are also columns without an entry.
    const others: Record<string, string> = { G6: 'broken', C7: 'broken', N1: 'unknown', N2: 'unknown' }
    expect(raised).toEqual(Object.keys(promises).map((id) => `${id} ${others[id] ?? 'kept'}`))
    expect(text).toContain('ama_evidence_figure{figure="late_requests"} 1\n')
    expect(text).toMatch(/ama_evidence_figure\{figure="short_notices"\} nan\n/i)
  } finally {
    await fresh.stop()
    await sql`alter table hidden rename to policies`
    await request.mend()
  }
})

interface Rule {
  alert: string
  expr: string
  annotations?: { summary?: string }
}

test('operators and the app backend can read the evidence; only a sandbox accepts another time', async () => {
  expect((await harness.call('GET', '/v1/promises')).status).toBe(401)
  expect((await harness.call('GET', '/v1/promises', { token: await harness.key('service') })).status).toBe(200)
  const { token } = await harness.firebaseToken()
  expect((await harness.call('GET', '/v1/promises', { token })).status).toBe(403)
})
