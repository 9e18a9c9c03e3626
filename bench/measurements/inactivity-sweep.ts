/** R1, retention of unused accounts: the daily sweep for them among a million accounts. */
import { connectDatabase, type Database, timeLimits } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import { type Dormant, listDormant } from '../../db/inactivity.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays, plusYears } from '../../shared/calendar.ts'
import { median } from '../measure.ts'
import { insertOtherAccounts } from '../other-accounts.ts'

export interface SweepFigures {
  accounts: number
  /** unused accounts whose first warning is near and that have no run */
  found: number
  milliseconds: number
  /** of each reading of all pages, milliseconds; missing in results of before */
  times?: number[]
  /** the nodes of a page's query plan from the top, an index with its condition */
  plan: string[]
}

const perPage = 500

/** Measures the sweep on its own database. @param dormant the number of accounts that are due */
export async function benchInactivitySweep(accounts: number, dormant: number): Promise<SweepFigures> {
  const postgres = await startPostgres()
  const sql = connectDatabase(postgres.url, { maxConnections: 1, limits: timeLimits.maintenance })
  try {
    await migrate(postgres.url)
    const now = new Date()
    const { inactivityYears, openedAheadDays, warningsBeforeDays } = periods.account
    const until = plusYears(plusDays(now, warningsBeforeDays[0] + openedAheadDays), -inactivityYears)
    await insertOtherAccounts(sql, accounts - dormant, until, now)
    await insertOtherAccounts(sql, dormant, plusDays(until, -1), until)
    await sql`vacuum analyze accounts`

    const times: number[] = []
    let found = 0
    for (let round = 0; round < 5; round += 1) {
      const begun = performance.now()
      found = await readPages(sql, until, now)
      times.push(performance.now() - begun)
    }
    const [explained] = await sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>`
      explain (analyze, format json) ${listDormant(sql, { until, lostSince: now, after: undefined, limit: perPage })}`
    const plan = explained ? describe(explained['QUERY PLAN'][0].Plan) : []
    return { accounts, found, milliseconds: median(times), times, plan }
  } finally {
    await sql.end()
    await postgres.stop()
  }
}

/** Reads all pages, as the sweep does. */
async function readPages(sql: Database, until: Date, now: Date): Promise<number> {
  let after: Dormant | undefined
  for (let found = 0; ; ) {
    const page = await listDormant(sql, { until, lostSince: now, after, limit: perPage })
    found += page.length
    after = page.at(-1)
    if (page.length < perPage) return found
  }
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  'Actual Rows': number
  Plans?: PlanNode[]
}

function describe(node: PlanNode): string[] {
  const index = node['Index Name'] ? ` ${node['Index Name']} ${node['Index Cond'] ? 'range' : 'whole'}` : ''
  const table = !node['Index Name'] && node['Relation Name'] ? ` ${node['Relation Name']}` : ''
  return [`${node['Node Type']}${index}${table}, ${node['Actual Rows']} rows`, ...(node.Plans ?? []).flatMap(describe)]
}
