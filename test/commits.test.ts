/** Checks the commit rule of CONTRIBUTING.md for every commit since that file was added. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const rule = 'CONTRIBUTING.md'

/** The faults of a message. */
function faultsOf(message: string): string[] {
  const [subject = '', empty = '', ...body] = message.trim().split('\n')
  return [
    ...(subject.length > 72 ? ['the subject has more than 72 characters'] : []),
    ...(/^[a-z][\w/, -]*: \S/.test(subject) ? [] : ['the subject does not read `area: what`']),
    ...(empty === '' ? [] : ['the line after the subject is not empty']),
    ...(body.join('').trim() === '' ? ['no body says why'] : []),
  ]
}

/**
 * The faults of all commits since the rule, by commit. None without git, or in a shallow clone without these commits.
 */
async function faultsIn(folder: string): Promise<string[]> {
  const git = (...args: string[]): Promise<string> =>
    run('git', ['-C', folder, ...args], { maxBuffer: 64 * 1024 * 1024 }).then(
      ({ stdout }) => stdout,
      () => '',
    )
  if ((await git('rev-parse', '--is-shallow-repository')).trim() !== 'false') return []
  const since = (await git('log', '--diff-filter=A', '--format=%H', '--', rule)).trim().split('\n').at(-1) ?? ''
  if (since === '') return []
  const log = await git('log', '--no-merges', '--format=%H%n%B%x00', `${since}^..HEAD`)
  const messages = (log || (await git('log', '--no-merges', '--format=%H%n%B%x00')))
    .split('\0')
    .map((one) => one.trim())
  return messages.filter(Boolean).flatMap((one) => {
    const [hash = '', ...message] = one.split('\n')
    return faultsOf(message.join('\n')).map((fault) => `${hash.slice(0, 12)}: ${fault}`)
  })
}

test('every commit since the rule for commit messages follows it', async () => {
  expect(await faultsIn(fileURLToPath(new URL('../', import.meta.url)))).toEqual([])
})

test('a commit message needs an area and a change in 72 characters, and a reason below', () => {
  expect(faultsOf('orders: refund twice\n\nA bank may bounce the first.')).toEqual([])
  expect(faultsOf('Refund twice\n\nA bank may bounce the first.')).toHaveLength(1)
  expect(faultsOf(`orders: ${'x'.repeat(65)}\n\nWhy.`)).toHaveLength(1)
  expect(faultsOf('orders: refund twice')).toEqual(['no body says why'])
  expect(faultsOf('orders: refund twice\nA bank may bounce the first.\n\nWhy.')).toHaveLength(1)
})

test('the commit rule applies only to later commits, and passes without git and in a shallow clone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ama-esim-commits-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  expect(await faultsIn(folder)).toEqual([])
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@people.example', '-c', 'commit.gpgsign=false']
  const git = (...args: string[]) => run('git', ['-C', folder, ...who, ...args])
  const commit = async (file: string, message: string) => {
    await writeFile(join(folder, file), message)
    await git('add', '-A')
    await git('commit', '--quiet', '--no-verify', '-m', message)
  }
  await git('init', '--quiet')
  await commit('a', 'Something')
  await commit(rule, 'docs: the rule\n\nBecause.')
  expect(await faultsIn(folder)).toEqual([])
  await commit('b', 'Something else')
  expect(await faultsIn(folder)).toHaveLength(2)
  const clone = join(folder, 'clone')
  await run('git', ['clone', '--quiet', '--depth', '1', `file://${folder}`, clone])
  expect(await faultsIn(clone)).toEqual([])
})
