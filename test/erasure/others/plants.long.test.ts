/**
 * Planted violations: whatever takes another person's id for a right to their data, the matrix of others' ids finds. A
 * planted API does as the other person what holds their id at a place; a planted erasure reaches their rows, keys or
 * runs.
 */
import { expect, test } from 'vitest'
import type { OwnedIds } from '../../../db/connection/schema.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus, type Request } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { until } from '../../harness/until.ts'
import { addedSince, changedSince, lookTwice, nothingChanged, readEverybody, untilQuiet } from '../living.ts'
import { openSenders } from './senders.ts'
import { readSendings } from './sendings.ts'

const harness = await openHarness({ books: false })
const { sql, cipher } = harness.context

/** Anna, whose data nothing may change, and everybody's rows with her runs; then Ben, who sends and is erased. */
async function twoPersons() {
  const anna = await harness.signUp()
  await harness.buy(anna)
  await untilQuiet(harness)
  // The first who reads events numbers them, for everybody: that is no change of a person's rows.
  expectStatus(await harness.service.get('/v1/events'), 200)
  const annas = `AccountRef = '${cipher.accountRef(anna.accountId)}'`
  const before = await readEverybody(harness, annas)
  const ben = await harness.signUp()
  const { id: orderId } = await harness.buy(ben)
  await untilQuiet(harness)
  return { anna, ben, orderId, annas, before }
}

/** An API that takes whoever is named at a place of a request for the one who sends it. */
function mistaken(sender: Person, named: Person, names: (path: string, request: Request) => boolean): Person {
  const call: Person['caller']['call'] = (method, path, request = {}) =>
    (names(path, request) ? named : sender).caller.call(method, path, request)
  return { ...sender, caller: { ...sender.caller, call } }
}

const places: [place: string, names: (id: string) => (path: string, request: Request) => boolean][] = [
  ['path', (id) => (path) => (path.split('?')[0] ?? '').includes(id)],
  [
    'body',
    (id) =>
      (_path, { body }) =>
        JSON.stringify(body ?? '').includes(id),
  ],
]

test.each(places)('an API that takes the id in the %s of a request for its sender is found', async (_place, names) => {
  const { anna, ben, orderId, annas, before } = await twoPersons()
  const person = mistaken(ben, anna, names(anna.accountId))
  const senders = await openSenders(harness, await readSendings(harness.anonymous), { person, orderId })
  const ofAnna = await sql<Pick<OwnedIds, 'id' | 'kind'>[]>`
    select kind, id from owned_ids where account_id = ${anna.accountId} and kind = 'account'`
  await senders.send(ofAnna)
  await untilQuiet(harness)
  const found = await changedSince(harness, before, annas)
  expect([...found.rows, ...(await addedSince(harness, before, anna.accountId))]).not.toEqual([])
})

/** What an erasure may reach that is not its person's, and what shows it. */
const reaches: [what: string, statement: string, shown: RegExp][] = [
  ['a row', 'update accounts set promotions = not promotions where id = anna', /^accounts: /],
  ['an order', 'update orders set quantity = quantity + 1 where account_id = anna', /^orders: /],
  [
    "a data key's bytes",
    "update data_keys set wrapped_key = wrapped_key || '\\x00' where account_id = anna",
    /^data_keys: /,
  ],
]

/** Plants a statement that runs when Ben's row of a table is deleted or changed. @returns what takes it out again */
async function plant(when: string, statement: string, anna: Person): Promise<() => Promise<void>> {
  const body = statement.replaceAll('anna', `'${anna.accountId}'`)
  await sql.unsafe(
    `create function planted() returns trigger language plpgsql as $$ begin ${body}; return null; end $$`,
  )
  await sql.unsafe(`create trigger planted ${when} execute function planted()`)
  return async () => void (await sql.unsafe('drop function planted() cascade'))
}

test.each(reaches)('an erasure that reaches %s of another person is found', async (_what, statement, shown) => {
  const { anna, ben, annas, before } = await twoPersons()
  const uproot = await plant('after delete on accounts for each row', statement, anna)
  await deleteAccount(harness.stack, ben)
  await uproot()
  const { rows, runs } = await changedSince(harness, before, annas)
  expect([rows.map((row) => shown.test(row)), runs]).toEqual([[true], []])
})

test('an erasure whose second check, a quarter of an hour later, reaches a row of another person is found', async () => {
  const { anna, ben, annas, before } = await twoPersons()
  const deletion = await deleteAccount(harness.stack, ben)
  expect(await changedSince(harness, before, annas)).toEqual(nothingChanged)
  const [, statement = ''] = reaches[0] ?? []
  const later = `after update on deletion_steps for each row when (new.processor = 'database' and new.state = 'done')`
  const uproot = await plant(later, statement, anna)
  await lookTwice(deletion)
  await uproot()
  const { rows, runs } = await changedSince(harness, before, annas)
  expect([rows.map((row) => /^accounts: /.test(row)), runs]).toEqual([[true], []])
})

test('an erasure that ends a run of another person is found', async () => {
  const { ben, annas, before } = await twoPersons()
  const open = before.runs.filter((run) => run.includes('RUNNING'))
  expect(open).not.toEqual([])
  await deleteAccount(harness.stack, ben)
  const [workflowId = '', runId = ''] = (open[0] ?? '').split(', ')
  await harness.temporal.workflow.getHandle(workflowId, runId).terminate('planted')
  const found = await until('the run has ended', async () => {
    const { rows, runs } = await changedSince(harness, before, annas)
    return runs.length > 0 && { rows, runs }
  })
  expect(found).toEqual({ rows: [], runs: [open[0]] })
})
