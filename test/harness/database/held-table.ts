/** A table that others cannot use for a while. */
import type { Database } from '../../../db/connection/database.ts'

export interface HeldTable {
  release(): Promise<void>
}

/** Lets everybody else wait who uses a table. @param mode by default also those who only read */
export async function holdTable(
  sql: Database,
  name: string,
  mode: 'access exclusive' | 'share row exclusive' = 'access exclusive',
): Promise<HeldTable> {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let holding: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    holding = sql.begin(async (tx) => {
      await tx`lock table ${tx(name)} in ${tx.unsafe(mode)} mode`
      resolve()
      await released
    })
    holding.catch(reject)
  })
  return {
    release: async () => {
      release()
      await holding
    },
  }
}
