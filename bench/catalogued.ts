import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../dev/stack.ts'

/** Waits until the first sync of the catalogue has offers of both eSIM providers. @throws after a minute */
export async function untilCatalogued({ context }: Pick<Stack, 'context'>): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const [row] = await context.sql<{ count: number }[]>`
      select count(distinct o.provider)::int as count from packages p join package_offers o on o.package_code = p.code
      where p.active and o.available`
    if ((row?.count ?? 0) >= 2) return
    if (Date.now() > deadline) throw new Error('the catalogue is still empty')
    await pause(50)
  }
}
