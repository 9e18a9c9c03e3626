/**
 * The order, its person and the database as a small model: everything that can happen, one step each. `explore.ts`
 * takes the steps in every order, `check-run.ts` reads the histories of runs as steps, and `lives/` lets the API take
 * them.
 *
 * A step has a situation (`when`) and rules (`needs`). Each rule is there for an invariant: without any one of them
 * the exploration finds a broken one (model.test.ts). The price is 2, so that a part of it can be refunded.
 */
import { keysOf } from '../../shared/keys-of.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'

export const price = 2
export const part = 1

/** The rows of the database, which a restore takes back. */
interface Rows {
  account: boolean
  order: OrderStatus | null
  /** the statement of a withdrawal */
  stated: boolean
}

export interface World {
  rows: Rows
  backup: Rows | null
  /** a restored database is being completed: the API and the runs wait */
  isRestoring: boolean
  /** at most once, which keeps the worlds few */
  hasRestored: boolean
  /** in the deletion ledger, which no restore takes back */
  isErased: boolean
  /** an account that is newer than the backup: nobody can say whose it was */
  isLost: boolean

  /** at the payment processor */
  payment: 'none' | 'open' | 'paid' | 'cancelled'
  isRisky: boolean
  refunded: number
  /** how often a refund of it has bounced, until nobody asks any more; two count for any more */
  bounces: 0 | 1 | 2
  /** the issuer of the card has warned of fraud */
  isWarned: boolean
  /** at the eSIM provider; `held`: made for us, and not used; `ended`: by the provider itself, unused */
  esim: 'none' | 'asked' | 'refused' | 'held' | 'used' | 'returned' | 'expired' | 'ended'
  bought: number

  /** the order's run, which no restore takes back */
  run: 'none' | 'open' | 'closed'
  status: OrderStatus | null
  /** what was asked of the run and accepted */
  asked: 'nothing' | 'cancel' | 'approve' | 'reject'
  isReturning: boolean
  /** a partial refund, from its reservation until it is made */
  part: 'none' | 'reserved' | 'made'
  withdrawal: 'none' | 'stated' | 'done' | 'operator'
  topUp: 'none' | 'open' | 'paid' | 'applied' | 'refunded' | 'cancelled'
  /** what an erasure still owes */
  claim: 'nothing' | 'cancel' | 'refund'
}

export const nothingYet: World = {
  rows: { account: false, order: null, stated: false },
  backup: null,
  isRestoring: false,
  hasRestored: false,
  isErased: false,
  isLost: false,
  payment: 'none',
  isRisky: false,
  isWarned: false,
  refunded: 0,
  bounces: 0,
  esim: 'none',
  bought: 0,
  run: 'none',
  status: null,
  asked: 'nothing',
  isReturning: false,
  part: 'none',
  withdrawal: 'none',
  topUp: 'none',
  claim: 'nothing',
}

/**
 * `person`, `operator` and `fault` may act or not. The others act sooner or later: `run` and `restore` at once,
 * `outside` when an outside party answers, `time` at a deadline.
 */
export type Who = 'person' | 'operator' | 'fault' | 'run' | 'outside' | 'time' | 'restore'

export interface Step {
  who: Who
  when(world: World): boolean
  /** at an outside party alone, which goes on while our database is being restored */
  isOutside?: true
  needs?: Readonly<Record<string, (world: World) => boolean>>
  does(world: World): Partial<World>
}

/** Its run is open, and in one of the states. */
export const isIn =
  (...statuses: OrderStatus[]) =>
  ({ status, run }: World): boolean =>
    run === 'open' && status !== null && statuses.includes(status)

/** The run goes on to another state, and writes it. */
const to = ({ rows }: World, status: OrderStatus): Pick<World, 'status' | 'rows'> => ({
  status,
  rows: { ...rows, order: status },
})

