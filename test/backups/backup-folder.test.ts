/** R3: a file of the backup folder is whole, and says by its beginning who can open it. */
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { openBackupFolder, type StoredFile } from '../../db/backup/backup-folder.ts'
import { replaceKeys } from '../../db/backup/key-snapshot.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'

const keyring = (id: string) => ({ activeId: id, keys: new Map([[id, randomBytes(32)]]) })
const rows = (text: string) => Readable.from([text], { objectMode: false })
const ids = (files: readonly StoredFile[]) => files.map(({ id }) => id)

const earlier = '2026-11-29T03-00-00-000Z'
const [one, other] = ['2026-11-30T03-00-00-000Z', '2026-11-30T03-00-01-000Z'] as const

test('two attempts at one file do not write into each other: the last one to end is the file', async () => {
  const path = await throwawayFolder('ama-esim-backups-')
  const folder = openBackupFolder(path, keyring('a'))
  const lost = new PassThrough()
  const losing = folder.write('dump', one, lost)
  lost.write(randomBytes(300_000))
  const whole = randomBytes(200_000)
  await folder.write('dump', one, Readable.from([whole], { objectMode: false }))
  expect((await buffer(folder.read('dump', one))).equals(whole)).toBe(true)
  lost.end(randomBytes(300_000))
  await losing
  expect((await buffer(folder.read('dump', one))).length).toBe(600_000)
  expect(await readdir(path)).toEqual([`dump-${one}.enc`])
})

test('a file does not get its name without what has to be there with it', async () => {
  const path = await throwawayFolder('ama-esim-backups-')
  const folder = openBackupFolder(path, keyring('a'))
  const full = () => Promise.reject(new Error('no space is left'))
  await expect(folder.write('dump', one, rows('a dump'), { beforeNamed: full })).rejects.toThrow('no space')
  expect(await readdir(path)).toEqual([])
})

test('of two key snapshots that are made at once neither is deleted, and the one from before is', async () => {
  const folder = openBackupFolder(await throwawayFolder('ama-esim-backups-'), keyring('a'))
  await folder.write('keys', earlier, rows('older keys'))
  /** Each lets no call of its kind go on before both have come. */
  const together = <Input extends unknown[], Result>(call: (...input: Input) => Promise<Result>) => {
    let come = 0
    let letGo = (): void => {}
    const both = new Promise<void>((resolve) => {
      letGo = resolve
    })
    return async (...input: Input): Promise<Result> => {
      const result = await call(...input)
      come += 1
      if (come === 2) letGo()
      await both
      return result
    }
  }
  const slow = { list: together(folder.list), write: together(folder.write), delete: folder.delete }
  const { signal } = new AbortController()
  await Promise.all(
    [one, other].map((id) => replaceKeys(slow, id, { exportRows: async () => rows(`keys of ${id}`), signal })),
  )
  expect(ids(await folder.list('keys'))).toEqual([one, other])
})

test('files of a key that is not there any more, and files that are none, are found by their beginning', async () => {
  const path = await throwawayFolder('ama-esim-backups-')
  const [old, now] = [keyring('old'), keyring('now')]
  await openBackupFolder(path, old).write('dump', earlier, rows('a dump'))
  const folder = openBackupFolder(path, now)
  await folder.write('dump', one, rows('a dump'))
  await writeFile(join(path, `dump-${other}.enc`), '')
  const dumps = await folder.list('dump')
  expect(ids(await folder.unreadable(dumps))).toEqual([earlier, other])
  const both = { activeId: 'now', keys: new Map([...now.keys, ...old.keys]) }
  expect(ids(await openBackupFolder(path, both).unreadable(dumps))).toEqual([other])
  // Another run deletes it meanwhile.
  await folder.delete('dump', other)
  expect(ids(await folder.unreadable(dumps))).toEqual([earlier])
})

test('a folder to which nothing was written yet has no files, finished or not', async () => {
  const folder = openBackupFolder(join(await throwawayFolder('ama-esim-backups-'), 'not-there'), keyring('a'))
  await folder.deleteUnfinished(new Date())
  expect(await folder.list('dump')).toEqual([])
})
