import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { listDays } from '../../../db/access/daily-partitions.ts'
import type { SecurityLog } from '../../../db/connection/schema.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { plusDays, startOfDay } from '../../../shared/calendar.ts'
import { type HousekeepingReport, housekeepingType } from '../../../workflows/housekeeping/housekeeping.contract.ts'
import { openHarness } from '../../harness/harness.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { until } from '../../harness/until.ts'

const harness = await openHarness({ books: false })
const { context } = harness
const { sql } = context
const today = startOfDay(new Date())

const tidy = (inDays = 0) => runLater<HousekeepingReport>(harness, housekeepingType, inDays)

describe('the security log', () => {
  test('has a partition for each of the coming days', async () => {
    expect((await tidy()).builds).toEqual({ retired: [], workersToStop: [] })
    const days = (await listDays(sql, 'security_log')).map((day) => day.getTime())
    for (let ahead = 0; ahead <= 7; ahead += 1) expect(days).toContain(plusDays(today, ahead).getTime())
  })

  test('R4: the security log drops each day before its first row is ninety days old', async () => {
    for (const age of [120, 91, 90, 89, 88, 30]) {
      const event = { kind: 'sign_in', actor: 'person', at: new Date(plusDays(today, -age).getTime() + 1) } as const
      await recordSecurityEvent(sql, context, event)
    }
    expect((await tidy()).securityLog).toEqual({ partitionsDropped: 4 })
    const [oldest] = await sql<Pick<SecurityLog, 'at'>[]>`select min(at) as at from security_log`
    expect(startOfDay(oldest?.at ?? new Date(0))).toEqual(plusDays(today, -88))
    expect((await tidy()).securityLog).toEqual({ partitionsDropped: 0 })
  })

  test('of today is dropped within ninety days of the workflow’s time', async () => {
    const at = new Date()
    await recordSecurityEvent(sql, context, { kind: 'sign_in', actor: 'person', at })
    await tidy(88)
    expect(await sql`select from security_log where at = ${at}`).toHaveLength(1)
    await tidy(89)
    expect(await sql`select from security_log where at = ${at}`).toHaveLength(0)
    expect((await listDays(sql, 'security_log')).every((day) => day > at)).toBe(true)
  })

  test('records an event on a day without a partition', async () => {
    await recordSecurityEvent(sql, context, { kind: 'sign_in', actor: 'person', at: plusDays(new Date(), 400) })
    expect(await sql`select from security_log where at > now() + interval '399 days'`).toHaveLength(1)
  })
})

describe('idempotency keys, webhook events, links and sessions', () => {
  const bytes = () => Buffer.from(randomUUID())

  test('are deleted when they can no longer be repeated, and not before', async () => {
    const keep = async (at: Date, event: Date) => {
      await sql`insert into idempotency_keys (scope, key_hash, request_hash, resource_id, created_at)
        values ('test', ${bytes()}, ${bytes()}, ${randomUUID()}, ${at})`
      await sql`insert into webhook_events (source, event_id, received_at) values ('test', ${randomUUID()}, ${event})`
    }
    await sql`delete from idempotency_keys`
    await sql`delete from webhook_events`
    await keep(plusDays(new Date(), -1.1), plusDays(new Date(), -14.1))
    await keep(plusDays(new Date(), -0.9), plusDays(new Date(), -13.9))
    expect((await tidy()).forgotten).toMatchObject({ idempotencyKeys: 1, webhookEvents: 1 })
    expect((await tidy()).forgotten).toMatchObject({ idempotencyKeys: 0, webhookEvents: 0 })
    expect((await tidy(15)).forgotten).toMatchObject({ idempotencyKeys: 1, webhookEvents: 1 })
  })

  test('are deleted once links and sessions have expired', async () => {
    const { accountId } = await harness.signUp()
    const keep = async (expiresAt: Date) => {
      await sql`insert into link_tokens (token_hash, purpose, account_id, created_at, expires_at)
        values (${bytes()}, 'sign_in', ${accountId}, now(), ${expiresAt})`
      await sql`insert into web_sessions (token_hash, account_id, signed_in_at, expires_at)
        values (${bytes()}, ${accountId}, now(), ${expiresAt})`
    }
    await keep(plusDays(new Date(), -0.01))
    await keep(plusDays(new Date(), 0.01))
    expect((await tidy()).forgotten.tokens).toBe(2)
    expect((await tidy(1)).forgotten.tokens).toBe(2)
  })

  test('are deleted in batches', async () => {
    await sql`insert into webhook_events (source, event_id, received_at)
      select 'many', i, now() - interval '20 days' from generate_series(1, 12000) i`
    expect((await tidy()).forgotten.webhookEvents).toBe(12_000)
  })
})

