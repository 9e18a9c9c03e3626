/**
 * Each problem has a page with its cause and its remedy, and is a value of the enumeration by which programs decide.
 */
import { expect, test } from 'vitest'
import { problems } from '../../api/http/problems.ts'
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

const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>|`/g, '')

test('the code of a problem is an enumeration of all problems, each with its meaning', async () => {
  const { Problem, ProblemCode } = (await readDescribed(harness.anonymous)).components.schemas
  expect(Problem?.properties?.code).toEqual({ $ref: '#/components/schemas/ProblemCode' })
  expect(ProblemCode?.enum).toEqual(codes)
  expect(ProblemCode?.['x-enum-descriptions']).toEqual(meanings)
})
