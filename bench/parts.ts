/** The parts of the benchmark, each on its own stack. */

import { keysOf } from '../shared/keys-of.ts'
import { benchDeletion } from './measurements/deletion.ts'
import { benchInactivitySweep, type SweepFigures } from './measurements/inactivity-sweep.ts'
import { benchMemory } from './measurements/memory.ts'
import { benchOpenOrders } from './measurements/open-orders.ts'
import { benchOrders } from './measurements/orders.ts'
import { benchPolicyNotice } from './measurements/policy-notice.ts'
import { benchStart } from './measurements/start-up.ts'
import { benchProfile } from './measurements/worker-profile.ts'
import { benchWorkers } from './measurements/workers.ts'
import { onStack, type Say } from './on-stack.ts'

/**
 * `smoke` shows that the benchmark works, and its figures are not kept; `short` ends within half an hour, with fewer of
 * everything; `full` has the numbers of the budgets.
 */
export const sizes = ['smoke', 'short', 'full'] as const
export type Size = (typeof sizes)[number]

interface PartOptions {
  size: Size
  say: Say
}

const bySize = <Numbers>(size: Size, smoke: Numbers, short: Numbers, full: Numbers): Numbers =>
  ({ smoke, short, full })[size]

export const parts = {
  start: ({ size, say }: PartOptions) => benchStart({ times: bySize(size, 1, 3, 3), say }),

  orders: ({ size, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchOrders(stack, {
        rounds: bySize(size, 1, 3, 7),
        ordersPerRound: bySize(size, 60, 100, 200),
        concurrency: 50,
        checkouts: bySize(size, 20, 100, 500),
        say,
      }),
    ),

  profile: ({ size, say }: PartOptions) => benchProfile({ orders: bySize(size, 40, 100, 300), say }),

  open: ({ size, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchOpenOrders(stack, { open: bySize(size, 100, 1_000, 5_000), posts: bySize(size, 20, 100, 200), say }),
    ),

  workers: ({ size, say }: PartOptions) =>
    benchWorkers({
      counts: [1, 2, 4],
      rounds: bySize(size, 1, 3, 3),
      ordersPerRound: bySize(size, 30, 100, 200),
      concurrency: 50,
      say,
    }),

  deletion: ({ size, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchDeletion(stack, {
        otherAccounts: bySize(size, [100, 10_000], [1_000, 100_000], [1_000, 1_000_000]),
        deletions: bySize(size, 20, 40, 150),
        say,
      }),
    ),

  notice: ({ size, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchPolicyNotice(stack, {
        recipients: {
          calm: bySize(size, 2_000, 10_000, 40_000),
          killed: bySize(size, 3_000, 20_000, 100_000),
        },
        say,
      }),
    ),

  sweep: async ({ size, say }: PartOptions) => {
    const accounts = bySize(size, [5_000, 50_000], [100_000, 1_000_000], [100_000, 1_000_000])
    const among: SweepFigures[] = []
    for (const count of accounts) {
      say(`making ${count} accounts`)
      among.push(await benchInactivitySweep(count, Math.max(...accounts) / 1_000))
    }
    return { among }
  },

  memory: ({ size, say }: PartOptions) =>
    onStack(say, (stack) =>
      benchMemory(stack, { orders: bySize(size, 300, 480, 10_000), every: bySize(size, 60, 60, 1_000), say }),
    ),
}

export type PartName = keyof typeof parts
export type Figures<Name extends PartName> = Awaited<ReturnType<(typeof parts)[Name]>>

export const partNames: readonly PartName[] = keysOf(parts)
