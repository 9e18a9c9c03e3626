/** A stack on free ports with people, purchases and skipped time, for test files and other programs. */
import type { Duration } from '@temporalio/common'
import type { Limits } from '../../api/http/limits.ts'
import { type Stack, startStack } from '../../dev/stack.ts'
import type { StackOptions } from '../../dev/stack-options.ts'
import { type FastForwardOptions, fastForward } from '../../temporal/time-skipping.ts'
import { scheduleIds } from '../../worker/schedules.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { checkBooks } from './checks/books.ts'
import { type CanaryOptions, findCanaries } from './checks/canary.ts'
import { asGiven } from './checks/verified.ts'
import { createCaller } from './http.ts'
import { type Person, type SignUpOptions, signUp } from './people.ts'
import { type BuyOptions, buy, untilOrder } from './purchases.ts'
import { addTestPackages } from './test-packages.ts'
import { until } from './until.ts'

export type Product = Awaited<ReturnType<typeof startProduct>>

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

/** Starts a stack. The caller has to stop it by `product.stop()`. */
export async function startProduct(options: StackOptions = {}) {
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
  await addTestPackages(stack.context)
  // Otherwise scheduled runs could start during a test.
  if (options.workers !== 0) await Promise.all(scheduleIds.map((id) => pauseSchedule(stack, id)))

  return {
    ...stack,
    stack,
    logLines,
    service,
    operator,
    anonymous: createCaller(stack.urls.api),
    signUp: (how?: SignUpOptions) => asGiven(() => signUp(stack, service, how)),
    buy(buyer: Pick<Person, 'accountId'> & Partial<Person>, how?: BuyOptions) {
      const bought = () => buy(stack, service, buyer, how)
      return how?.until === undefined ? asGiven(bought) : bought()
    },
    untilOrder: (orderId: string, status: string | readonly string[], how?: { timeoutMs?: number }) =>
      untilOrder(service, orderId, status, how),
    /** Moves the clock of one order's run. The simulators' clocks are moved by `sims.*.do('clock', ...)`. */
    fastForward: (orderId: string, duration: Duration, how?: FastForwardOptions) =>
      fastForward(stack.temporal, orderWorkflowId(orderId), duration, how),
    findCanaries: (canaries: Record<string, string>, how?: CanaryOptions) =>
      findCanaries(stack, logLines, canaries, how),
    checkBooks: () => checkBooks(stack),
  }
}

/** Pauses a schedule once it exists: a worker that is a process creates the schedules shortly after it is ready. */
export async function pauseSchedule({ temporal }: Pick<Stack, 'temporal'>, id: string): Promise<void> {
  await until(`${id} is paused`, async () => {
    await temporal.schedule.getHandle(id).pause()
    return true
  })
}
