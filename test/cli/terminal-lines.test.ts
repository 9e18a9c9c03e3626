import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { createNarrator } from '../../cli/demo/narrator.ts'
import { explanations } from '../../cli/doctor/explanations.ts'
import { type Finding, linesOfFinding } from '../../cli/doctor/finding.ts'
import { cut, labelled, wrapped } from '../../cli/terminal-lines.ts'

const url = 'http://127.0.0.1:12111/pay'

test('an address is beside its name, or whole on a line of its own where the terminal is narrow', () => {
  expect(labelled('payment page', url, { indent: 2, columns: 80 })).toEqual([`  payment page         ${url}`])
  expect(labelled('payment page', url, { indent: 2, columns: 40 })).toEqual(['  payment page', url])
  expect(labelled('payment page', url, { indent: 2 })).toHaveLength(1)
})

test('a text is wrapped at spaces, with its lines under each other', () => {
  expect(wrapped('  1.0 s  ', 'one two three', 20)).toEqual(['  1.0 s  one two', '         three'])
  expect(wrapped('a long head  ', 'one two', 14)).toEqual(['a long head  one', '  two'])
  expect(cut('a progress line', 10)).toBe('a progres…')
})

test('the demo fits terminals of 40 to 80 columns', () => {
  for (const columns of [40, 60, 80]) {
    let written = ''
    const write = (text: string): void => {
      written += text
    }
    const narrator = createNarrator({ columns, isTTY: true, write })
    narrator.title('AMA eSIM: the backend that keeps its promises')
    narrator.chapter('The stack is up: Temporal, PostgreSQL, API, worker, and nine simulated outside parties', 'U2')
    narrator.progress('a Temporal server is built from Go modules, which takes about two minutes, once')
    narrator.step('the customer has paid, and the eSIM is there within the promised hour', true, 'order 123, EUR 5.00')
    narrator.link('API documentation', 'http://127.0.0.1:8080/docs')
    const lines = stripVTControlCharacters(written).split(/[\r\n]+/)
    expect(lines.filter((line) => line.length > columns)).toEqual([])
    expect(written).toContain('http://127.0.0.1:8080/docs')
  }
})

test('what the doctor says fits terminals of 40 to 120 columns, and is one line for each finding in a file', () => {
  const remedy = explanations.DATABASE_URL ?? ''
  const finding: Finding = { about: 'DATABASE_URL', state: 'fault', detail: 'is not an address of a database', remedy }
  const width = 'GOOGLE_SERVICE_ACCOUNT'.length
  expect(remedy.split(' ').length).toBeGreaterThan(5)
  for (const columns of [40, 60, 80, 120]) {
    const lines = linesOfFinding(finding, width, columns)
    // An address is never cut.
    expect(lines.filter((line) => line.length > columns && !line.includes('://'))).toEqual([])
    const words = lines.join(' ').split(/\s+/).join(' ')
    expect(words).toMatch(/^FAULT DATABASE_URL:? is not an address of a database → /)
    expect(words).toContain(remedy)
  }
  const [said, ...rest] = linesOfFinding(finding, width, Number.POSITIVE_INFINITY)
  expect([said, rest.length]).toEqual([`FAULT  ${'DATABASE_URL'.padEnd(width)}  is not an address of a database`, 1])
})
