/**
 * The test harness: a stack on free ports with test data, deleted afterwards. At the end of each file it checks that
 * all histories replay and are paths of the model, that the books balance, and that each kind of operator task has its
 * advice.
 */
import { afterAll, afterEach } from 'vitest'
import { undescribedProblem } from '../../api/http/error-handler.ts'
import type { StackOptions } from '../../dev/stack-options.ts'
import { untilFirstSync } from './catalogue.ts'
import { checkBooks } from './checks/books.ts'
import { checkTaskKinds } from './checks/task-kinds.ts'
import { type FreshState, rememberState } from './fresh-state.ts'
import { type Product, startProduct } from './product.ts'
import { checkAgainstModel, checkTasks, fetchHistories, replay } from './temporal/histories.ts'

export interface Checks {
  /** false for a file whose tests break this check on purpose */
  replay?: false
  model?: false
  books?: false
}

export interface HarnessOptions extends StackOptions, Checks {}

export type Harness = Product

/**
 * Starts a stack for one test file, once at its top: `const harness = await openHarness()`. A file needs its own stack
 * when it has other settings or ends servers at once; others use `shareStack()`.
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
  state: FreshState
}

/**
 * The stack of this process of the test runner, started at the first call: start and stop take several times as long as
 * a short file. Each file finds it as it was started: rows, runs and simulators of earlier files are gone. After a
 * failure the next file gets a new stack.
 */
export async function shareStack(checks: Checks = {}): Promise<Harness> {
  shared ??= await startShared()
  const { product, state } = shared
  product.logLines.length = 0
  let hasFailed = false
  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail'
  })
  afterAll(async () => {
    const faults = await faultsLeftBehind(product, checks)
    if (faults.length === 0 && !hasFailed) await state.restore().catch((fault: unknown) => faults.push(fault))
    if (faults.length > 0 || hasFailed) {
      shared = undefined
      await product.stack.stop().catch((fault: unknown) => faults.push(fault))
    }
    throwAll(faults)
  })
  return product
}

/** The secret in the path to which a mailbox sends the mails that come back, on the shared stack. */
export const bounceToken = 'bounces-are-handed-in-here'

async function startShared(): Promise<Shared> {
  const product = await startProduct({ settings: { MAIL_BOUNCE_TOKEN: bounceToken, MAIL_RATE_PER_SECOND: '10000' } })
  // The rows of the first sync are part of the state to which each file returns.
  await untilFirstSync(product.stack)
  return { product, state: await rememberState(product.stack) }
}

async function faultsLeftBehind({ stack, logLines }: Product, checks: Checks): Promise<unknown[]> {
  const faults: unknown[] = undescribedProblems(logLines)
  const step = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((fault: unknown) => faults.push(fault))
  }
  if (checks.books !== false) {
    await step(() => checkBooks(stack))
    await step(() => checkTaskKinds(stack))
  }
  if (checks.replay !== false) {
    const histories = fetchHistories(stack.temporal)
    await step(async () => checkTasks(await histories))
    if (checks.model !== false) await step(async () => checkAgainstModel(await histories, stack.config.PAYLOAD_KEYS))
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

function throwAll(faults: unknown[]): void {
  if (faults.length === 1) throw faults[0]
  if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
}
