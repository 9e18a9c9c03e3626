/**
 * Reads the history of a run as a path of the model. Each step has to be possible, no deadline comes early, and the
 * state that the run shows is the model's. What others do is taken when the run sees its effect.
 */
import { periods } from '../../policy/periods.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import { orderStates } from '../../workflows/order/order-states.ts'
import { brokenIn } from './invariants.ts'
import { canTake, forbids, nothingYet, price, type StepName, take, type World, whoTakes } from './model.ts'
import { cancelsRun, type RunEvent } from './run-events.ts'

export const checkedTypes = ['order', 'orderAftercare', 'partialRefund', 'withdrawal']

type Completed = Extract<RunEvent, { kind: 'completed' }>
type Reading<Event> = (world: World, event: Event) => readonly StepName[]
const isRefunded = ({ status }: World): boolean => `${status}`.startsWith('refund')

/** The steps of the model for each accepted request. */
const updates: Record<string, Reading<unknown>> = {
  // The cancellation can come in one workflow task with the end of the payment, which the history then has first.
  cancel: ({ status }) => (status === 'cancelled' ? [] : ['cancels']),
  // Where a customer cannot cancel, it changes nothing.
  [cancelsRun]: (world) => (canTake(world, 'cancels') ? ['cancels'] : []),
  approve: () => ['approves'],
  reject: () => ['rejects'],
  // That of a delivered order is read when the provider is asked.
  refund: ({ status }) => (status === 'refund_failed' ? ['repeats the refund'] : []),
}

/** The steps of the model for each activity that begins. */
const begun: Record<string, Reading<unknown>> = {
  provision: ({ esim }) => (esim === 'asked' ? [] : ['asks for the eSIM']),
  withdrawEsims: ({ isReturning }) => (isReturning ? [] : ['gives the eSIM back']),
}

/** Activities that begin only while the money is on its way back. */
const onlyFor: Record<string, (world: World) => boolean> = {
  refundPayment: ({ status }) => status === 'refunding',
  releaseProvision: isRefunded,
}

/** The steps of the model for each activity that is done. */
const done: Record<string, Reading<Completed>> = {
  confirmPayment: ({ asked }, { result }) => {
    if (result.state !== 'paid') return []
    return [
      result.review ? 'pays at risk' : 'pays',
      asked === 'cancel' ? 'takes a payment that was faster than the cancellation' : 'takes the payment',
    ]
  },
  cancelPayment: ({ asked }, { input, result }) => {
    if (result.value === 'paid') return []
    if (input.status === 'unpaid') return ['is not paid in time']
    return asked === 'cancel' ? ['cancels the payment'] : ['cancels', 'cancels the payment']
  },
  startProvisioning: () => ['goes on after the review'],
  // An eSIM that an attempt makes after it was stopped belongs to the release.
  provision: (world) => (world.esim !== 'asked' && isRefunded(world) ? [] : ['makes the eSIM']),
  recordDelivery: () => ['delivers'],
  // A suspected order ends as if it had been cancelled.
  readFraudWarnings: (world, { input, result }) => {
    const goesFirst = input.providerIsAway && result.value === 'take_back'
    if (goesFirst && canTake(world, 'refunds before the eSIM is back')) return ['refunds before the eSIM is back']
    return result.value === 'refund' && canTake(world, 'cancels') ? ['cancels'] : []
  },
  // So does one whose payment was given back elsewhere.
  isPaidBack: (world, { result }) => (result.value === true && canTake(world, 'cancels') ? ['cancels'] : []),
  withdrawEsims: () => ['takes the eSIM back'],
  refreshEsims: givenBackByProvider,
  watchEsims: givenBackByProvider,
  startRefund: ({ status, asked, esim }) => {
    if (status === 'in_review')
      return asked === 'cancel' || asked === 'reject' ? ['refunds what was not approved'] : ['is not approved in time']
    if (status === 'refunding') return []
    // Nobody asks for it: the run tries again by itself once a dispute is over.
    if (status === 'refund_failed') return ['repeats the refund']
    if (status === 'delivered') return ['refunds what came back']
    if (asked === 'cancel') return ['stops for the customer']
    return esim === 'refused' ? ['refunds what no provider has'] : ['is not delivered in time']
  },
  refundPayment: () => ['refunds'],
  // Of the run that was reset: the order was refunded meanwhile.
  recordRefundFailure: (_world, { result }) => (result.found === 'refunded' ? ['repeats the refund', 'refunds'] : []),
  releaseProvision: ({ esim }) => {
    if (esim === 'asked') return ['has no eSIM']
    return esim === 'held' ? ['releases what nobody gets'] : []
  },
  checkRefunds: ({ status }, { result }) =>
    result.value === 'failed' && status === 'refunded' ? ['a refund bounces', 'finds that a refund has bounced'] : [],
  endOrder: ({ status }) => (status === 'refunded' ? ['is settled'] : []),
  recordWithdrawal: () => ['withdraws from the contract'],
  carryOutWithdrawal: () => ['carries the withdrawal out', 'takes the eSIM back', 'refunds what came back'],
  reservePartialRefund: () => ['reserves a partial refund'],
  makePartialRefund: () => ['makes the partial refund'],
}

