import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readSubProcessorFigures } from '../../api/evidence/sub-processors.ts'
import { createApi } from '../../api/server.ts'
import { recordStore } from '../../db/backup/backup-store.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { recordDifferences } from '../../db/reconciliation/reconciliations.ts'
import { evaluate, type Figure, figures } from '../../policy/figures.ts'
import { promises } from '../../policy/promises.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { createMetrics } from '../../shared/metrics.ts'
import { type Fixture, openFixture, type Shown } from '../promises/fixture.ts'
import { deleteErasure, insertErasure, insertPolicy, noticeTo, withdrawPolicy } from '../promises/planting.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

let fixture: Fixture
let harness: Fixture['harness']
let sql: Fixture['sql']
let asOf: Date
let ago: Fixture['ago']
beforeAll(async () => {
  fixture = await openFixture()
  ;({ harness, sql, asOf, ago } = fixture)
})
afterAll(() => fixture.close())

const evidence = (): Promise<Shown> => fixture.evidence()

const insertLateRequest = () =>
  sql`insert into privacy_requests (id, kind, message, received_at, answer_by)
    values (${randomUUID()}, 'access', ${Buffer.concat([Buffer.from([1]), Buffer.alloc(40)])}, ${ago(31)}, ${ago(1)})`

function figureOf(shown: Shown, name: string) {
  const figure = shown.promises.flatMap((promise) => promise.figures).find((each) => each.name === name)
  if (!figure) throw new Error(`no figure ${name}`)
  return figure
}

test('every promise is kept in a system without faults, with the time of the reading', async () => {
  const entries = Object.entries(promises)
  const shown = await evidence()
  expect([shown.broken, shown.unknown]).toEqual([[], []])
  expect(shown.kept).toBe(entries.length)
  expect(shown.promises.map(({ id }) => id)).toEqual(entries.map(([id]) => id))
  for (const { figures: its, sentence } of shown.promises) {
    expect(sentence.length).toBeGreaterThan(10)
    for (const { readAt } of its) expect(Math.abs(Date.now() - Date.parse(readAt))).toBeLessThan(60_000)
  }
})

test('N2: the evidence counts a person without a notice of the version in force', async () => {
  await sql`update policies set state = 'superseded' where state = 'in_force'`
  await insertPolicy(fixture, 'in_force')
  await sql`update accounts set created_at = ${ago(100)}`
  for (const id of fixture.people.slice(1)) await noticeTo(fixture, id, 'sent', ago(32))
  const shown = await evidence()
  await withdrawPolicy(fixture)
  expect([figureOf(shown, 'short_notices').value, shown.broken]).toEqual([1, ['N2']])
})

test('P5 P7 P8: the evidence names settings with unknown hosts, without TLS, or outside the EU', () => {
  const settings = { ...harness.api.config, NODE_ENV: 'production' as const }
  const good = { ...settings, APPLE_URL: 'https://appleid.apple.com', SMTP_URL: 'smtps://u:p@mail.example:465' }
  const unlistedHost = readSubProcessorFigures({ ...good, META_URL: 'https://broker.example' })
  expect(unlistedHost.unlisted_hosts?.detail).toContain('META_URL')
  expect(evaluate('open_mail', readSubProcessorFigures({ ...good, SMTP_URL: 'smtp://127.0.0.1:25' }).open_mail)).toBe(
    'broken',
  )
  expect(evaluate('open_mail', readSubProcessorFigures(good).open_mail)).toBe('kept')
})

test('P7 P8: Google Analytics takes events in the EU unless another address is set, and both of its addresses are listed', () => {
  const { GA_URL } = harness.api.config
  expect(GA_URL).toBe('https://region1.google-analytics.com')
  const hosts = (url: string) => readSubProcessorFigures({ ...harness.api.config, GA_URL: url }).unlisted_hosts?.detail
  for (const url of [GA_URL, 'https://www.google-analytics.com']) expect(hosts(url) ?? '').not.toContain('GA_URL')
  expect(hosts('https://analytics.example')).toContain('GA_URL')
})

test('an informing figure has a value and no limit', async () => {
  await insertErasure(fixture, 'requested', { processor: 'apple', state: 'pending' })
  await insertLateRequest()
  const shown = await evidence()
  expect(figureOf(shown, 'unfinished_erasures')).toMatchObject({ value: 1, detail: 'apple (http_503): 1' })
  expect(figureOf(shown, 'oldest_request').value).toBe(31)
  await deleteErasure(fixture)
  await sql`delete from privacy_requests`
})

