/** What an operator can do on the console can be done in a terminal as well. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { operatorsForms, operatorsPages } from '../browser/page-table.ts'

const source = await readFile(new URL('../../cli/acts.ts', import.meta.url), 'utf8')
const [, usage = ''] = /const usage = `(.*?)`/s.exec(source) ?? []

/** An act of the console that a command calls otherwise. */
const otherwise: Readonly<Record<string, string>> = { resolve: 'answer', 'enter-request': 'enter' }

/** Each form that changes an order, account, task, request or bulk action; test/browser/page-table.test.ts holds that none is missing. */
const acts = [...operatorsPages.flatMap(({ refuses = [] }) => refuses), ...operatorsForms.map(({ route }) => route)]
  .map((route) => /^POST \/console\/[\w-]+\/\{id\}\/(?:.*\/)?([\w-]+)$/.exec(route)?.[1])
  .filter((act) => act !== undefined)

const missing = (of: readonly string[], commands: string): string[] =>
  of.filter((act) => !new RegExp(`(?<![\\w-])${otherwise[act] ?? act}(?![\\w-])`).test(commands))

test('each act of the console has its command', () => {
  expect(acts.length).toBeGreaterThan(20)
  expect(missing(acts, usage)).toEqual([])
  expect(missing(['refund', 'dance'], usage)).toEqual(['dance'])
  expect(missing(acts, usage.replace('sign-out', ''))).toEqual(['sign-out'])
})