function givenBackByProvider({ status, esim, isReturning }: World, { result }: Completed): readonly StepName[] {
  if (status !== 'delivered' || esim !== 'held') return []
  if (isReturning && (result.givenBack || result.refundDue)) return ['takes the eSIM back']
  return result.refundDue ? ['gives the eSIM back', 'takes the eSIM back'] : []
}

/** The steps of the model for each activity that fails. */
const failed: Record<string, Reading<{ type: string; code: string }>> = {
  provision: (_world, { type }) => (type === 'OutOfStock' ? ['has no eSIM'] : []),
  withdrawEsims: (world, { type, code }) =>
    type === 'EsimInUse' && code !== toppedUp ? [...isSeenUsed(world), 'does not take the eSIM back'] : [],
  refundPayment: () => ['a refund is refused'],
  carryOutWithdrawal: isSeenUsed,
}

/** The code of a return that is refused for a top-up: the eSIM need not be used, and may be returned another time. */
const toppedUp = 'topped_up'

/** A customer can ask for the return of a used eSIM again, and is refused again. */
function isSeenUsed({ esim }: World): StepName[] {
  return esim === 'used' ? [] : ['uses the eSIM']
}

/** The steps of the model for a state that is shown, where no activity says it. */
function shown(world: World, now: string): readonly StepName[] {
  if (now === 'ended' && world.status === 'delivered')
    return world.isReturning ? [...isSeenUsed(world), 'does not take the eSIM back', 'expires'] : ['expires']
  return []
}

const mailers = ['sendOrderMail', 'sendPartialRefundMail', 'sendWithdrawalAcknowledgement']
/** After these somebody gets a mail; nobody does who has not paid in time. */
const announcedByMail = [
  'recordDelivery',
  'refundPayment',
  'recordRefundFailure',
  'makePartialRefund',
  'recordWithdrawal',
]
const isNotified = (event: RunEvent): boolean =>
  event.kind === 'completed' &&
  ((announcedByMail.includes(event.activity) && !event.result.found) ||
    (event.activity === 'cancelPayment' && event.input.status === 'cancelled' && event.result.value === 'cancelled'))
const asksOperators = ['raiseAttention', 'raiseFraudWarning', 'leaveWithdrawalToOperator', 'releasePartialRefund']
/** Retries end before their time is up when the next attempt would come too late. */
const earliest = 0.8

