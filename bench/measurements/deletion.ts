/**
 * G3, deletion: the latency from DELETE to the receipt of a committed erasure, beside a bare update-with-start, with
 * few and with many other accounts.
 */
import { randomUUID } from 'node:crypto'
import type { Stack } from '../../dev/stack.ts'
import { untilCatalogued } from '../catalogued.ts'
import { startFloor } from '../floor/start.ts'
import { beside, type Compared, round, runRound, timed } from '../measure.ts'
import type { Say } from '../on-stack.ts'
import { addKeysAndDevices, insertOtherAccounts } from '../other-accounts.ts'
import { serviceOf } from '../service.ts'
import { openShop } from '../shop.ts'
import { until } from '../until.ts'

export interface DeletionFigures {
  /** from few to many other accounts */
  among: (Compared & { otherAccounts: number })[]
}

/** Each deleted person has a phone, a delivered order and its run. */
export async function benchDeletion(
  stack: Stack,
  options: { otherAccounts: number[]; deletions: number; say: Say },
): Promise<DeletionFigures> {
  const { otherAccounts, deletions, say } = options
  const { sql } = stack.context
  const call = serviceOf(stack)
  await untilCatalogued(stack)
  const shop = await openShop(stack)
  const floor = await startFloor(stack)
  const among: DeletionFigures['among'] = []
  const warmUp = Math.ceil(deletions / 5)
  try {
    let otherAccountsMade = 0
    for (const others of otherAccounts) {
      say(`making ${others} other accounts`)
      await insertOtherAccounts(sql, others - otherAccountsMade, new Date(Date.now() - 86_400_000), new Date())
      otherAccountsMade = others
      say(`signing up ${warmUp + deletions} people who buy something`)
      const people = await shop.newcomers(warmUp + deletions)
      // The data keys of the other accounts name the same key-encryption key as these people's.
      await addKeysAndDevices(sql)
      await runRound(people.length, 20, async (index) => void (await shop.deliver(people[index])))
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (const [index, accountId] of people.entries()) {
        const bare = await timed(() => floor.open(`floor-${randomUUID()}`))
        const deleted = await timed(() => call('DELETE', `/v1/accounts/${accountId}`))
        await untilStepsDone(accountId)
        if (index < warmUp) continue
        theirs.push(bare)
        ours.push(deleted)
      }
      const left = await sql`select from accounts where id in ${sql(people)}`
      if (left.length > 0) throw new Error(`${left.length} deleted people still have an account`)
      const figures = { otherAccounts: others, ...beside(ours, theirs) }
      among.push(figures)
      say(`among ${others}: DELETE p50 ${round(figures.p50Ms)} ms, a bare update ${round(figures.floorP50Ms)} ms`)
    }
    return { among }
  } finally {
    shop.close()
    await floor.stop()
  }

  /** Waits for the erasure steps that follow the answer, since they would slow down the next deletion. */
  async function untilStepsDone(accountId: string): Promise<void> {
    const accountRef = stack.context.cipher.accountRef(accountId)
    const later = ['database', 'temporal', 'backups', 'stripe_redaction']
    await until('the erasure steps of a deletion are done', async () => {
      const pending = await sql`
        select from deletion_steps s join deletions d using (receipt_id)
        where d.account_ref = ${accountRef} and s.state = 'pending' and s.processor not in ${sql(later)}`
      return pending.length === 0 || undefined
    })
  }
}
