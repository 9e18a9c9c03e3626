/**
 * U2: paid means delivered or refunded. A run that nobody can read is left to an operator. The restore goes on with the
 * others, and takes none of its acts for undone.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { Client } from '@temporalio/client'
import { METADATA_ENCODING_KEY, type Payload } from '@temporalio/common'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redoDeletions } from '../../cli/restore/deletions.ts'
import { erasuresFromTemporal } from '../../cli/restore/erasure-sources.ts'
import { createFailureIsolation } from '../../cli/restore/failure-isolation.ts'
import { listOrderRuns } from '../../cli/restore/order-runs.ts'
import { rebuild } from '../../cli/restore/rebuild.ts'
import { repeating } from '../../cli/restore/until-answered.ts'
import { listItems, listItemsToSettle } from '../../db/backup/restores.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { listDocuments } from '../../db/order/books.ts'
import { findOrder } from '../../db/order/orders.ts'
import { plusDays, plusMs } from '../../shared/calendar.ts'
import { createDataConverter, payloadConverterPath, unreadableMarker } from '../../temporal/payload-codec.ts'
import { accountDeletionType, accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { partialRefundType, partialRefundWorkflowId } from '../../workflows/order/partial-refund.contract.ts'
import { withdrawalType, withdrawalWorkflowId } from '../../workflows/order/withdrawal.contract.ts'
import { signInEndedType, signInEndedWorkflowId } from '../../workflows/sign-in-ended.contract.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { loseDelivery, loseOrders, openRestore } from '../harness/lost.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false, model: false, replay: false })
const { temporal } = harness
const context = repeating(harness.context, 0)
const { sql, cipher } = context
const since = plusMs(new Date(), -1_000)

/** A client that reads some of the payloads as another value. @param change gives it; undefined: as it is */
const clientWith = (change: (text: string) => unknown): Client =>
  new Client({
    connection: temporal.connection,
    namespace: temporal.options.namespace,
    dataConverter: {
      payloadConverterPath,
      payloadCodecs: [
        {
          encode: async (payloads) => payloads,
          decode: async (payloads) => payloads.map((payload) => withValue(payload, change(textOf(payload)))),
        },
      ],
    },
  })
const textOf = ({ data }: Payload): string => Buffer.from(data ?? []).toString('utf8')
const withValue = (payload: Payload, value: unknown): Payload =>
  value === undefined
    ? payload
    : {
        metadata: { [METADATA_ENCODING_KEY]: Buffer.from('json/plain') },
        data: Buffer.from(JSON.stringify(value)),
      }

/** Runs that another program has started, or whose key is lost; no worker of ours takes them. */
const other = new Client({
  connection: temporal.connection,
  namespace: temporal.options.namespace,
  dataConverter: createDataConverter({ activeId: 'lost', keys: new Map([['lost', randomBytes(32)]]) }),
})
const started: string[] = []
async function start(type: string, workflowId: string, input: unknown, client: Client = other): Promise<string> {
  await client.workflow.start(type, { workflowId, taskQueue: 'nobody', args: [input] })
  started.push(workflowId)
  return workflowId
}
afterAll(async () => {
  for (const workflowId of started) await temporal.workflow.getHandle(workflowId).terminate()
})

interface Bought {
  accountId: string
  orderId: string
  payment: string
  numbers: string[]
}
async function bought(): Promise<Bought> {
  const { accountId } = await harness.signUp()
  const { id: orderId } = await harness.buy({ accountId }, { packageCode: testPackages.onlyEsimAccess })
  return { accountId, orderId, payment: (await findOrder(sql, orderId))?.payment_intent_id ?? '', numbers: [] }
}
const itemsOf = async (subjectId: string) =>
  (await listItems(sql, restoreId, { after: undefined, outcome: undefined, limit: 100 })).filter(
    (item) => item.subjectId === subjectId,
  )
