/**
 * The test harness: a stack on free ports with test data, deleted afterwards. At the end of each file it checks that
 * all histories replay and that the books balance.
 */
import { afterAll, afterEach } from 'vitest'
import { undescribedProblem } from '../../api/http/error-handler.ts'
import type { StackOptions } from '../../dev/stack.ts'
import { defaultSubscription } from '../../sim/stripe/events.ts'
import { checkBooks, faultsInBooks } from './checks/books.ts'
import { checkTasks, fetchHistories, replay } from './histories.ts'
import { type Product, startProduct } from './product.ts'

export interface Checks {
  /** false for a file whose tests break this check on purpose */
  replay?: false
  books?: false
}

export interface HarnessOptions extends StackOptions, Checks {}

export type Harness = Product

/**
 * Starts a stack for one test file, once at its top: `const harness = await openHarness()`. A file needs its own stack
 * when it stops parts of the stack, moves the clock of an outside party or counts all rows; others use `shareStack()`.
 */
export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const product = await startProduct(options)
  afterAll(async () => {
    const faults = await faultsLeftBehind(product, options)
    await product.stack.stop().catch((fault: unknown) => faults.push(fault))
    throwAll(faults)
  })
  return product
}

/** The stack of this process of the test runner, which several files use. */
let shared: Shared | undefined

interface Shared {
  product: Product
  /** runs of earlier files, which are replayed and closed */
  finished: Set<string>
}

/**
 * The stack of this process of the test runner, started at the first call: start and stop take several times as long as
 * a short file. No run of an earlier file is open and no simulator has a fault left, but the accounts, orders and books
 * of earlier files exist. After a failure the next file gets a new stack.
 */
export async function shareStack(checks: Checks = {}): Promise<Harness> {
  shared ??= { product: await startProduct(), finished: new Set() }
  const { product, finished } = shared
  const known = new Set(await faultsInBooks(product.stack))
  product.logLines.length = 0
  let hasFailed = false
  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail'
  })
  afterAll(async () => {
    const faults = await faultsLeftBehind(product, checks, known, finished)
    if (faults.length === 0 && !hasFailed) {
      await cleanUp(product, finished).catch((fault: unknown) => faults.push(fault))
    }
    if (faults.length > 0 || hasFailed) {
      shared = undefined
      await product.stack.stop().catch((fault: unknown) => faults.push(fault))
    }
    throwAll(faults)
  })
  return { ...product, checkBooks: () => checkBooks(product.stack, known) }
}

async function faultsLeftBehind(
  { stack, logLines }: Product,
  checks: Checks,
  known?: ReadonlySet<string>,
  finished?: ReadonlySet<string>,
): Promise<unknown[]> {
  const faults: unknown[] = undescribedProblems(logLines)
  const step = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((fault: unknown) => faults.push(fault))
  }
  if (checks.books !== false) await step(() => checkBooks(stack, known))
  if (checks.replay !== false) {
    const histories = fetchHistories(stack.temporal, finished)
    await step(async () => checkTasks(await histories))
    await step(async () => replay(await histories, stack.config.PAYLOAD_KEYS))
  }
  return faults
}

/** Every problem that a route has answered is in the OpenAPI document. */
export const undescribedProblems = (logLines: readonly string[]): Error[] =>
  [...new Set(logLines.filter((line) => line.includes(undescribedProblem)).map(withoutTime))].map(
    (line) => new Error(line),
  )

const withoutTime = (line: string): string => line.replace(/"time":"[^"]*",/, '')

/** Closes the runs of this file, which would consume faults that the next file orders from the simulators. */
async function cleanUp({ stack }: Product, finished: Set<string>): Promise<void> {
  const { sims, temporal, context } = stack
  await context.sql`delete from webhook_endpoints`
  for await (const { workflowId, runId, type, status } of temporal.workflow.list()) {
    if (finished.has(runId)) continue
    // Each month has one such run, which its next invoice would not start again.
    if (status.name === 'RUNNING' && type !== 'invoiceRetention') {
      await temporal.workflow.getHandle(workflowId, runId).terminate('its test file has ended')
    }
    finished.add(runId)
  }
  const defaults = { hold: false, drop: 0, copies: 1 }
  await Promise.all([
    ...Object.values(sims).map((simulator) => simulator.clearFaults()),
    ...[sims.stripe, sims.esimAccess, sims.airalo, sims.apple, sims.google].map((simulator) =>
      simulator.do('webhooks', defaults),
    ),
    sims.stripe.do('webhooks', { events: defaultSubscription }),
    sims.esimAccess.do('allocation', {}),
    sims.mailbox.do('clear-rules'),
  ])
}

function throwAll(faults: unknown[]): void {
  if (faults.length === 1) throw faults[0]
  if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
}
