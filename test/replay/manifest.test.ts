/** Kept histories are added and never edited: runs that began under them may be open for years. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { faultsInHistories, listNewHistories, lostLines } from './manifest.ts'

test('no kept history was edited or removed', async () => {
  expect(await faultsInHistories()).toEqual([])
})

test('no line of the manifest of kept histories was ever changed or removed', async () => {
  expect(await lostLines()).toEqual([])
})

describe('in an example repository', () => {
  const run = promisify(execFile)

  async function example() {
    const folder = await mkdtemp(join(tmpdir(), 'ama-esim-histories-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await mkdir(join(folder, 'histories'))
    const write = (name: string, text: string) => writeFile(join(folder, 'histories', name), text)
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@people.example', '-c', 'commit.gpgsign=false']
    const git = (...args: string[]) => run('git', ['-C', folder, ...who, ...args])
    const commit = async () => {
      await git('add', '-A')
      await git('commit', '--quiet', '--no-verify', '-m', 'a change')
    }
    await write('a.1.json', 'one')
    await listNewHistories(folder)
    return { folder, write, git, commit }
  }

  test('a history that is edited, removed or not listed is a fault, and one that is added is none', async () => {
    const { folder, write } = await example()
    await write('b.1.json', 'two')
    expect(await faultsInHistories(folder)).toEqual([expect.stringContaining('b.1.json is not in histories.sha256')])
    await listNewHistories(folder)
    expect(await faultsInHistories(folder)).toEqual([])
    await write('a.1.json', 'another')
    await listNewHistories(folder)
    await rm(join(folder, 'histories/b.1.json'))
    expect(await faultsInHistories(folder)).toEqual(['a.1.json was edited', 'b.1.json was removed'])
  })

  test('a history that is edited together with its line is found in git', async () => {
    const { folder, write, git, commit } = await example()
    await git('init', '--quiet')
    await commit()
    await write('a.1.json', 'another')
    await rm(join(folder, 'histories.sha256'))
    await listNewHistories(folder)
    expect(await faultsInHistories(folder)).toEqual([])
    expect(await lostLines(folder)).toEqual([expect.stringContaining('a.1.json')])
    await commit()
    expect(await lostLines(folder)).toEqual([expect.stringContaining('a.1.json')])
  })

  test('a shallow clone, or a folder without git, is verified by the manifest only', async () => {
    const { folder, write, git, commit } = await example()
    expect(await lostLines(folder)).toEqual([])
    await git('init', '--quiet')
    await commit()
    await write('b.1.json', 'two')
    await listNewHistories(folder)
    await commit()
    const clone = join(folder, 'clone')
    await run('git', ['clone', '--quiet', '--depth', '1', `file://${folder}`, clone])
    expect([await faultsInHistories(clone), await lostLines(clone)]).toEqual([[], []])
  })
})