test('U2: the evidence counts what the comparison has found at Stripe, once, and also what an operator has', async () => {
  const subject = { subjectId: 'pi_1', part: '', detail: 'x', subjectAt: asOf }
  await raiseOperatorTask(sql, { kind: 'payment_without_order', subjectId: 'pi_1', at: asOf })
  await recordDifferences(sql, fixture.reconciliationId, [
    { ...subject, kind: 'payment_without_order', explainedBy: null },
    { ...subject, kind: 'paid_not_settled', subjectId: 'o', explainedBy: 'with_an_operator' },
    { ...subject, kind: 'charged_twice', subjectId: 'p', explainedBy: 'accepted_by_operator' },
    { ...subject, kind: 'charged_twice', subjectId: 'q', part: 'pi_2', explainedBy: null },
    { ...subject, kind: 'charged_twice', subjectId: 'q', part: 'pi_3', explainedBy: null },
  ])
  expect(figureOf(await evidence(), 'unsettled_payments')).toMatchObject({ value: 4, status: 'broken' })
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
  ['R3: without a reading of the backup store', ['R3'], () => sql`update backup_store set read_at = ${ago(1.6)}`],
])('%s nobody knows whether the promise is kept', async (_, ids, makeUnknown) => {
  await sql`update accounts set created_at = ${ago(2)}`
  await makeUnknown()
  expect((await evidence()).unknown).toEqual(ids)
  await sql`update reconciliations set started_at = ${asOf}, state = 'complete'`
  await fixture.lookIntoStore()
})

test('R3: no backup at all is not kept: unknown on the first day, broken from the second night', async () => {
  await recordStore(sql, [], asOf)
  await sql`update accounts set created_at = ${ago(1)}`
  expect((await evidence()).unknown).toEqual(['R3'])
  await sql`update accounts set created_at = ${ago(2)}`
  const shown = await evidence()
  expect(shown.broken).toEqual(['R3'])
  expect(figureOf(shown, 'oldest_backup')).toMatchObject({ value: null, detail: 'no backup' })
  await fixture.lookIntoStore()
})

test('a promise whose figure cannot be read is unknown, not kept', async () => {
  await sql`alter table policies rename to hidden`
  const shown = await evidence()
  await sql`alter table hidden rename to policies`
  expect(shown.unknown).toEqual(['N1', 'N2'])
  expect(figureOf(shown, 'short_notices')).toMatchObject({ value: null, status: 'unknown' })
})

test('S1: an encrypted column refuses plain text', async () => {
  const clear = () => sql`update accounts set phone = ${Buffer.from('+491701234567')} where id = ${fixture.accountId}`
  await expect(clear()).rejects.toThrow('sealed_is_ciphertext')
})

test('the API exports all figures as metrics, and the alert rules use existing metrics', async () => {
  const { text } = await harness.call('GET', '/metrics', { token: fixture.operator })
  expect(text).toContain('ama_promise_status{promise="G6",status="kept"} 1')
  expect(text).toMatch(/ama_evidence_figure\{figure="oldest_security_log"\} \d/)
  expect(text).toContain('ama_evidence_read_timestamp_seconds')
  const rules = alertRules.parse(parse(readFileSync(`${root}ops/alerts.yml`, 'utf8')))
  const all = rules.groups.flatMap((group) => group.rules)
  expect(all.length).toBeGreaterThan(8)
  const recorded = readFileSync(`${root}ops/recording.yml`, 'utf8').matchAll(/record: (\w+)/g)
  const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm), ...recorded].map((found) => found[1]))
  for (const { alert, expr, annotations } of all) {
    expect(annotations?.summary, alert).toMatch(/\w+ \w+/)
    for (const [metric] of expr.matchAll(/\bama_\w+|\bnodejs_\w+|\bprocess_\w+/g)) {
      const base = metric.replace(/_(bucket|sum|count)$/, '')
      expect([...exported], alert).toContain(exported.has(metric) ? metric : base)
    }
    // An alert on a label that no metric has would never fire.
    for (const [, label, value] of expr.matchAll(/\b(figure|promise|status)="(\w+)"/g)) {
      expect(text, alert).toContain(`${label}="${value}"`)
    }
    for (const [, name = '', limit] of expr.matchAll(/\{figure="(\w+)"\}\) > ([\d.]+)/g)) {
      if (!isKeyOf(figures, name)) throw new Error(`${alert} names no figure of ours: ${name}`)
      const { brokenAbove }: Figure = figures[name]
      // An alert fires before a limit is exceeded, or at once.
      expect(Number(limit), alert).toBeLessThanOrEqual(brokenAbove ?? Number.POSITIVE_INFINITY)
    }
  }
})

test('the gauges show exactly the broken and unknown promises', async () => {
  await insertLateRequest()
  await sql`alter table policies rename to hidden`
  // Another process that has not read the figures yet.
  const fresh = await createApi({ ...harness.api, metrics: createMetrics() }).listen(0)
  try {
    const scraped = await fetch(`${fresh.url}/metrics`, { headers: { authorization: `Bearer ${fixture.operator}` } })
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
    await sql`delete from privacy_requests`
  }
})

const alertRules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          annotations: z.object({ summary: z.string().optional() }).optional(),
        }),
      ),
    }),
  ),
})

test('operators and the app backend can read the evidence; only a sandbox accepts another time', async () => {
  expect((await harness.call('GET', '/v1/promises')).status).toBe(401)
  expect((await harness.call('GET', '/v1/promises', { token: await harness.key('service') })).status).toBe(200)
  const { token } = await harness.firebaseToken()
  expect((await harness.call('GET', '/v1/promises', { token })).status).toBe(403)
})
