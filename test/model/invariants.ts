/**
 * Invariants of every world, in words: U2, paid means delivered or refunded; U5, risky orders are reviewed; and G3, an
 * erasure is complete, as far as the model can show it.
 */
import { isIn, isPaid, price, type World } from './model.ts'

type Invariants = Readonly<Record<string, (world: World) => boolean>>

/** The operator task of an erased order is that of the erasure, which has no run in this model. */
const isOperators = (world: World): boolean =>
  isIn('refund_failed')(world) || (world.isErased && world.status === 'refund_failed')
const isDelivered = ({ status }: World): boolean => status === 'delivered' || status === 'ended'
/** What the provider ends after an erasure, or unseen before it, nobody can be asked about any more. */
const hasEsim = (world: World): boolean =>
  isDelivered(world) && ['held', 'used', 'expired', ...(world.isErased ? ['ended'] : [])].includes(world.esim)

/** Invariants that hold at any moment. */
const always: Invariants = {
  'no more is refunded than was paid': ({ refunded, payment }) => refunded <= (payment === 'paid' ? price : 0),
  'no eSIM is bought that is not paid': (world) => world.esim === 'none' || isPaid(world),
  'no order has two eSIMs': ({ bought }) => bought <= 1,
  'what was cancelled or not paid in time is not charged': (world) =>
    !((world.status === 'cancelled' || world.status === 'unpaid') && isPaid(world)),
  'nothing is known of an erased person': ({ isErased, isRestoring, rows }) =>
    !isErased || isRestoring || (!rows.account && rows.order === null && !rows.stated),
  'the database shows the state of the run': ({ rows, run, status, isRestoring }) =>
    isRestoring || run !== 'open' || rows.order === status,
  // A doubt is decided for an erased person, and for one whose account was lost.
  'nobody keeps an eSIM in use and the money': ({ esim, refunded, isErased, isLost }) =>
    !(esim === 'used' && refunded === price) || isErased || isLost,
  'no eSIM is returned with a top-up on it': ({ esim, topUp }) => !(esim === 'returned' && topUp === 'applied'),
}

/** Invariants that hold after everything that happens by itself. */
const inTheEnd: Invariants = {
  'what is paid is delivered or refunded': (world) =>
    !isPaid(world) || world.refunded === price || isOperators(world) || hasEsim(world),
  'what is not paid cannot be paid any more': ({ payment }) => payment !== 'open',
  'what was cancelled is not delivered': (world) => world.asked !== 'cancel' || !isDelivered(world),
  'what was rejected or not approved is refunded': (world) =>
    !world.isRisky || world.asked === 'approve' || !isDelivered(world),
  'what was warned of is taken back, unless it is used': ({ isWarned, esim, refunded, topUp, isErased }) =>
    !isWarned || esim !== 'held' || refunded === price || topUp === 'paid' || topUp === 'applied' || isErased,
  'a stated withdrawal is refunded, or an operator has it': (world) =>
    world.withdrawal === 'none' || world.withdrawal === 'operator' || world.refunded === price || isOperators(world),
  'no eSIM is left that nobody has': ({ esim, refunded, topUp }) =>
    !(esim === 'held' && refunded === price) || topUp === 'applied',
  'an eSIM goes back only for the money': (world) =>
    world.esim !== 'returned' || world.refunded === price || isOperators(world),
  'a top-up is applied, or its money is back': ({ topUp }) => topUp !== 'open' && topUp !== 'paid',
  'an erasure owes nothing': ({ claim }) => claim === 'nothing',
  'every run ends, or waits for an operator': (world) => world.run !== 'open' || isOperators(world),
  'the API is open': ({ isRestoring }) => !isRestoring,
}

const atAnyMoment = Object.entries(always)
const atTheEnd = Object.entries(inTheEnd)

/** @param isEnd nothing happens by itself any more */
export function brokenIn(world: World, isEnd: boolean): string | undefined {
  const isBroken = ([, holds]: (typeof atAnyMoment)[number]): boolean => !holds(world)
  return (atAnyMoment.find(isBroken) ?? (isEnd ? atTheEnd.find(isBroken) : undefined))?.[0]
}
