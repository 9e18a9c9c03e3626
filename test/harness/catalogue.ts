/** The catalogue: its sync, its rows, and its operator tasks. */
import type { Attention, Packages } from '../../db/connection/schema.ts'
import type { Stack } from '../../dev/stack.ts'
import { type CatalogueSyncState, catalogueSyncType } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import { createCaller, expectStatus } from './http.ts'
import { until } from './until.ts'

export const nothingChanged = {
  packagesAdded: 0,
  offersChanged: 0,
  offersWithdrawn: 0,
  putOnSale: 0,
  takenOffSale: 0,
}

interface PackageOnOffer {
  code: string
  price: number
  onSale: boolean
  /** by eSIM provider */
  offers: Record<string, { code: string; cost: number; available: boolean }>
}

type PackageRow = Pick<Packages, 'code' | 'price_minor' | 'active'> & Pick<PackageOnOffer, 'offers'>

/** Waits for the schedule's first run, which begins with the stack: a test must not count its changes. */
export async function untilFirstSync({ temporal }: Pick<Stack, 'temporal'>): Promise<void> {
  const firstRun = `WorkflowType = '${catalogueSyncType}' and ExecutionStatus = 'Completed'`
  await until('the schedule has run once', async () => (await temporal.workflow.count(firstRun)).count > 0)
}

/** Runs a sync, since the test packages do not have all facts of the providers. @param stack has had its first sync */
export async function openCatalogue(stack: Stack) {
  const { sql } = stack.context
  const operator = createCaller(stack.urls.api, stack.keys.operator)
  const sync = async (): Promise<CatalogueSyncState> => expectStatus(await operator.post('/v1/packages/sync'), 200)
  await sync()

  return {
    /** Runs a sync with all eSIM providers, and waits for its end. */
    sync,

    async packageRow(code: string): Promise<PackageOnOffer> {
      const [row] = await sql<PackageRow[]>`
        select p.code, p.price_minor, p.active, jsonb_object_agg(o.provider, jsonb_build_object(
          'code', o.provider_package_code, 'cost', o.cost_micros, 'available', o.available)) as offers
        from packages p join package_offers o on o.package_code = p.code where p.code = ${code} group by p.code`
      if (!row) throw new Error(`no package ${code}`)
      return { code: row.code, price: row.price_minor, onSale: row.active, offers: row.offers }
    },

    /** The open operator tasks of a kind. */
    async operatorTasks(kind: string): Promise<{ subject: string; detail: string | null }[]> {
      const rows = await sql<Pick<Attention, 'subject_id' | 'detail'>[]>`
        select subject_id, detail from attention where kind = ${kind} and resolved_at is null order by 1`
      return rows.map(({ subject_id, detail }) => ({ subject: subject_id, detail }))
    },
  }
}