const closes = (world: World, status: OrderStatus): Partial<World> => ({ ...to(world, status), run: 'closed' })
const isRefunded = ({ status }: World): boolean => `${status}`.startsWith('refund')
const noRows: Rows = { account: false, order: null, stated: false }
export const isPaid = ({ payment }: World): boolean => payment === 'paid'
const toppedUp = ({ topUp }: World): boolean => topUp === 'paid' || topUp === 'applied'

/** Its rows are older than its run. */
const isBehind = ({ rows, run, status, withdrawal, isErased }: World): boolean =>
  rows.account && !isErased && run !== 'none' && (rows.order !== status || rows.stated !== (withdrawal !== 'none'))
/** A payment of an account that the restored database does not have. */
const isOrphan = ({ rows, isErased, isLost, payment }: World): boolean =>
  !rows.account && !isErased && !isLost && payment !== 'none'

const cancelledUnlessPaid = (world: World): Partial<World> => (isPaid(world) ? {} : { payment: 'cancelled' })

const paid = { 'it is paid': isPaid }
const notPaid = { 'it is not paid': (world: World) => !isPaid(world) }
const noReturn = { 'the eSIM is not being returned': ({ isReturning }: World) => !isReturning }
const noTopUp = { 'nobody has paid more data for the eSIM': (world: World) => !toppedUp(world) }
const nothingReserved = { 'no partial refund is under way': (world: World) => world.part !== 'reserved' }

