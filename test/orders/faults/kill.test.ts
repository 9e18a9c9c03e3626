/**
 * `kill -9` of the worker at every step of an order's way. Each step in the history of a reference run becomes an order
 * of its own, stopped right before the worker gets that task, and another one, stopped right before the server hears
 * that it was done. So does each call that changes something outside: applied there, its reply lost. When all of them
 * stand, the worker is killed. A new one has to bring every order to the reference's end, with the reference's books.
 */
import { expect, test } from 'vitest'
import { claimPort } from '../../../dev/port.ts'
import { startWorkerProcess } from '../../../dev/programs/apart.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { type OrderBooks, readBooks } from '../../harness/checks/books.ts'
import { openHarness } from '../../harness/harness.ts'
import { openGate, type Step } from '../../harness/temporal-gate.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'
import { createLives, type Way, ways } from '../whole-lives.ts'

const harness = await openHarness({ workers: 0 })
/** An attempt that died with its worker is repeated when its time is up: 25 s, for most. */
const patience = { timeoutMs: 240_000 }
const live = createLives(harness, patience)

interface LostReply {
  way: Way
  party: 'stripe' | 'esimAccess' | 'airalo' | 'firebase' | 'meta'
  path: string
  packageCode?: string
}

/** The worker waits for each of them for 10 s, but for the last. */
const lostReplies: LostReply[] = [
  { way: 'delivered', party: 'airalo', path: '^/v2/orders$', packageCode: testPackages.onlyAiralo },
  { way: 'delivered', party: 'esimAccess', path: '/esim/order$' },
  { way: 'delivered', party: 'esimAccess', path: '/esim/query$' },
  { way: 'returned', party: 'esimAccess', path: '/esim/cancel$' },
  { way: 'unfilled', party: 'stripe', path: '^/v1/refunds$' },
  { way: 'cancelled', party: 'stripe', path: '/cancel$' },
  { way: 'delivered', party: 'firebase', path: 'messages:send$' },
  { way: 'delivered', party: 'meta', path: '/events$' },
  { way: 'delivered', party: 'stripe', path: '^/v1/payment_intents$' },
]

test('U2: a killed worker loses nothing and repeats nothing, wherever it was', { timeout: 600_000 }, async () => {
  await harness.sims.airalo.do('stock', { out: true })
  const stops = new Map<string, string>()
  const gate = await openGate(
    harness.settings.TEMPORAL_ADDRESS ?? '',
    (step) => stops.get(step.workflowId) === nameOf(step),
  )
  const doomed = await startWorker(gate.address)
  const references = await Promise.all(ways.map((way) => live(way)))
  await Promise.all(references.map(({ end }) => end))

  const steps = references.flatMap(({ way, orderId }) =>
    gate.steps
      .filter((step) => step.workflowId === orderWorkflowId(orderId) && !isElsewhere(way, step))
      .map((step) => ({ way, stop: nameOf(step) })),
  )
  const stopping = await Promise.all(
    steps.map(async ({ way, stop }) => ({
      stop,
      ...(await live(way, { onId: (orderId) => stops.set(orderWorkflowId(orderId), stop) })),
    })),
  )
  const stands = ({ orderId }: { orderId: string }): boolean => gate.stopped.has(orderWorkflowId(orderId))
  await Promise.all(
    stopping.map((life) => Promise.race([life.end, until(`${life.orderId} stands`, () => stands(life), patience)])),
  )
  // What happens at the same time may share a task or not, so that not every run has the last steps of the reference.
  const missed = stopping.filter((life) => !stands(life)).map(({ way, stop }) => `${way}: ${stop}`)
  expect(missed.length, missed.join(', ')).toBeLessThan(steps.length / 8)

  const hanging: typeof stopping = []
  for (const { party, path, way, packageCode } of lostReplies) {
    await harness.sims.airalo.do('stock', { out: party !== 'airalo' })
    await harness.sims[party].fault({ match: { method: 'POST', path }, hang: 'after' })
    hanging.push({ stop: `${party} ${path}`, ...(await live(way, { packageCode })) })
    await until(`${path} hangs`, async () =>
      (await harness.sims[party].log()).some(({ url, status }) => new RegExp(path).test(url) && status === null),
    )
  }
  await doomed.kill()
  await gate.stop()

  const heir = await startWorker(harness.settings.TEMPORAL_ADDRESS ?? '')
  const lives = [...stopping, ...hanging]
  await Promise.all(lives.map(({ end }) => end))

  const { orders } = await readBooks(harness.stack)
  const booksOf = (orderId: string) => comparable(orders.find((order) => order.orderId === orderId))
  for (const { way, stop, orderId, email } of lives) {
    const reference = references.find((life) => life.way === way)
    const where = `${way}, killed at ${stop}`
    expect(booksOf(orderId), where).toEqual(booksOf(reference?.orderId ?? ''))
    expect(await mailsTo(email), where).toEqual(await mailsTo(reference?.email ?? ''))
  }
  await heir.stop()
})

const nameOf = ({ task, ordinal, point }: Step): string => `${task} ${ordinal} ${point}`

/** The ways have much in common, and an attempt at watching that was lost would hold up skipped time for a minute. */
const isElsewhere = (way: Way, { task, ordinal }: Step): boolean =>
  way === 'delivered' || (way === 'ended' && (task !== 'workflow' || ordinal < 4))

function comparable(books: OrderBooks | undefined) {
  if (!books) throw new Error('no such order')
  const { orderId: _order, payments, documents, ...same } = books
  return {
    ...same,
    payments: payments.map(({ id: _payment, ...payment }) => payment),
    documents: documents.map(({ kind, grossMinor, corrects }) => ({ kind, grossMinor, corrects: corrects !== null })),
  }
}

/** A mail whose fate was unknown may come as a copy under the same id: once, to a reader. */
async function mailsTo(email: string): Promise<string[]> {
  const mails = await harness.sims.mailbox.do<{ subject: string; messageId: string }[]>('find', { to: email })
  return [...new Map(mails.map(({ subject, messageId }) => [messageId, subject])).values()].sort()
}

async function startWorker(temporalAddress: string) {
  const settings = Promise.resolve({ ...harness.settings, TEMPORAL_ADDRESS: temporalAddress })
  const onLine = (line: string) => void harness.logLines.push(line)
  return await startWorkerProcess({ env: process.env, settings, onLine }, await claimPort(0))
}
