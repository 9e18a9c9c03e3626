/**
 * `kill -9` of the worker at every step of an order: a run draws a part of the steps by its seed, `npm test -- --all`
 * takes them all. For each task of a reference run one order is stopped before the worker gets the task, and one before
 * the server gets its result. One more order for each call to an outside party is stopped with the call applied and its
 * reply lost. When all of them are stopped, the worker is killed. A new worker must bring each order to the reference's
 * end, with the same books.
 */
import { expect, test } from 'vitest'
import { claimPort } from '../../../dev/port.ts'
import { startWorkerProcess } from '../../../dev/programs/separate-processes.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { type OrderBooks, readBooks } from '../../harness/checks/books.ts'
import { openHarness } from '../../harness/harness.ts'
import { drawPart } from '../../harness/seed.ts'
import { openGate, type Step } from '../../harness/temporal/temporal-gate.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'
import { createLives, type Lifecycle, lifecycles } from '../lifecycles.ts'

const harness = await openHarness({ workers: 0 })
/** Requests of orders that are stopped at their first step are answered only by the new worker. */
const timeLimit = { timeoutMs: 540_000 }
/** A step that a busy machine has repeated under another number is not reached: it counts as missed below. */
const stopLimit = { timeoutMs: 90_000 }
const live = createLives(harness, timeLimit)

interface LostReply {
  lifecycle: Lifecycle
  simulator: 'stripe' | 'esimAccess' | 'airalo' | 'firebase' | 'meta'
  path: string
  packageCode?: string
}

/** The worker waits 10 s for each of these replies, except the last. */
const lostReplies: LostReply[] = [
  { lifecycle: 'delivered', simulator: 'airalo', path: '^/v2/orders$', packageCode: testPackages.onlyAiralo },
  { lifecycle: 'delivered', simulator: 'esimAccess', path: '/esim/order$' },
  { lifecycle: 'delivered', simulator: 'esimAccess', path: '/esim/query$' },
  { lifecycle: 'returned', simulator: 'esimAccess', path: '/esim/cancel$' },
  { lifecycle: 'unfilled', simulator: 'stripe', path: '^/v1/refunds$' },
  { lifecycle: 'cancelled', simulator: 'stripe', path: '/cancel$' },
  { lifecycle: 'delivered', simulator: 'firebase', path: 'messages:send$' },
  { lifecycle: 'delivered', simulator: 'meta', path: '/events$' },
  { lifecycle: 'delivered', simulator: 'stripe', path: '^/v1/payment_intents$' },
]

test('U2: a killed worker loses nothing and repeats nothing, wherever it was', { timeout: 600_000 }, async () => {
  await harness.sims.airalo.do('stock', { out: true })
  const stops = new Map<string, string>()
  const gate = await openGate(
    harness.settings.TEMPORAL_ADDRESS ?? '',
    (step) => stops.get(step.workflowId) === nameOf(step),
  )
  const killedWorker = await startWorker(gate.address)
  const references = await Promise.all(lifecycles.map((lifecycle) => live(lifecycle)))
  await Promise.all(references.map(({ end }) => end))

  const partOf = drawPart(3)
  const steps = partOf(
    references.flatMap(({ lifecycle, orderId }) =>
      gate.steps
        .filter((step) => step.workflowId === orderWorkflowId(orderId) && !isElsewhere(lifecycle, step))
        .map((step) => ({ lifecycle, stop: nameOf(step) })),
    ),
  )
  const stopping = await Promise.all(
    steps.map(async ({ lifecycle, stop }) => ({
      stop,
      ...(await live(lifecycle, { onId: (orderId) => stops.set(orderWorkflowId(orderId), stop) })),
    })),
  )
  const isStopped = ({ orderId }: { orderId: string }): boolean => gate.stopped.has(orderWorkflowId(orderId))
  await Promise.all(
    stopping.map((life) =>
      Promise.race([life.end, until(`${life.orderId} is stopped`, () => isStopped(life), stopLimit).catch(() => {})]),
    ),
  )
  // Simultaneous events can share a task: some runs do not have the last steps of the reference.
  const missed = stopping.filter((life) => !isStopped(life)).map(({ lifecycle, stop }) => `${lifecycle}: ${stop}`)
  expect(missed.length, missed.join(', ')).toBeLessThan(2 + steps.length / 8)

  const hanging: typeof stopping = []
  for (const { simulator, path, lifecycle, packageCode } of lostReplies) {
    await harness.sims.airalo.do('stock', { out: simulator !== 'airalo' })
    await harness.sims[simulator].fault({ match: { method: 'POST', path }, hang: 'after' })
    hanging.push({ stop: `${simulator} ${path}`, ...(await live(lifecycle, { packageCode })) })
    await until(`${path} hangs`, async () =>
      (await harness.sims[simulator].log()).some(({ url, status }) => new RegExp(path).test(url) && status === null),
    )
  }
  await killedWorker.kill()
  await gate.stop()

  const newWorker = await startWorker(harness.settings.TEMPORAL_ADDRESS ?? '')
  const lives = [...stopping, ...hanging]
  await Promise.all(lives.map(({ end }) => end))

  // A run closes after its last message, and the server lists it as closed a little later.
  const { orders } = await untilValue(
    'the runs of cancelled orders are closed',
    () => readBooks(harness.stack),
    (books) => books.orders.every(({ status, runIsOpen }) => status !== 'cancelled' || !runIsOpen),
    timeLimit,
  )
  const booksOf = (orderId: string) => comparable(orders.find((order) => order.orderId === orderId))
  for (const { lifecycle, stop, orderId, email } of lives) {
    const reference = references.find((life) => life.lifecycle === lifecycle)
    const where = `${lifecycle}, killed at ${stop}`
    expect(booksOf(orderId), where).toEqual(booksOf(reference?.orderId ?? ''))
    expect(await mailsTo(email), where).toEqual(await mailsTo(reference?.email ?? ''))
  }
  await newWorker.stop()
})

const nameOf = ({ task, ordinal, point }: Step): string => `${task} ${ordinal} ${point}`

/** Steps that another lifecycle covers. A lost attempt of the watch would also delay skipped time by a minute. */
const isElsewhere = (lifecycle: Lifecycle, { task, ordinal }: Step): boolean =>
  lifecycle === 'delivered' || (lifecycle === 'ended' && (task !== 'workflow' || ordinal < 4))

function comparable(books: OrderBooks | undefined) {
  if (!books) throw new Error('no such order')
  const { orderId: _order, payments, documents, ...same } = books
  return {
    ...same,
    payments: payments.map(({ id: _payment, ...payment }) => payment),
    documents: documents.map(({ kind, grossMinor, corrects }) => ({ kind, grossMinor, corrects: corrects !== null })),
  }
}

/** The mails to an address; copies with the same Message-ID count once, since an unknown outcome is repeated. */
async function mailsTo(email: string): Promise<string[]> {
  const mails = await harness.sims.mailbox.do('find', { to: email })
  return [...new Map(mails.map(({ subject, messageId }) => [messageId, subject])).values()].sort()
}

async function startWorker(temporalAddress: string) {
  const settings = Promise.resolve({ ...harness.settings, TEMPORAL_ADDRESS: temporalAddress })
  const onLine = (line: string) => void harness.logLines.push(line)
  return await startWorkerProcess({ env: process.env, settings, onLine }, await claimPort(0))
}
