/** The parts of the benchmark, each on its own stack. */
import { benchDeletion } from './measurements/deletion.ts'
import { benchInactivitySweep } from './measurements/inactivity-sweep.ts'
import { benchMemory } from './measurements/memory.ts'
import { benchOrders } from './measurements/orders.ts'
import { benchPolicyNotice } from './measurements/policy-notice.ts'
import { benchStart } from './measurements/start-up.ts'
import { onStack, type Say } from './on-stack.ts'

interface PartOptions {
  /** small numbers: shows that the benchmark works, its figures are not kept */
  quick: boolean
  say: Say
}

export const parts = {
  start: ({ quick, say }: PartOptions) => benchStart({ times: quick ? 1 : 3, say }),

  orders: ({ quick, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchOrders(stack, {
        rounds: quick ? 1 : 7,
        ordersPerRound: quick ? 60 : 200,
        concurrency: 50,
        checkouts: quick ? 20 : 500,
        say,
      }),
    ),

  deletion: ({ quick, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchDeletion(stack, {
        otherAccounts: quick ? [100, 10_000] : [1_000, 1_000_000],
        deletions: quick ? 20 : 150,
        say,
      }),
    ),

  notice: ({ quick, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchPolicyNotice(stack, {
        recipients: quick ? { calm: 2_000, killed: 3_000 } : { calm: 40_000, killed: 100_000 },
        say,
      }),
    ),

  sweep: ({ quick, say }: PartOptions) => {
    const accounts = quick ? 50_000 : 1_000_000
    say(`making ${accounts} accounts`)
    return benchInactivitySweep(accounts, accounts / 1_000)
  },

  memory: ({ quick, say }: PartOptions) =>
    onStack(say, (stack) => benchMemory(stack, { orders: quick ? 300 : 10_000, every: quick ? 60 : 1_000, say })),
}

export type PartName = keyof typeof parts
export type Figures<Name extends PartName> = Awaited<ReturnType<(typeof parts)[Name]>>

export const partNames = Object.keys(parts) as PartName[]
