/**
 * docs/security/ answers each requirement of ASVS 5.0 (levels 1 and 2) and of the OWASP API Top 10, by tests that
 * exist.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { apiTopTen } from './standards/api-top-10.ts'
import { asvsInput } from './standards/asvs-input.ts'
import { asvsOperation } from './standards/asvs-operation.ts'
import { asvsPeople } from './standards/asvs-people.ts'
import type { StandardRow } from './standards/row.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const asvs = [...asvsInput, ...asvsPeople, ...asvsOperation]
const rows = [...asvs, ...apiTopTen]
/** The ids of all requirements of level 1 and 2 with their levels, from OWASP's own list. */
const levels = new Map(
  (await readFile(new URL('./standards/asvs-5.0.0.txt', import.meta.url), 'utf8'))
    .trim()
    .split('\n')
    .map((line): [string, string] => {
      const [id = '', level = ''] = line.split(' ')
      return [id, level]
    }),
)

test('each requirement of ASVS 5.0 on level 1 and 2 has one answer, in its order', () => {
  expect(levels.size).toBe(253)
  expect(asvs.map(({ id }) => id)).toEqual([...levels.keys()])
})

test('each risk of the OWASP API Security Top 10 has one answer', () => {
  expect(apiTopTen.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, at) => `API${at + 1}:2023`))
})

test('each test file that an answer about ASVS or the API Top 10 names exists', () => {
  const named = rows.flatMap(({ id, tests }) => tests.map((file) => ({ id, file })))
  expect(named.filter(({ file }) => !existsSync(root + file))).toEqual([])
})

test('an answer about ASVS or the API Top 10 says how or why, and names no test when it does not apply or is not met', () => {
  expect(rows.filter(({ how, about }) => how === '' || about === '')).toEqual([])
  const without = rows.filter(({ status }) => status === 'does not apply' || status === 'not met')
  expect(without.filter(({ tests }) => tests.length > 0)).toEqual([])
})

const table = (given: readonly StandardRow[], withLevel: boolean): string =>
  [
    `| requirement |${withLevel ? ' level |' : ''} about | answer | how, or why not | tests |`,
    `| --- |${withLevel ? ' --- |' : ''} --- | --- | --- | --- |`,
    ...given.map(({ id, about, status, how, tests }) => {
      const links = tests.map((file) => `[${file.replace(/^test\//, '')}](../../${file})`).join(', ')
      return `| ${id} |${withLevel ? ` ${levels.get(id)} |` : ''} ${about} | ${status} | ${how} | ${links} |`
    }),
  ].join('\n')

const count = (status: StandardRow['status']): number => asvs.filter((row) => row.status === status).length

test('docs/security/standards.md matches the answers', async () => {
  const text = `# Security standards

Generated from \`test/attack/standards/\`. After a change there: \`npx vitest run test/attack/standards.test.ts -u\`.

The ids are those of the [OWASP Application Security Verification Standard 5.0.0](https://owasp.org/www-project-application-security-verification-standard/)
and of the [OWASP API Security Top 10 2023](https://owasp.org/API-Security/editions/2023/en/0x00-header/), both by the OWASP Foundation under
CC BY-SA 4.0; their texts are not repeated here. The column "about" is a short hint in our own words: read the requirement
itself. The answers are those of the people who wrote the product: nobody else has verified them.

Of the ${asvs.length} requirements on level 1 and 2, ${count('met')} are met, ${count('partly')} partly, ${count('not met')} not, and ${count('does not apply')} do not apply.

## OWASP API Security Top 10 2023

${table(apiTopTen, false)}

## ASVS 5.0.0, level 1 and 2

${table(asvs, true)}
`
  await expect(text).toMatchFileSnapshot('../../docs/security/standards.md')
})
