/**
 * Each promise has three planted violations. Each turns a figure of this promise, and with it the promise, from kept to
 * broken, and back. A run plants the first violation of each figure, and of the others one in three, which its seed
 * draws; `npm test -- --all test/promises` plants all.
 */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { figures } from '../../policy/figures.ts'
import { type PromiseId, promises } from '../../policy/promises.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { drawPart } from '../harness/seed.ts'
import { edges } from './edges.ts'
import { type Fixture, openFixture, type Shown, type Violation } from './fixture.ts'
import { planted } from './planted.ts'

const ids = keysOf(promises)
const draw = drawPart(3)
const all = ids.flatMap((id) => planted[id].violations.map((violation) => ({ id, violation, what: violation.what })))
const drawn = new Set(ids.flatMap((id, at) => draw(planted[id].violations, at)))
const isFirstOfItsFigure = ({ figure }: Violation, at: number): boolean =>
  all.findIndex(({ violation }) => violation.figure === figure) === at
const cases = all.filter(({ violation }, at) => drawn.has(violation) || isFirstOfItsFigure(violation, at))

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())

/** The figure of each planted violation and each edge, without values that grow by themselves. */
const shown = z
  .record(z.string(), z.looseObject({}))
  .parse(JSON.parse(await readFile(new URL('./shown.json', import.meta.url), 'utf8')))

function shownFor(what: string): object {
  const expected = shown[what]
  if (!expected) throw new Error(`test/promises/shown.json does not say what a figure shows of: ${what}`)
  return expected
}

/** The status of the promise, and what its figure shows. */
function read({ promises: read }: Shown, figure: string, id?: PromiseId) {
  const promise = read.find(
    (each) => (id === undefined || each.id === id) && each.figures.some(({ name }) => name === figure),
  )
  const found = promise?.figures.find(({ name }) => name === figure)
  return { promise: promise?.status, shows: { status: found?.status, value: found?.value, detail: found?.detail } }
}

describe('a planted violation breaks', () => {
  test.each(cases)('$id by a figure of its own: $what', async ({ id, violation }) => {
    const { figure } = violation
    try {
      await violation.plant(fixture)
      const evidence = await fixture.evidence()
      const { promise, shows } = read(evidence, figure, id)
      expect([promise, shows.status]).toEqual(['broken', 'broken'])
      expect(shows).toMatchObject(shownFor(violation.what))
      expect(fixture.people.filter((accountId) => JSON.stringify(evidence).includes(accountId))).toEqual([])
    } finally {
      await violation.mend(fixture)
    }
    const mended = await fixture.evidence()
    expect([mended.broken, mended.unknown]).toEqual([[], []])
  })
})

describe('beside the violations', () => {
  test.each(draw(edges))(
    'a figure shows a case at the edge of a violation as it is: $what',
    async ({ what, figure, plant, mend }) => {
      try {
        await plant(fixture)
        expect(read(await fixture.evidence(), figure).shows).toMatchObject(shownFor(what))
      } finally {
        await mend(fixture)
      }
      expect((await fixture.evidence()).broken).toEqual([])
    },
  )
})

test('every figure with a limit has a planted violation, and the figures without one are known', () => {
  const withViolation = new Set<string>(all.map(({ violation }) => violation.figure))
  const others = keysOf(figures).filter((name) => !withViolation.has(name))
  expect(others.sort()).toEqual(['notice_share', 'oldest_request', 'unfinished_erasures'])
  expect(others.filter((name) => 'brokenAbove' in figures[name])).toEqual([])
})

/** Of each promise the violations of one kind at one figure, beyond the first. */
const alike = (violations: readonly Violation[]): string[] =>
  violations
    .filter(({ kind, figure }, at) => violations.findIndex((one) => one.kind === kind && one.figure === figure) < at)
    .map(({ what }) => what)

test('the three violations of a promise differ, and two of one kind at one figure are explained', () => {
  for (const id of ids) {
    const { violations, because } = planted[id]
    expect(new Set(violations.map(({ what }) => what)).size, id).toBe(3)
    expect([id, alike(violations).length > 0]).toEqual([id, because !== undefined])
    const own: readonly string[] = promises[id].figures
    expect(violations.filter(({ figure }) => !own.includes(figure)).map(({ what }) => what)).toEqual([])
  }
})

test('docs/planted-violations.md matches the planted violations', async () => {
  const cell = (id: PromiseId, at: 0 | 1 | 2): string => {
    const { kind, what, figure } = planted[id].violations[at]
    return `*${kind}*: ${what} → \`${figure}\``
  }
  const rows = ids.map((id) => [`**${id}** ${promises[id].sentence}`, cell(id, 0), cell(id, 1), cell(id, 2)])
  const why = ids.flatMap((id) => (planted[id].because ? [`- **${id}**: ${planted[id].because}`] : []))
  const text = `# Planted violations

Generated from \`test/promises/violations\`. After a change there: \`npx vitest run test/promises/violations.test.ts -u\`.
\`npm test -- --all test/promises\` plants each of the ${ids.length * 3} violations in a running system and reads \`GET /v1/promises\`: the figure of
the promise turns from kept to broken, and back once the violation is mended.

- *code*: a function of ours runs with a fault in it, mostly one wrong condition in its statement
- *data*: rows that no code of ours writes
- *setting*: of the running API
- *schema*: of the database

${['| promise | first | second | third |', '|---|---|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n')}

## Where a kind comes twice at one figure

${why.join('\n')}
`
  await expect(text).toMatchFileSnapshot('../../docs/planted-violations.md')
})