const undecided = (kind: string, subjectId: string) => [
  { kind, subjectId, outcome: 'undecided', detail: 'HistoryUnreadable' },
]
const tasksOf = (subjectId: string) => sql`
  select kind, detail from attention where subject_id = ${subjectId} and resolved_at is null order by kind`

let people: Record<'input' | 'result' | 'form' | 'lost' | 'readable', Bought>
let runs: Record<'order' | 'noOrder' | 'empty' | 'partialRefund' | 'withdrawal' | 'signInEnded' | 'deletion', string>
let restoreId: string
const ofNobody = { order: randomUUID(), empty: randomUUID(), erased: randomBytes(8).toString('hex') }

beforeAll(async () => {
  const [input, result, form, lost, readable] = await Promise.all([bought(), bought(), bought(), bought(), bought()])
  people = { input, result, form, lost, readable }
  const anything = { orderId: randomUUID(), accountId: randomUUID(), packageCode: testPackages.topUp }
  runs = {
    order: await start('order', orderWorkflowId(ofNobody.order), anything),
    noOrder: await start('order', orderWorkflowId('none of ours'), anything),
    empty: await start('order', orderWorkflowId(ofNobody.empty), null, temporal),
    partialRefund: await start(partialRefundType, partialRefundWorkflowId(randomUUID()), anything),
    withdrawal: await start(withdrawalType, withdrawalWorkflowId(randomUUID()), anything),
    signInEnded: await start(signInEndedType, signInEndedWorkflowId(randomUUID()), anything),
    deletion: await start(accountDeletionType, accountDeletionWorkflowId(ofNobody.erased), anything),
  }
  const ids = [input, result, form, lost, readable].map(({ orderId }) => orderId)
  await until('all runs are listed', async () => {
    const listed = await listOrderRuns(temporal, since)
    const shown = listed.filter(({ status }) => status === 'delivered').map(({ orderId }) => orderId)
    const all = [...ids, ofNobody.order, ofNobody.empty]
    return ids.every((id) => shown.includes(id)) && all.every((id) => listed.some(({ orderId }) => orderId === id))
  })
  for (const each of [input, result, form, readable]) each.numbers = await loseDelivery(sql, each.orderId)
  await loseOrders(sql, lost.accountId)
  const lostTexts = [input.orderId, lost.orderId]
  const client = clientWith((text) => {
    if (form.numbers.some((number) => text.includes(`"${number}"`))) return { ...JSON.parse(text), invoiceNumber: 7 }
    const isLost =
      lostTexts.some((id) => text.includes(id)) || result.numbers.some((number) => text.includes(`"${number}"`))
    return isLost ? unreadableMarker : undefined
  })
  restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  await rebuild(context, { restoreId, since, settled: [], temporal: client, isolate, say: () => undefined })
})

test('an order whose run can be read is rebuilt beside them', async () => {
  const { orderId, numbers } = people.readable
  expect(await itemsOf(orderId)).toEqual([{ kind: 'order', subjectId: orderId, outcome: 'rebuilt', detail: null }])
  expect((await listDocuments(sql, orderId)).map(({ number }) => number)).toEqual(numbers)
})

test.each([
  ['the input', 'input'],
  ['the number of its invoice', 'result'],
  ['the number of its invoice, which is no text,', 'form'],
] as const)(
  'U6: a delivered order is closed with a task and no second number when %s cannot be read',
  async (_what, who) => {
    const { orderId } = people[who]
    expect(await findOrder(sql, orderId)).toMatchObject({ status: 'cancelled', reason: 'payment_not_accepted' })
    expect(await listDocuments(sql, orderId)).toEqual([])
    expect(await itemsOf(orderId)).toEqual(undecided('order', orderId))
    expect(await tasksOf(orderId)).toEqual([
      { kind: 'payment_not_accepted', detail: 'restore' },
      { kind: 'restore_undecided', detail: 'HistoryUnreadable' },
    ])
  },
)

