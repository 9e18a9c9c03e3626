/** A running API with its database, in which each promise is kept, and what a planted violation may use of it. */
import { randomUUID } from 'node:crypto'
import { recordStore } from '../../db/backup/backup-store.ts'
import type { Queryable } from '../../db/connection/database.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { noteKeys } from '../../db/crypto/encryption-keys.ts'
import { paymentSweepParts, recordSweep } from '../../db/order/payment-sweeps.ts'
import { finishReconciliation, insertReconciliation } from '../../db/reconciliation/reconciliations.ts'
import type { FigureName } from '../../policy/figures.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { loseOrders } from '../harness/lost.ts'

export type Fixture = Awaited<ReturnType<typeof openFixture>>

/**
 * `code`: a function of ours with a fault in it, which runs; `data`: rows that no code of ours writes; `setting`: of
 * the running API; `schema`: of the database.
 */
export type ViolationKind = 'code' | 'data' | 'setting' | 'schema'

export interface Violation {
  kind: ViolationKind
  /** what is wrong, for the table */
  what: string
  figure: FigureName
  plant(fixture: Fixture): Promise<unknown>
  mend(fixture: Fixture): Promise<unknown>
}

/** Three for each promise; `because` says why where two of one kind are at the same figure. */
export interface Planted {
  because?: string
  violations: readonly [Violation, Violation, Violation]
}

export async function openFixture() {
  const harness = await startApiHarness({ env: { SANDBOX: 'true' } })
  const { api } = harness
  const { sql, config } = api
  const asOf = new Date()
  const ago = (days: number) => new Date(asOf.getTime() - days * 24 * 60 * 60 * 1000)
  const { keys, activeId } = config.FIELD_KEYS
  await noteKeys(sql, { purpose: 'field', ids: [...keys.keys()], activeId, at: asOf })
  for (const part of paymentSweepParts) await recordSweep(sql, { part, readUntil: asOf, at: asOf })
  const reconciliationId = randomUUID()
  await insertReconciliation(sql, { id: reconciliationId, at: asOf, readFrom: ago(35) })
  const report = { compared: {}, failed: [], explained: {}, unexplained: {}, sums: [], balances: [] }
  await finishReconciliation(sql, { id: reconciliationId, at: asOf, report })
  const lookIntoStore = () => recordStore(sql, [{ at: ago(1), bytes: 1 }], asOf)
  await lookIntoStore()
  const people = (await insertAccounts(api, 3)).map(({ id }) => id)
  const [accountId = ''] = people
  const orderId = randomUUID()
  const operator = await harness.key('operator')
  const before = { config: { ...config }, cipher: api.cipher }

  return {
    harness,
    operator,
    api,
    sql,
    asOf,
    ago,
    people,
    accountId,
    orderId,
    reconciliationId,
    lookIntoStore,
    /** Reads the answer of `GET /v1/promises` for each promise and its figures. */
    evidence: () => readShown(harness, operator, asOf),
    insertOrder: (columns: Partial<Orders>) =>
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
        created_at: ago(20),
        payment_due_at: ago(20),
        paid_at: ago(20),
        deliver_by: ago(-1),
        ...columns,
      } satisfies Partial<Orders>)}`,
    deleteOrders: () => loseOrders(sql, accountId),
    /** Changes the running API, which reads its context anew for each reading. */
    change(changed: { config?: Record<string, unknown>; cipher?: typeof api.cipher }): void {
      Object.assign(config, changed.config)
      if (changed.cipher) Object.assign(api, { cipher: changed.cipher })
    },
    changeBack(): void {
      for (const name of Object.keys(config)) if (!(name in before.config)) Reflect.deleteProperty(config, name)
      Object.assign(config, before.config)
      Object.assign(api, { cipher: before.cipher })
    },
    close: () => harness.stop(),
  }
}

export interface Shown {
  kept: number
  broken: string[]
  unknown: string[]
  promises: {
    id: string
    status: string
    sentence: string
    figures: { name: string; status: string; value: number | null; detail: string | null; readAt: string }[]
  }[]
}

async function readShown(harness: ApiHarness, token: string, asOf: Date): Promise<Shown> {
  const answer = await harness.call('GET', `/v1/promises?asOf=${encodeURIComponent(asOf.toISOString())}`, { token })
  if (answer.status !== 200) throw new Error(answer.text)
  return JSON.parse(answer.text)
}

/**
 * Runs a function of ours with one of its statements changed, as a wrong line in its source would change it.
 * @throws when no statement has the text: the source has changed
 */
export async function withStatement<Sql extends Queryable>(
  sql: Sql,
  from: string,
  to: string,
  work: (changed: Sql) => Promise<unknown>,
): Promise<void> {
  let found = 0
  const changing = <Connection extends Queryable>(connection: Connection): Connection =>
    new Proxy(connection, {
      apply(target, self, [first, ...rest]: unknown[]) {
        const isStatement = Array.isArray(first) && 'raw' in first
        return Reflect.apply(target, self, [isStatement ? changed(first) : first, ...rest])
      },
      get(target, name) {
        const own: unknown = Reflect.get(target, name)
        if (name !== 'begin' || typeof own !== 'function') return own
        return (inside: (tx: Queryable) => unknown) => own.call(target, (tx: Queryable) => inside(changing(tx)))
      },
    })
  const changed = (strings: readonly string[]): TemplateStringsArray => {
    const texts = strings.map((text) => text.replace(from, to))
    if (texts.some((text, index) => text !== strings[index])) found += 1
    return Object.assign(texts, { raw: texts })
  }
  await work(changing(sql))
  if (found === 0) throw new Error(`no statement has the text: ${from}`)
}