const steps = {
  // The person
  'signs up': {
    who: 'person',
    when: ({ rows, isErased, isLost }) => !rows.account && !isErased && !isLost,
    does: ({ rows }) => ({ rows: { ...rows, account: true } }),
  },
  orders: {
    who: 'person',
    when: ({ rows, run }) => rows.account && run === 'none',
    does: (world) => ({ ...to(world, 'awaiting_payment'), run: 'open', payment: 'open' }),
  },
  pays: {
    who: 'person',
    isOutside: true,
    when: ({ payment }) => payment === 'open',
    does: () => ({ payment: 'paid' }),
  },
  'pays at risk': {
    who: 'person',
    isOutside: true,
    when: ({ payment }) => payment === 'open',
    does: () => ({ payment: 'paid', isRisky: true }),
  },
  cancels: {
    who: 'person',
    when: isIn('awaiting_payment', 'in_review', 'provisioning'),
    does: () => ({ asked: 'cancel' }),
  },
  'uses the eSIM': {
    who: 'person',
    isOutside: true,
    when: ({ esim, status }) => esim === 'held' && status === 'delivered',
    does: () => ({ esim: 'used' }),
  },
  'gives the eSIM back': {
    who: 'person',
    when: (world) => isIn('delivered')(world) && !world.isReturning && world.esim !== 'returned',
    // Of a top-up that was paid a moment ago nobody here knows: it is refunded then.
    needs: { 'no top-up is on it': ({ topUp }) => topUp !== 'applied' },
    does: () => ({ isReturning: true }),
  },
  'withdraws from the contract': {
    who: 'person',
    when: ({ rows, esim, withdrawal }) =>
      withdrawal === 'none' && esim !== 'used' && ['in_review', 'provisioning', 'delivered'].includes(`${rows.order}`),
    does: ({ rows }) => ({ withdrawal: 'stated', rows: { ...rows, stated: true } }),
  },
  'orders a top-up': {
    who: 'person',
    when: (world) => world.rows.order === 'delivered' && world.topUp === 'none',
    does: () => ({ topUp: 'open' }),
  },
  'pays the top-up': {
    who: 'person',
    isOutside: true,
    when: ({ topUp }) => topUp === 'open',
    does: () => ({ topUp: 'paid' }),
  },
  'deletes the account': {
    who: 'person',
    when: ({ rows }) => rows.account,
    does: (world) => {
      const claim = claimOf(world)
      const status = claim === 'refund' ? 'refunding' : world.status
      const bounces = claim === 'refund' ? world.bounces : 0
      return { rows: noRows, isErased: true, claim, status, bounces, ...(world.run === 'open' && { run: 'closed' }) }
    },
  },

  // Operators
  approves: {
    who: 'operator',
    when: (world) => isIn('in_review')(world) && world.asked === 'nothing',
    does: () => ({ asked: 'approve' }),
  },
  rejects: {
    who: 'operator',
    when: (world) => isIn('in_review')(world) && world.asked === 'nothing',
    does: () => ({ asked: 'reject' }),
  },
  'reserves a partial refund': {
    who: 'operator',
    when: ({ rows, part }) => part === 'none' && (rows.order === 'delivered' || rows.order === 'ended'),
    does: () => ({ part: 'reserved' }),
  },
  'repeats the refund': { who: 'operator', when: isIn('refund_failed'), does: (world) => to(world, 'refunding') },

  // The order's run
  'takes the payment': {
    who: 'run',
    when: (world) => isIn('awaiting_payment')(world) && world.asked === 'nothing',
    needs: paid,
    does: (world) => to(world, world.isRisky ? 'in_review' : 'provisioning'),
  },
  'takes a payment that was faster than the cancellation': {
    who: 'run',
    when: (world) => isIn('awaiting_payment')(world) && world.asked === 'cancel',
    needs: paid,
    does: (world) => to(world, 'refunding'),
  },
  'cancels the payment': {
    who: 'run',
    when: (world) => isIn('awaiting_payment')(world) && world.asked === 'cancel',
    needs: notPaid,
    does: (world) => ({ ...closes(world, 'cancelled'), ...cancelledUnlessPaid(world) }),
  },
  'goes on after the review': {
    who: 'run',
    when: isIn('in_review'),
    needs: { 'an operator has approved': ({ asked }) => asked === 'approve' },
    does: (world) => to(world, 'provisioning'),
  },
  'refunds what was not approved': {
    who: 'run',
    when: (world) => isIn('in_review')(world) && (world.asked === 'cancel' || world.asked === 'reject'),
    does: (world) => to(world, 'refunding'),
  },
  'asks for the eSIM': {
    who: 'run',
    when: isIn('provisioning'),
    needs: { 'nobody was asked for it': ({ esim }) => esim === 'none' },
    does: () => ({ esim: 'asked' }),
  },
  'refunds what no provider has': {
    who: 'run',
    when: (world) => isIn('provisioning')(world) && world.esim === 'refused',
    does: (world) => to(world, 'refunding'),
  },
  delivers: {
    who: 'run',
    when: isIn('provisioning'),
    needs: {
      'the customer has not cancelled': ({ asked }) => asked !== 'cancel',
      'the eSIM is there': ({ esim }) => esim === 'held',
      'the money is not back': ({ refunded }) => refunded === 0,
    },
    does: (world) => to(world, 'delivered'),
  },
  'stops for the customer': {
    who: 'run',
    when: (world) => isIn('provisioning')(world) && world.asked === 'cancel',
    does: (world) => to(world, 'refunding'),
  },
  'finds that the payment was cancelled': {
    who: 'run',
    when: (world) => isIn('awaiting_payment')(world) && world.payment === 'cancelled',
    does: (world) => closes(world, 'cancelled'),
  },
  'stops for the money that is back': {
    who: 'run',
    when: (world) => isIn('in_review', 'provisioning')(world) && world.refunded === price,
    does: (world) => to(world, 'refunding'),
  },
  'stops for the warning': {
    who: 'run',
    when: (world) => isIn('awaiting_payment', 'in_review', 'provisioning')(world) && world.isWarned,
    does: (world) => to(world, 'refunding'),
  },
  'takes the eSIM back for the warning': {
    who: 'run',
    when: (world) =>
      isIn('delivered')(world) && world.isWarned && world.esim === 'held' && !world.isReturning && !toppedUp(world),
    does: () => ({ isReturning: true }),
  },
  'refunds what the provider has ended': {
    who: 'run',
    when: (world) => isIn('delivered')(world) && world.esim === 'ended',
    does: (world) => to(world, 'refunding'),
  },
  'refunds what came back': {
    who: 'run',
    when: isIn('delivered'),
    needs: { 'the provider has taken the eSIM back': ({ esim }) => esim === 'returned' },
    does: (world) => to(world, 'refunding'),
  },
  refunds: {
    who: 'run',
    when: isIn('refunding'),
    needs: nothingReserved,
    does: (world) => ({ ...to(world, 'refunded'), refunded: price }),
  },
  'finds that a refund has bounced': {
    who: 'run',
    when: (world) => isIn('refunded')(world) && world.refunded < price,
    does: (world) => to(world, 'refund_failed'),
  },
  'releases what nobody gets': {
    who: 'run',
    when: ({ esim }) => esim === 'held',
    needs: { 'the money is on its way back': isRefunded, 'no top-up is on it': ({ topUp }) => topUp !== 'applied' },
    does: () => ({ esim: 'returned' }),
  },
  'ends without its row': {
    who: 'run',
    when: ({ run, rows }) => run === 'open' && rows.order === null,
    does: () => ({ run: 'closed' }),
  },

  // Other runs
  'makes the partial refund': {
    who: 'run',
    when: ({ part: state }) => state === 'reserved',
    needs: { 'its order is known, or was erased': ({ rows, isErased }) => rows.order !== null || isErased },
    does: ({ refunded }) => ({ part: 'made', refunded: refunded + part }),
  },
  'carries the withdrawal out': {
    who: 'run',
    when: (world) => world.withdrawal === 'stated' && isIn('in_review', 'provisioning', 'delivered')(world),
    needs: noTopUp,
    does: ({ status }) => (status === 'delivered' ? { isReturning: true } : { asked: 'cancel' }),
  },
  'notes that the withdrawal is carried out': {
    who: 'run',
    when: ({ withdrawal }) => withdrawal === 'stated',
    needs: { 'the money is on its way back': isRefunded },
    does: () => ({ withdrawal: 'done' }),
  },
  'leaves the withdrawal to an operator': {
    who: 'run',
    when: (world) =>
      world.withdrawal === 'stated' && (world.esim === 'used' || world.status === 'ended' || toppedUp(world)),
    does: () => ({ withdrawal: 'operator' }),
  },
  'applies the top-up': {
    who: 'run',
    when: ({ topUp, esim, rows }) => topUp === 'paid' && (esim === 'held' || esim === 'used') && rows.order !== null,
    needs: noReturn,
    does: () => ({ topUp: 'applied' }),
  },
  'refunds the top-up': {
    who: 'run',
    when: ({ topUp, esim, isReturning, rows }) =>
      topUp === 'paid' &&
      (isReturning || esim === 'returned' || esim === 'expired' || esim === 'ended' || rows.order === null),
    does: () => ({ topUp: 'refunded' }),
  },
  'cancels the payment of the erased': {
    who: 'run',
    when: ({ claim }) => claim === 'cancel',
    does: (world) =>
      isPaid(world)
        ? { claim: 'refund', status: 'refunding' }
        : { claim: 'nothing', status: 'cancelled', payment: 'cancelled' },
  },
  'refunds the erased': {
    who: 'run',
    when: ({ claim, bounces }) => claim === 'refund' && bounces < 2,
    needs: nothingReserved,
    does: () => ({ claim: 'nothing', status: 'refunded', refunded: price, bounces: 0 }),
  },
  // A third refund would go the way of the two before, whoever made them.
  'leaves the refund of the erased to an operator': {
    who: 'run',
    when: ({ claim, bounces }) => claim === 'refund' && bounces === 2,
    does: () => ({ claim: 'nothing', status: 'refund_failed', bounces: 0 }),
  },
  'cancels the top-up of the erased': {
    who: 'run',
    when: ({ topUp, isErased }) => topUp === 'open' && isErased,
    does: () => ({ topUp: 'cancelled' }),
  },

  // Outside parties
  'makes the eSIM': {
    who: 'outside',
    isOutside: true,
    when: ({ esim }) => esim === 'asked',
    does: ({ bought }) => ({ esim: 'held', bought: bought + 1 }),
  },
  'has no eSIM': {
    who: 'outside',
    isOutside: true,
    when: ({ esim }) => esim === 'asked',
    does: () => ({ esim: 'refused' }),
  },
  'takes the eSIM back': {
    who: 'outside',
    isOutside: true,
    when: ({ isReturning, esim }) => isReturning && esim === 'held',
    does: () => ({ isReturning: false, esim: 'returned' }),
  },
  'does not take the eSIM back': {
    who: 'outside',
    isOutside: true,
    when: ({ isReturning, esim }) => isReturning && esim !== 'held',
    does: () => ({ isReturning: false }),
  },

  // Deadlines
  'is not paid in time': {
    who: 'time',
    when: isIn('awaiting_payment'),
    needs: notPaid,
    does: (world) => ({ ...closes(world, 'unpaid'), ...cancelledUnlessPaid(world) }),
  },
  'is not approved in time': { who: 'time', when: isIn('in_review'), does: (world) => to(world, 'refunding') },
  'is not delivered in time': { who: 'time', when: isIn('provisioning'), does: (world) => to(world, 'refunding') },
  expires: {
    who: 'time',
    when: (world) => isIn('delivered')(world) && (world.esim === 'held' || world.esim === 'used') && !world.isReturning,
    does: (world) => ({ ...closes(world, 'ended'), esim: 'expired' }),
  },
  'is settled': {
    who: 'time',
    when: isIn('refunded'),
    needs: { 'the money has arrived': ({ refunded }) => refunded === price },
    does: () => ({ run: 'closed', bounces: 0 }),
  },
  'the top-up is not paid in time': {
    who: 'time',
    when: ({ topUp }) => topUp === 'open',
    does: () => ({ topUp: 'cancelled' }),
  },

  // Faults
  'a refund bounces': {
    who: 'fault',
    isOutside: true,
    when: (world) => isIn('refunded')(world) && world.refunded === price,
    does: ({ part: state, bounces }) => ({ refunded: state === 'made' ? part : 0, bounces: bounces === 0 ? 1 : 2 }),
  },
  'is cancelled at the processor': {
    who: 'fault',
    isOutside: true,
    when: (world) => isIn('awaiting_payment')(world) && world.payment === 'open',
    does: () => ({ payment: 'cancelled' }),
  },
  // By hand, or by a bank that decides a dispute. What is delivered by then is an operator's.
  'the money goes back elsewhere': {
    who: 'fault',
    isOutside: true,
    when: (world) => isIn('in_review', 'provisioning')(world) && world.esim === 'none' && world.refunded === 0,
    does: () => ({ refunded: price }),
  },
  'the issuer warns of fraud': {
    who: 'fault',
    isOutside: true,
    when: (world) => world.run === 'open' && isPaid(world) && !world.isWarned && world.refunded < price,
    does: () => ({ isWarned: true }),
  },
  'the provider ends the eSIM': {
    who: 'fault',
    isOutside: true,
    when: (world) => isIn('delivered')(world) && world.esim === 'held' && !world.isReturning && !toppedUp(world),
    does: () => ({ esim: 'ended' }),
  },
  // The customer is told so: the request fails.
  'is cancelled too late': {
    who: 'fault',
    when: (world) =>
      isIn('provisioning')(world) && world.asked === 'cancel' && world.esim === 'held' && world.refunded === 0,
    does: (world) => ({ ...to(world, 'delivered'), asked: world.isRisky ? 'approve' : 'nothing' }),
  },
  'tries the refund again after a dispute': {
    who: 'fault',
    when: isIn('refund_failed'),
    does: (world) => to(world, 'refunding'),
  },
  // After a fraud warning the money does not wait for a provider that is down, which is still asked for the return.
  'refunds before the eSIM is back': {
    who: 'fault',
    when: (world) => isIn('delivered')(world) && world.isReturning && world.esim === 'held',
    does: (world) => to(world, 'refunding'),
  },
  'a refund is refused': { who: 'fault', when: isIn('refunding'), does: (world) => to(world, 'refund_failed') },
  'a backup is made': {
    who: 'fault',
    when: ({ backup, hasRestored }) => backup === null && !hasRestored,
    does: ({ rows }) => ({ backup: rows }),
  },
  'the database is lost': {
    who: 'fault',
    when: ({ backup, isRestoring }) => backup !== null && !isRestoring,
    does: ({ backup }) => ({ rows: backup ?? noRows, isRestoring: true }),
  },

  // The restore
  'erases again': {
    who: 'restore',
    when: ({ isRestoring, isErased, rows }) => isRestoring && isErased && rows.account,
    does: () => ({ rows: noRows }),
  },
  'rebuilds the order': {
    who: 'restore',
    when: (world) => world.isRestoring && isBehind(world),
    does: (world) => ({ rows: { ...world.rows, order: world.status, stated: world.withdrawal !== 'none' } }),
  },
  'refunds what nobody can be found for': {
    who: 'restore',
    when: (world) => world.isRestoring && isOrphan(world),
    does: (world) => {
      const lost = { isLost: true, run: 'closed' } as const
      if (!isPaid(world)) return { ...lost, status: 'cancelled', payment: 'cancelled' }
      return { ...lost, status: 'refunded', refunded: price, ...(toppedUp(world) && { topUp: 'refunded' }) }
    },
  },
  'opens the API': {
    who: 'restore',
    when: ({ isRestoring }) => isRestoring,
    needs: {
      'nobody who was erased is back': ({ isErased, rows }) => !(isErased && rows.account),
      'all orders are rebuilt': (world) => !isBehind(world),
      'all payments have an order': (world) => !isOrphan(world),
    },
    does: () => ({ isRestoring: false, hasRestored: true, backup: null }),
  },
} satisfies Record<string, Step>