test('U2: nothing refunds an order that is lost and may have been delivered', async () => {
  const { orderId, payment } = people.lost
  expect(await itemsOf(orderId)).toEqual(undecided('order', orderId))
  expect(await itemsOf(payment)).toEqual([])
  expect(await listItemsToSettle(sql, restoreId)).toEqual([])
  const [task] = await sql`select attributes from attention where subject_id = ${orderId}`
  expect(task?.attributes).toMatchObject({ run: 'open, delivered', payments: payment })
})

test.each([
  ['order', ofNobody.order],
  ['order', 'none of ours'],
  ['order', ofNobody.empty],
] as const)('a run of another program that looks like one of an %s (%s) is a line of the report', async (kind, id) => {
  expect(await itemsOf(id)).toMatchObject([{ kind, outcome: 'undecided' }])
  expect(await tasksOf(id)).toMatchObject([{ kind: 'restore_undecided' }])
})

test.each(['partialRefund', 'withdrawal', 'signInEnded'] as const)(
  'a run of the type %s that nobody can read is a line of the report',
  async (type) => {
    expect(await itemsOf(runs[type])).toEqual(undecided('run', runs[type]))
    expect(await tasksOf(runs[type])).toMatchObject([{ kind: 'restore_undecided' }])
  },
)

test('G3: a deletion that nobody can read erases nobody, and keeps no other one from being known', async () => {
  const erasures = await erasuresFromTemporal(temporal)
  expect(erasures.unreadable).toEqual([runs.deletion])
  expect(erasures.ledger.map(({ accountRef }) => accountRef)).not.toContain(ofNobody.erased)
  const { runId } = await temporal.workflow.getHandle(runs.deletion).describe()
  const isolate = createFailureIsolation(sql, restoreId)
  const shown = { accountRef: ofNobody.erased, workflowId: runs.deletion, runId }
  expect(await redoDeletions(context, temporal, [shown], { at: new Date(), isolate })).toBe(0)
  expect(await itemsOf(runs.deletion)).toEqual(undecided('run', runs.deletion))
})

test('G3: a deletion whose erasure was answered in another form is a line of the report', async () => {
  const { receiptId, workflowId } = await deleteAccount(harness.stack, await harness.signUp(), harness.service)
  const { runId } = await temporal.workflow.getHandle(workflowId).describe()
  const client = clientWith((text) =>
    text.includes(receiptId) && text.includes('"pending"') ? { receiptId } : undefined,
  )
  const isolate = createFailureIsolation(sql, restoreId)
  const run = { accountRef: workflowId.slice(accountDeletionWorkflowId('').length), workflowId, runId }
  // Its last backup is due by then.
  expect(await redoDeletions(context, client, [run], { at: plusDays(new Date(), 200), isolate })).toBe(0)
  expect(await itemsOf(workflowId)).toEqual(undecided('run', workflowId))
})

test('a seal of an erased person that nobody can open is a line of the report', async () => {
  const receiptId = randomUUID()
  await sql.begin(async (tx) => {
    const at = new Date()
    await tx`insert into deletions (receipt_id, account_ref, reason, erased_at, backups_gone_by)
      values (${receiptId}, ${cipher.accountRef(randomUUID())}, 'requested', ${at}, ${at})`
    const fields = tableEncryption(cipher, await context.dataKeys.create(tx, receiptId), 'deletion_seals')
    await tx`insert into deletion_seals (receipt_id, payments) values (${receiptId}, ${fields.seal('address', 'of another column')})`
  })
  restoreId = await openRestore(sql)
  const isolate = createFailureIsolation(sql, restoreId)
  const options = { restoreId, since: new Date(), settled: [], temporal: undefined, isolate, say: () => undefined }
  await rebuild(context, options)
  expect(await itemsOf(receiptId)).toMatchObject([{ kind: 'run', outcome: 'undecided' }])
  await sql`delete from deletion_seals where receipt_id = ${receiptId}`
})
