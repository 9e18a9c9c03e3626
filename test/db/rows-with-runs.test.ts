/** The queries for rows that say that a run works on them, on a database as the migrations make it. */
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import * as rows from '../../db/operation/rows-with-runs.ts'
import { listStatedOrders } from '../../db/order/withdrawals.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'

const server = await startPostgres()
await migrate(server.url)
const sql = connectDatabase(server.url)
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await server.stop()
})

const at = new Date('2026-11-30T12:00:00Z')
const asked: Record<keyof typeof rows | 'listStatedOrders', () => Promise<unknown[]>> = {
  listStatedOrders: () => listStatedOrders(sql, { until: at }),
  listOpenRequests: () => rows.listOpenRequests(sql),
  listUnendedChanges: () => rows.listUnendedChanges(sql),
  listOpenRotations: () => rows.listOpenRotations(sql),
  listAnnouncedPolicies: () => rows.listAnnouncedPolicies(sql, at),
  listOpenBulkActions: () => rows.listOpenBulkActions(sql),
  listOpenCampaigns: () => rows.listOpenCampaigns(sql),
  listUnfinishedDeletions: () => rows.listUnfinishedDeletions(sql, at),
  listUnfinishedRestores: () => rows.listUnfinishedRestores(sql),
  listFollowedOrders: () => rows.listFollowedOrders(sql, { after: undefined, limit: 1 }),
}

test.each(Object.entries(asked))('%s asks what the database can answer', async (_name, list) => {
  expect(await list()).toEqual([])
})

test('a page of followed orders goes on behind the one before', async () => {
  const after = { id: '00000000-0000-4000-8000-000000000000', created_at: at }
  expect(await rows.listFollowedOrders(sql, { after, limit: 1 })).toEqual([])
})
