/**
 * Each problem has a page with its cause and its remedy, and is a value of the enumeration by which programs decide.
 */
import { expect, test } from 'vitest'
import { passes } from '../../api/http/problem.ts'
import { problems } from '../../api/http/problems.ts'
import { remedies } from '../../api/pages/docs/remedies.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { readDescribed } from '../harness/api/described.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const codes = Object.keys(problems)
const meanings = Object.values(problems).map(({ meaning }) => meaning)

test('the page of each problem says what has led to it and what to do, and neither is what the problem means', async () => {
  const unsaid: string[] = []
  const same: string[] = []
  for (const [code, { meaning }] of Object.entries(problems)) {
    const { status, text } = await harness.anonymous.get(`/problems/${code}`)
    expect([code, status]).toEqual([code, 200])
    const [, cause, remedy] = /<h2>Cause<\/h2><p>(.*?)<\/p><h2>Remedy<\/h2><p>(.*?)<\/p>/.exec(text) ?? []
    const said = [cause, remedy].map((part) => wordsOf(part ?? ''))
    if (said.some((part) => !/^[A-Z].{15,}\.$/s.test(part))) unsaid.push(code)
    if (said.includes(wordsOf(meaning)) || said[0] === said[1]) same.push(code)
  }
  expect([unsaid, same]).toEqual([[], []])
})

test('a problem that tells a program to wait for Retry-After has that header', () => {
  const naming = codes.filter((code) => isKeyOf(remedies, code) && remedies[code].includes('Retry-After'))
  expect(naming).not.toEqual([])
  expect(naming.filter((code) => !(isKeyOf(problems, code) && passes(code)))).toEqual([])
})

test('the page of a problem that no operation names says where it is met', async () => {
  const answered = async (code: string) =>
    wordsOf((await harness.anonymous.get(`/problems/${code}`)).text.split('Answered by')[1] ?? '')
  expect(await answered('method_not_allowed')).toContain('Each address, to a method that it does not take.')
  expect(await answered('out_of_stock')).toContain('No operation: our own runs meet it.')
})

const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>|`/g, '')

test('the code of a problem is an enumeration of all problems, each with its meaning', async () => {
  const { Problem, ProblemCode } = (await readDescribed(harness.anonymous)).components.schemas
  expect(Problem?.properties?.code).toEqual({ $ref: '#/components/schemas/ProblemCode' })
  expect(ProblemCode?.enum).toEqual(codes)
  expect(ProblemCode?.['x-enum-descriptions']).toEqual(meanings)
})