/** Finds the steps of a run that the model does not allow. */
export function faultsOfRun(events: readonly RunEvent[]): string[] {
  const [first] = events
  if (first?.kind !== 'started') return ['it has no beginning']
  const { workflowType, input } = first
  const faults: string[] = []
  let world = worldAtStart(workflowType, events)
  let changedAt = first.at
  let failedRefunds = 0
  let cancelledAt = Number.POSITIVE_INFINITY
  const count = (names: readonly string[], ...kinds: RunEvent['kind'][]): number =>
    events.filter((event) => kinds.includes(event.kind) && 'activity' in event && names.includes(event.activity)).length

  for (const event of events) {
    for (const step of stepsOf(event)) follow(step, event.at)
    if (event.kind === 'shows') compare(event.status)
    if (event.kind === 'scheduled' && !(onlyFor[event.activity]?.(world) ?? true)) fault(`${event.activity} begins`)
    if (event.kind === 'closed') close(event)
  }
  return faults

  function fault(what: string): void {
    faults.push(`${what}, in the state ${world.status}`)
  }

  function stepsOf(event: RunEvent): readonly StepName[] {
    switch (event.kind) {
      case 'update':
        if (event.name === 'cancel' || event.name === cancelsRun) cancelledAt = event.at
        return updates[event.name]?.(world, event) ?? []
      case 'scheduled':
        return begun[event.activity]?.(world, event) ?? []
      case 'completed':
        // A cancellation that came while the delivery was being recorded was too late.
        if (event.activity === 'recordDelivery' && event.begunAt <= cancelledAt)
          world = { ...world, asked: world.isRisky ? 'approve' : 'nothing' }
        return done[event.activity]?.(world, event) ?? []
      case 'failed':
        if (event.activity === 'withdrawEsims' && event.code === toppedUp) world = { ...world, isReturning: false }
        return failed[event.activity]?.(world, event) ?? []
      case 'shows':
        if (workflowType !== 'withdrawal') return shown(world, event.status)
        if (event.status === 'refunding') return ['notes that the withdrawal is carried out']
        return event.status === 'left_to_operator' ? ['leaves the withdrawal to an operator'] : []
      default:
        return []
    }
  }

  function follow(step: StepName, at: number): void {
    if (!canTake(world, step)) {
      fault(`"${step}", and not: ${forbids(world, step) ?? 'it can happen here'}`)
      return
    }
    const waitedMs = at - changedAt
    if (whoTakes(step) === 'time' && !events.some(wasTakenByBank) && waitedMs < earliest * limitOf(world.status))
      fault(`"${step}" after ${waitedMs} ms`)
    const before = world.status
    world = take(world, step)
    if (world.status !== before) changedAt = at
    if (world.status === 'refund_failed') failedRefunds += 1
    const broken = brokenIn(world, false)
    if (broken) fault(`after "${step}" not: ${broken}`)
  }

  function compare(status: string): void {
    const isOrders = workflowType === 'order' || (workflowType === 'orderAftercare' && isRefunded(world))
    if (!isOrders || !(status in orderStates) || status === 'awaiting_payment') return
    if (status === 'ended' && !events.some(sawTheEnd)) fault('it ends, and no eSIM has')
    if (status !== world.status) fault(`it shows ${status}`)
  }

  function close({ how, result, type }: Extract<RunEvent, { kind: 'closed' }>): void {
    const isOperators = count(asksOperators, 'completed') > 0
    if (how === 'terminated' || type === 'OrderMissing') return
    if (how === 'failed') {
      const isOpen = workflowType === 'order' && count(['openCheckout'], 'completed') > 0
      if (isOpen && !isOperators) fault('it fails, and nobody is told')
      return
    }
    const mails = count(mailers, 'scheduled', 'completed') + events.filter(isSentWithDelivery).length
    if (mails < events.filter(isNotified).length - events.filter(wasTakenByBank).length)
      fault(`only ${mails} mails were sent`)
    if (count(['recordRefundFailure'], 'completed') < failedRefunds) fault('a refund has failed, and nobody is told')
    if (workflowType !== 'order') return
    if (result.status !== world.status) fault(`it closes as ${result.status}`)
    // Nothing of a top-up is followed.
    if (input.parentOrderId && world.status === 'delivered') world = { ...world, run: 'closed' }
    const broken = isOperators ? undefined : brokenIn(world, true)
    if (broken) fault(`it closes, and not: ${broken}`)
  }
}

/** A lost dispute has given the customer the money: there is no refund to wait for, or to report. */
const wasTakenByBank = (event: RunEvent): boolean => event.kind === 'completed' && event.result.isTakenBack === true

const isSentWithDelivery = (event: RunEvent): boolean =>
  event.kind === 'completed' && Array.isArray(event.result.sent) && event.result.sent.includes('mail')

const sawTheEnd = (event: RunEvent): boolean =>
  event.kind === 'completed' &&
  (event.activity === 'watchEsims' || (event.activity === 'refreshEsims' && event.result.ended === true))

/** How long an order may be in a state. */
function limitOf(status: OrderStatus | null): number {
  const until = status && orderStates[status].until
  const limit = typeof until === 'object' && until ? periods.order[until.period] : 0
  return typeof limit === 'number' ? limit : 0
}

function worldAtStart(workflowType: string, events: readonly RunEvent[]): World {
  const opened = (['signs up', 'orders'] as const).reduce(take, nothingYet)
  if (workflowType === 'order') return opened
  const given = { ...opened, payment: 'paid', esim: 'held', bought: 1 } as const
  const withStatus = (status: OrderStatus, change: Partial<World> = {}): World => ({
    ...given,
    status,
    rows: { ...given.rows, order: status },
    ...change,
  })
  if (workflowType !== 'orderAftercare') return withStatus('delivered')
  const late = events.find((event) => event.kind === 'completed' && event.result.state === 'refund')
  const isTakenBack = events.some((event) => event.kind === 'scheduled' && event.activity === 'withdrawEsims')
  if (isTakenBack) return withStatus('delivered')
  if (!late) return withStatus('refunded', { refunded: price, esim: 'returned' })
  return withStatus('refunding', late.kind === 'completed' && late.result.holdsEsims ? {} : { esim: 'none', bought: 0 })
}
