/**
 * The whole product for one test file, on free ports and thrown away afterwards. What every test must leave behind is
 * checked when the file is done: histories that replay, and books that balance.
 */
import type { Duration } from '@temporalio/common'
import { afterAll } from 'vitest'
import type { Limits } from '../../api/limits.ts'
import { type StackOptions, startStack } from '../../dev/stack.ts'
import { type FastForwardOptions, fastForward } from '../../time-skipping.ts'
import { orderWorkflowId } from '../../workflows/order.contract.ts'
import { checkBooks } from './books.ts'
import { type CanaryOptions, findCanaries } from './canary.ts'
import { checkTasks, fetchHistories, replay } from './histories.ts'
import { createCaller } from './http.ts'
import { type Person, type SignUpOptions, signUp } from './people.ts'
import { type BuyOptions, buy, untilOrder } from './purchases.ts'
import { stockShelf } from './shelf.ts'

export interface RigOptions extends StackOptions {
  /** false: the file breaks what is checked on purpose */
  replay?: false
  books?: false
}

export type Rig = Awaited<ReturnType<typeof openStack>>

const plenty = 1_000_000
const noLimits: Limits = {
  service: plenty,
  operator: plenty,
  person: plenty,
  newcomer: plenty,
  public: plenty,
  webhook: plenty,
  failedAuthentications: plenty,
}

/** Starts it. To be called once at the top of a test file: `const rig = await openStack()`. */
export async function openStack(options: RigOptions = {}) {
  const logLines: string[] = []
  const stack = await startStack({
    drainMs: 2_000,
    ...options,
    settings: { NODE_ENV: 'test', ...options.settings },
    limits: { ...noLimits, ...options.limits },
    onLogLine: (line) => {
      logLines.push(line)
      options.onLogLine?.(line)
    },
  })
  const service = createCaller(stack.urls.api, stack.keys.service)
  const operator = createCaller(stack.urls.api, stack.keys.operator)
  await stockShelf(stack.context)

  afterAll(async () => {
    const faults: unknown[] = []
    const step = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((fault: unknown) => faults.push(fault))
    }
    if (options.books !== false) await step(() => checkBooks(stack))
    if (options.replay !== false) {
      const histories = fetchHistories(stack.temporal)
      await step(async () => checkTasks(await histories))
      await step(async () => replay(await histories, stack.config.PAYLOAD_KEYS))
    }
    await step(() => stack.stop())
    if (faults.length === 1) throw faults[0]
    if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
  })

  return {
    ...stack,
    stack,
    logLines,
    service,
    operator,
    anonymous: createCaller(stack.urls.api),
    signUp: (how?: SignUpOptions) => signUp(stack, service, how),
    buy: (buyer: Pick<Person, 'accountId'> & Partial<Person>, how?: BuyOptions) => buy(stack, service, buyer, how),
    untilOrder: (orderId: string, status: string | readonly string[], how?: { timeoutMs?: number }) =>
      untilOrder(service, orderId, status, how),
    /** Moves the clock of one order's run. The outside parties keep theirs: see `sims.*.do('clock', ...)`. */
    fastForward: (orderId: string, duration: Duration, how?: FastForwardOptions) =>
      fastForward(stack.temporal, orderWorkflowId(orderId), duration, how),
    findCanaries: (canaries: Record<string, string>, how?: CanaryOptions) =>
      findCanaries(stack, logLines, canaries, how),
    checkBooks: () => checkBooks(stack),
  }
}