export type StepName = keyof typeof steps
export const stepNames = keysOf(steps)

/** @returns what the customer of an erased order can still claim */
function claimOf({ status, withdrawal, isReturning, esim, refunded }: World): World['claim'] {
  if (status === 'awaiting_payment') return 'cancel'
  if (status === 'in_review' || status === 'provisioning' || status === 'refunding' || status === 'refund_failed')
    return 'refund'
  if (status === 'refunded') return refunded < price ? 'refund' : 'nothing'
  const isTheirs = withdrawal === 'none' && !isReturning && esim !== 'returned'
  return status === null || isTheirs || refunded === price ? 'nothing' : 'refund'
}

const isComplete = { 'the database is complete': ({ isRestoring }: World): boolean => !isRestoring }

type Rules = Readonly<Record<string, (world: World) => boolean>>

export const whoTakes = (name: StepName): Who => steps[name].who

const rules = new Map(stepNames.map((name) => [name, Object.entries(needsOf(steps[name]))]))

function needsOf({ who, isOutside, needs = {} }: Step): Rules {
  return who === 'restore' || isOutside ? needs : { ...needs, ...isComplete }
}

export const rulesOf = (name: StepName): string[] => (rules.get(name) ?? []).map(([rule]) => rule)

/** The rule that forbids a step of the right situation. @param without a rule that is left out */
export const forbids = (world: World, name: StepName, without?: string): string | undefined =>
  rules.get(name)?.find(([rule, holds]) => rule !== without && !holds(world))?.[0]

export const canTake = (world: World, name: StepName, without?: string): boolean =>
  steps[name].when(world) && forbids(world, name, without) === undefined

/** The world after a step, whether or not it is possible. */
export const take = (world: World, name: StepName): World => ({ ...world, ...steps[name].does(world) })