describe('an overdue order or run', () => {
  const tasks = (kind: string) =>
    sql`select subject_id, detail, resolved_at is not null as settled from attention where kind = ${kind}`

  test('is an operator task until it goes on', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { pay: false })
    expect((await tidy()).overdue.orders).toBe(0)
    await sql`update orders set payment_due_at = now() - interval '1 hour' where id = ${order.id}`
    expect((await tidy()).overdue.orders).toBe(1)
    expect(await tasks('order_overdue')).toEqual([{ subject_id: order.id, detail: 'awaiting_payment', settled: false }])
    await harness.service.post(`/v1/orders/${order.id}/cancel`)
    await harness.untilOrder(order.id, 'cancelled')
    expect((await tidy()).overdue.orders).toBe(0)
    expect(await tasks('order_overdue')).toMatchObject([{ settled: true }])
  })

  test('may be a run of any workflow', async () => {
    const handle = await harness.temporal.workflow.start('invoiceRetention', {
      workflowId: 'nobody-works-on-this',
      taskQueue: 'nobody',
      args: [{ month: '2020-01' }],
      typedSearchAttributes: [],
      searchAttributes: { DueAt: [plusDays(new Date(), -1)] },
    })
    await until('it is found', async () => (await tidy()).overdue.runs === 1)
    expect(await tasks('run_overdue')).toMatchObject([{ subject_id: 'nobody-works-on-this', settled: false }])
    await handle.terminate()
    await until('none is left', async () => (await tidy()).overdue.runs === 0)
    expect(await tasks('run_overdue')).toMatchObject([{ settled: true }])
  })
})

describe('what operators did', () => {
  test('R1: to nothing of an account ends with the books that it explains, and so do closed tasks and mails to operators; open tasks stay', async () => {
    const keep = async (id: string, days: number, isOpen = false) => {
      const at = plusDays(new Date(), -days)
      await sql`insert into operator_acts (id, act, operator, state, asked_at, attempts, interrupted)
        values (${randomUUID()}, ${id}, 'operator:test', 'done', ${at}, 0, 0)`
      await sql`insert into attention (id, kind, subject_id, opened_at, resolved_at, resolved_by)
        values (${randomUUID()}, 'kept', ${id}, ${at}, ${isOpen ? null : at}, ${isOpen ? null : 'operator:test'})`
      await sql`insert into sends (subject_id, kind, state, attempts, first_at)
        values (${randomUUID()}, ${`kept:${id}`}, 'sent', 1, ${at})`
    }
    await keep('old', 7 * 366)
    await keep('open', 7 * 366, true)
    await keep('young', 7 * 364)
    await tidy()
    const acts = await sql<{ act: string }[]>`select act from operator_acts where account_id is null order by 1`
    const tasks = await sql<{ of: string }[]>`select subject_id as of from attention where kind = 'kept' order by 1`
    const mails = await sql<{ kind: string }[]>`select kind from sends where kind like 'kept:%'`
    expect([acts.map(({ act }) => act), tasks.map(({ of }) => of)]).toEqual([['young'], ['open', 'young']])
    expect(mails).toEqual([{ kind: 'kept:young' }])
  })
})
