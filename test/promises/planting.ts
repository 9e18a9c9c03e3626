/** Ways to plant a violation that several promises have. */
import { randomUUID } from 'node:crypto'
import type { Orders } from '../../db/connection/schema.ts'
import { recordStep } from '../../db/erasure/deletions.ts'
import { recordDifferences } from '../../db/reconciliation/reconciliations.ts'
import type { FigureName } from '../../policy/figures.ts'
import type { DifferenceKindName, Explanation } from '../../policy/reconciliation.ts'
import { type Fixture, type Violation, withStatement } from './fixture.ts'

/** A column of the domain `sealed` becomes one of plain bytes, which takes anything. */
export function unsealed(column: string, what: string): Violation {
  const [table, name] = column.split('.')
  return {
    kind: 'schema',
    what,
    figure: 'unsealed_columns',
    // A trigger that names the column keeps its type.
    plant: ({ sql }) =>
      sql.unsafe(`
        do $$ declare named text; begin
          for named in
            select tgname from pg_trigger t
            join pg_attribute a on a.attrelid = t.tgrelid and a.attname = '${name}' and a.attnum = any (t.tgattr)
            where t.tgrelid = '${table}'::regclass and not t.tgisinternal
          loop execute format('drop trigger %I on ${table}', named); end loop;
        end $$;
        alter table ${table} alter column ${name} type bytea`),
    mend: ({ sql }) => sql.unsafe(`alter table ${table} alter column ${name} type sealed`),
  }
}

export function schema(figure: FigureName, what: string, planted: string, mended: string): Violation {
  return {
    kind: 'schema',
    what,
    figure,
    plant: ({ sql }) => sql.unsafe(planted),
    mend: ({ sql }) => sql.unsafe(mended),
  }
}

export function setting(figure: FigureName, what: string, config: Record<string, unknown>): Violation {
  return {
    kind: 'setting',
    what,
    figure,
    plant: async (fixture) => fixture.change({ config }),
    mend: async (fixture) => fixture.changeBack(),
  }
}

export function order(figure: FigureName, what: string, columns: (fixture: Fixture) => Partial<Orders>): Violation {
  return {
    kind: 'data',
    what,
    figure,
    plant: (fixture) => fixture.insertOrder(columns(fixture)),
    mend: (fixture) => fixture.deleteOrders(),
  }
}

/** A message of the send ledger that should have gone out days ago. */
export function unsent(send: 'mail' | 'push', state: 'due' | 'sending', what: string): Violation {
  return { kind: 'data', what, ...unsentSince(send, 4, state) }
}

export function unsentSince(
  send: 'mail' | 'push',
  days: number,
  state: 'due' | 'sending' = 'due',
): Pick<Violation, 'figure' | 'plant' | 'mend'> {
  return {
    figure: send === 'mail' ? 'unsent_mails' : 'unsent_pushes',
    plant: ({ sql, ago, orderId }) =>
      sql`insert into sends ${sql({ subject_id: orderId, kind: `${send}:confirmation`, state, first_at: ago(days) })}`,
    mend: ({ sql }) => sql`delete from sends`,
  }
}

/** A difference that the newest comparison with the outside parties' books has found. */
export const differing = (
  figure: FigureName,
  kind: DifferenceKindName,
  what: string,
  explainedBy: Explanation | null,
): Violation => ({
  kind: 'data',
  what,
  figure,
  plant: ({ sql, reconciliationId, asOf }) =>
    recordDifferences(sql, reconciliationId, [
      { kind, subjectId: 'x', part: '', detail: 'x', subjectAt: asOf, explainedBy },
    ]),
  mend: ({ sql }) => sql`delete from reconciliation_differences`,
})

export const insertFact = ({ sql }: Fixture, paidOn: Date) =>
  sql`insert into order_facts ${sql({
    id: randomUUID(),
    paid_on: paidOn,
    package_name: 'x',
    destination: 'DE',
    quantity: 1,
    gross_minor: 1,
    currency: 'EUR',
    outcome: 'paid',
  })}`

/** A series of document numbers that has come to the last of these. */
export async function insertSeries({ sql, asOf }: Fixture, series: string, numbers: readonly number[]): Promise<void> {
  await sql`insert into counters (series, last) values (${series}, ${numbers.at(-1) ?? 0})`
  for (const sequence of numbers) {
    await sql`insert into invoices ${sql({
      number: `${series}-${sequence}`,
      series,
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
}

export async function deleteSeries({ sql }: Fixture): Promise<void> {
  await sql`delete from invoices where series like 'AMA-TEST%'`
  await sql`delete from counters where series like 'AMA-TEST%'`
}

export const version = '2030-01-01'
export const insertPolicy = ({ sql, ago }: Fixture, state: 'posted' | 'in_force') =>
  sql`insert into policies ${sql({
    version,
    title: 'x',
    body: 'x',
    changes: ['x'],
    material: true,
    state,
    created_at: ago(40),
    created_by: 'x',
    posted_at: ago(40),
    announced_for: ago(1),
    effective_at: ago(1),
  })}`
export async function withdrawPolicy({ sql }: Fixture): Promise<void> {
  await sql`delete from policies where version = ${version}`
  await sql`update policies set state = 'in_force' where state = 'superseded'`
}

export const noticeTo = ({ sql, ago }: Fixture, accountId: string, state: string, sentAt: Date | null) =>
  sql`insert into policy_deliveries ${sql({
    version,
    notice: 'announced',
    account_id: accountId,
    state,
    attempts: 1,
    told_for: ago(1),
    claimed_at: ago(35),
    sent_at: sentAt,
    message_ref: accountId,
  })}`

const receiptId = randomUUID()

interface OverdueStep {
  reason: 'requested' | 'child'
  figure: FigureName
}

export async function insertErasure(
  { sql, ago }: Fixture,
  reason: string,
  step: { processor: string; state: string; code?: string | null },
  days = 4,
): Promise<void> {
  await sql`insert into deletions ${sql({
    receipt_id: receiptId,
    account_ref: 'ref',
    reason,
    erased_at: ago(days),
    backups_gone_by: ago(-26),
  })}`
  await sql`insert into deletion_steps ${sql({ receipt_id: receiptId, code: 'http_503', ...step, changed_at: ago(days) })}`
}

export const deleteErasure = ({ sql }: Fixture) => sql`delete from deletions where receipt_id = ${receiptId}`

export function overdueStep(
  { reason, figure }: OverdueStep,
  processor: string,
  state: string,
  what: string,
): Violation {
  return {
    kind: 'data',
    what,
    figure,
    plant: (fixture) => insertErasure(fixture, reason, { processor, state }),
    mend: deleteErasure,
  }
}

/** A part of an erasure is done, and the function that notes it has a wrong condition. */
export function unnotedStep({ reason, figure }: OverdueStep, what: string): Violation {
  const done = (at: Date) => ({ receiptId, processor: 'google', state: 'done', at }) as const
  return {
    kind: 'code',
    what,
    figure,
    async plant(fixture) {
      await insertErasure(fixture, reason, { processor: 'google', state: 'pending' })
      await withStatement(fixture.sql, 'and processor =', 'and processor <>', (sql) =>
        recordStep(sql, done(fixture.asOf)),
      )
    },
    // The same call with the right condition turns the figure back.
    async mend(fixture) {
      await recordStep(fixture.sql, done(fixture.asOf))
      const [step] = await fixture.sql`select state from deletion_steps where receipt_id = ${receiptId}`
      if (step?.state !== 'done') throw new Error('the step was not noted')
      await deleteErasure(fixture)
    },
  }
}
