/**
 * Every regular expression takes linear time with any text. `recheck` proves it by an automaton, and an expression that
 * it cannot prove is refused: https://makenowjust-labs.github.io/recheck/
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from '@swc/core'
import { check } from 'recheck'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('../', import.meta.url))
/** All code outside tests and benchmarks; the generated client has no regular expressions. */
const folders = 'activities api cli db dev mails policy providers shared sim temporal workflows worker'.split(' ')

interface Expression {
  source: string
  flags: string
}

interface Found {
  file: string
  /** undefined: made at run time, and cannot be checked */
  expression: Expression | undefined
}

async function sourceFiles(): Promise<string[]> {
  const entries = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((it) => join(folder, it)),
    ),
  )
  return [...entries.flat(), ...(await readdir(root))].filter((file) => /\.(tsx?|mjs|cjs)$/.test(file)).sort()
}

async function expressionsIn(file: string): Promise<Found[]> {
  const text = await readFile(join(root, file), 'utf8')
  const program = await parse(text, { syntax: 'typescript', tsx: file.endsWith('x'), target: 'es2022' })
  const found: Found[] = []
  const look = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return
    const { type, pattern, flags, callee }: Record<string, unknown> = { ...node }
    if (type === 'RegExpLiteral') found.push({ file, expression: { source: String(pattern), flags: String(flags) } })
    if (typeof callee === 'object' && callee !== null && 'value' in callee && callee.value === 'RegExp') {
      found.push({ file, expression: undefined })
    }
    Object.values(node).forEach(look)
  }
  look(program)
  return found
}

/** @returns undefined for a proven expression */
async function faultOf({ source, flags }: Expression): Promise<string | undefined> {
  const result = await check(source, flags, { checker: 'automaton', timeout: 120_000 })
  if (result.status === 'safe') return undefined
  return result.status === 'vulnerable' ? result.complexity.summary : `not proven: ${result.error.kind}`
}

const found = (await Promise.all((await sourceFiles()).map(expressionsIn))).flat()

test('every regular expression takes linear time with any text', { timeout: 600_000 }, async () => {
  expect(found.length).toBeGreaterThan(100)
  const files = new Map<string, Set<string>>()
  for (const { file, expression } of found) {
    if (!expression) continue
    const key = JSON.stringify(expression)
    files.set(key, (files.get(key) ?? new Set()).add(file))
  }
  const faults: string[] = []
  for (const [key, users] of files) {
    const expression: Expression = JSON.parse(key)
    const fault = await faultOf(expression)
    if (fault) faults.push(`${[...users].join(', ')}: /${expression.source}/${expression.flags}: ${fault}`)
  }
  expect(faults).toEqual([])
})

test('the regular expressions of the body parser’s library that we use take linear time', async () => {
  const used = {
    email: z.email(),
    uuid: z.uuid(),
    e164: z.e164(),
    base64: z.base64(),
    moment: z.iso.datetime(),
    day: z.iso.date(),
  }
  for (const [name, schema] of Object.entries(used)) {
    const { pattern } = schema._zod.def
    expect(pattern, name).toBeInstanceOf(RegExp)
    if (pattern) expect([name, await faultOf(pattern)]).toEqual([name, undefined])
  }
})

test('only simulators make regular expressions at run time', () => {
  const made = found.filter(({ expression }) => !expression).map(({ file }) => file)
  expect([...new Set(made)]).toEqual(['sim/simulator.ts', 'sim/stripe/actions.ts'])
})

test.each([
  ['the one that stopped the API', /name="?x"?[^\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\ny\r?\n/],
  ['an exponential one', /^(a|a)*$/],
  ['two that overlap', /^[^\s<]+@[^\s<]+$/],
  ['one without an anchor', /\s+$/],
])('the check of regular expressions finds %s', async (_name, expression) => {
  expect(await faultOf(expression)).toMatch(/polynomial|exponential/)
})
