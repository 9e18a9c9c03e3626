/** Changes a database as a whole or not at all: on a copy, which takes its name at the end. */
import type { Database } from '../connection/database.ts'
import { databaseName, databaseUrl, withDatabase } from './restore.ts'

/** Programs use the database; what they write meanwhile would be lost. */
export class DatabaseInUse extends Error {
  override readonly name = 'DatabaseInUse'
}

/** Another command restores the database, or works on its copy. */
export class CopyInUse extends Error {
  override readonly name = 'CopyInUse'
}

/**
 * Works while no other command does the like with a database of this name: both would fill, drop and name the same
 * databases beside it. The end of the program, however it comes, lets the next one in.
 * @param sql a pool of at least two connections to the server's own database
 * @throws CopyInUse
 */
export async function whileAlone<Result>(sql: Database, name: string, work: () => Promise<Result>): Promise<Result> {
  let letGo = (): void => {}
  const done = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const isAlone = await new Promise<boolean>((resolve, reject) => {
    // The lock is the transaction's, which does nothing else: the pool would close a connection that rests.
    const holding = sql.begin(async (tx) => {
      const [lock] = await tx<{ taken: boolean }[]>`
        select pg_try_advisory_xact_lock(hashtextextended(${`ama-esim copy of ${name}`}, 0)) as taken`
      resolve(lock?.taken === true)
      if (lock?.taken) await done
    })
    holding.catch(reject)
  })
  if (!isAlone) throw new CopyInUse(`another command restores ${name}, or tries again what a restore has left there`)
  try {
    return await work()
  } finally {
    letGo()
  }
}

/**
 * Works on a copy of a database that nobody can use meanwhile. When the work fails, or the program is killed, the
 * database is as it was; after a kill it takes no connections until this is called again.
 * @param url of the database, with its owner's credentials
 * @throws DatabaseInUse, CopyInUse
 */
export async function onCopy<Result>(url: string, work: (copyUrl: string) => Promise<Result>): Promise<Result> {
  const name = databaseName(url)
  const copy = `${name}_restoring`
  const replaced = `${name}_replaced`
  return withDatabase(databaseUrl(url, 'postgres'), (sql) => whileAlone(sql, name, () => replaceByCopy(sql)))

  async function replaceByCopy(sql: Database): Promise<Result> {
    const drop = (which: string) => sql`drop database if exists ${sql(which)} with (force)`
    await sql`alter database ${sql(name)} with allow_connections false`
    try {
      const users = await sql`select from pg_stat_activity where datname = ${name}`
      if (users.length > 0) throw new DatabaseInUse(`${users.length} connections use the database ${name}`)
      for (const left of [copy, replaced]) await drop(left)
      await sql`create database ${sql(copy)} template ${sql(name)}`
      const result = await work(databaseUrl(url, copy))
      await sql.begin(async (tx) => {
        await tx`alter database ${tx(name)} rename to ${tx(replaced)}`
        await tx`alter database ${tx(copy)} rename to ${tx(name)}`
      })
      return result
    } finally {
      await sql`alter database ${sql(name)} with allow_connections true`
      // The replaced database is as it was before the work; a copy that is left has work that has failed halfway.
      for (const left of [copy, replaced]) await drop(left)
    }
  }
}
