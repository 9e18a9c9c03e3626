/** R3: pg_dump gets into the database by the same trust as we do, and its arguments have no password. */
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { dumpDatabase, restoreDatabase } from '../../db/backup/pg-tools.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'

/** Programs that only write down how they were called. */
async function recording() {
  const folder = await throwawayFolder('ama-esim-pg-tools-')
  const calls = join(folder, 'calls')
  for (const program of ['pg_dump', 'pg_restore']) {
    const path = join(folder, program)
    await writeFile(path, `#!/bin/sh\ncat > /dev/null\nfor each in "$@"; do echo "$each" >> '${calls}'; done\n`)
    await chmod(path, 0o700)
  }
  return { tools: { folder, major: 99 }, calls: () => readFile(calls, 'utf8') }
}

const rootsIn = (called: string): string[] =>
  [...called.matchAll(/^--dbname=(.*)$/gm)].flatMap(([, url = '']) => new URL(url).searchParams.getAll('sslrootcert'))

test.each(['verify-full', 'verify-ca'])(
  'with sslmode=%s the programs verify by the list that Node verifies by',
  async (mode) => {
    const { tools, calls } = await recording()
    const url = `postgres://ama:secret@db.example.com/ama?sslmode=${mode}`
    await dumpDatabase(tools, url, { withoutData: [] }, async (dump) => (await text(dump)).length)
    await restoreDatabase(tools, url, Readable.from([]))
    const called = await calls()
    expect(called).not.toContain('secret')
    const paths = rootsIn(called)
    expect(paths).toHaveLength(2)
    for (const path of paths) expect(await readFile(path, 'utf8')).toContain(tls.rootCertificates[0])
  },
)

test('without verification, and with a list of the operator’s own, they get no other list', async () => {
  const { tools, calls } = await recording()
  for (const query of ['sslmode=disable', 'sslmode=require', 'sslmode=verify-full&sslrootcert=/own/list.pem'])
    await dumpDatabase(
      tools,
      `postgres://ama@db/ama?${query}`,
      { withoutData: [] },
      async (dump) => (await text(dump)).length,
    )
  expect(rootsIn(await calls())).toEqual(['/own/list.pem'])
})
