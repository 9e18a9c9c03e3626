/** One person's life at the API, beside the worlds of the model that explain all answers so far. */
import { randomUUID } from 'node:crypto'
import { entriesOf } from '../../../shared/keys-of.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import type { Answer } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import type { Product } from '../../harness/product.ts'
import { isWaiting } from '../../harness/temporal/is-waiting.ts'
import { testPriceMinor } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'
import { canTake, nothingYet, part, price, type StepName, take, type World } from '../model.ts'
import { accepted, closure, isCalm, refused } from '../possible.ts'

const minorOf = (units: number): number => (units * testPriceMinor) / price
export const partMinor = minorOf(part)

/** of what a worker has under way, each as long as what happens by itself may take */
const longestWaits = 4

/** The facts that outside parties and the API show of an order and its top-up. */
interface Seen {
  status: string
  payment: World['payment']
  refundedMinor: number
  liveEsims: number
  topUp: string
}

interface Limits {
  /** how long something may take that happens by itself */
  timeoutMs: number
  /** another life has ended with a fault, and nobody wants to know more */
  isOver(): boolean
}

export class Life {
  worlds: World[]
  order: { id: string; iccid?: string } | undefined
  topUpId: string | undefined
  /** references of the order at the provider, which an erasure deletes here */
  private readonly references = new Set<string>()
  readonly key = randomUUID()
  readonly card = randomUUID()
  readonly story: string[] = []

  readonly product: Product
  person: Person

  private readonly limits: Limits

  constructor(product: Product, person: Person, limits: Limits) {
    this.product = product
    this.person = person
    this.limits = limits
    this.worlds = [take(nothingYet, 'signs up')]
  }

  isOver(): boolean {
    return this.limits.isOver()
  }

  /** The same person with a new account. */
  startAgain(accountId: string): void {
    this.person = { ...this.person, accountId }
    this.worlds = [take(nothingYet, 'signs up')]
    this.order = undefined
    this.topUpId = undefined
    this.references.clear()
  }

  /** Whether some possible world allows the step. */
  may(step: StepName): boolean {
    return closure(this.worlds).some((world) => canTake(world, step))
  }

  /** Whether the condition holds in a possible world. */
  some(condition: (world: World) => boolean): boolean {
    return closure(this.worlds).some(condition)
  }

  /** A request that the API accepts or refuses, and what the model says of it. */
  async ask(step: StepName, request: () => Promise<Answer>): Promise<boolean> {
    const { status, body } = await request()
    const isAccepted = status === 200 || status === 201
    this.story.push(`${step}: ${status} ${isAccepted ? '' : body?.code}`)
    if (!isAccepted && status !== 409 && status !== 404) throw this.fault(`"${step}" was answered with ${status}`)
    const after = isAccepted
      ? accepted(this.worlds, step)
      : [...refused(this.worlds, step), ...this.refusedByProvider(step)]
    if (after.length === 0) throw this.fault(`"${step}" was ${isAccepted ? 'accepted' : 'refused'}`)
    this.worlds = after
    return isAccepted
  }

  /** Something that happened elsewhere. */
  happened(...steps: StepName[]): void {
    for (const step of steps) {
      this.story.push(step)
      const after = accepted(this.worlds, step)
      if (after.length === 0) throw this.fault(`"${step}" happened`)
      this.worlds = after
    }
  }

  /** An outside party has refused it: it cannot have been possible any more. */
  didNotHappen(step: StepName): void {
    this.story.push(`${step}: refused`)
    const after = refused(this.worlds, step)
    if (after.length === 0) throw this.fault(`"${step}" was refused`)
    this.worlds = after
  }

  /** The steps that a deadline takes, where it is one. */
  timePassed(...steps: StepName[]): void {
    this.story.push('time passes')
    const passed = closure(this.worlds).map((world) =>
      steps.reduce((now, step) => (canTake(now, step) ? take(now, step) : now), world),
    )
    this.worlds = closure(passed)
  }

  private refusedByProvider(step: StepName): World[] {
    if (step !== 'gives the eSIM back') return []
    return accepted(this.worlds, step).filter(({ esim, isReturning }) => esim === 'used' && !isReturning)
  }

  /** Waits until what is seen is a world in which nothing more happens by itself. */
  async settle(): Promise<void> {
    const calm = closure(this.worlds).filter(isCalm)
    // A busy machine is slow: what a worker has under way is waited for, and what stands still is not.
    for (let waits = 1; ; waits += 1) {
      const { found, seen } = await this.untilExplained(calm)
      if (found) {
        this.worlds = found
        return
      }
      if (waits < longestWaits && (await this.isUnderWay())) continue
      const wanted = [...new Set(calm.map((world) => JSON.stringify(shownOf(world))))]
      throw this.fault(`it is ${JSON.stringify(seen)}, and not ${wanted.join(' or ')}`)
    }
  }

  private async untilExplained(calm: World[]): Promise<{ found: World[] | undefined; seen: Seen | undefined }> {
    let seen: Seen | undefined
    const found = await until(
      'the model explains it',
      async () => {
        seen = await this.look()
        const now = seen
        const matching = this.limits.isOver() ? calm : calm.filter((world) => isSeen(world, now))
        return matching.length > 0 && matching
      },
      { timeoutMs: this.limits.timeoutMs },
    ).catch(() => undefined)
    return { found, seen }
  }

  private async isUnderWay(): Promise<boolean> {
    const ids = [this.order?.id, this.topUpId].filter((id) => id !== undefined)
    const { temporal } = this.product
    const waiting = await Promise.all(ids.map((id) => isWaiting(temporal, orderWorkflowId(id))))
    return waiting.includes(false)
  }

  fault(what: string): Error {
    return new Error(`${what}\n  after: ${this.story.join('\n         ')}`)
  }

  private async look(): Promise<Seen> {
    const { sims, service, context } = this.product
    const shown = async (id: string | undefined): Promise<Answer['body']> => {
      const answer = id === undefined ? undefined : await service.get(`/v1/orders/${id}`)
      return answer?.status === 200 ? answer.body : undefined
    }
    const [order, topUp] = [await shown(this.order?.id), await shown(this.topUpId)]
    const iccid = order?.esims?.[0]?.iccid
    if (iccid && this.order) this.order.iccid = iccid
    if (this.order) {
      const rows = await context.sql<
        { client_ref: string }[]
      >`select client_ref from provider_orders where order_id = ${this.order.id}`
      for (const row of rows) this.references.add(row.client_ref)
    }
    const stripe = await sims.stripe.state()
    const intents = stripe.paymentIntents.filter(({ metadata }) => metadata.order_id === this.order?.id)
    const refundedOf = (ids: string[]): number =>
      stripe.refunds
        .filter(
          ({ payment_intent: intent, status }) =>
            ids.includes(String(intent)) && status !== 'failed' && status !== 'canceled',
        )
        .reduce((sum, { amount }) => sum + amount, 0)
    const { orders, cancels } = await sims.esimAccess.state()
    const cancelled = new Set(cancels.map(({ esimTranNo }) => esimTranNo))
    const bought = orders
      .filter(({ transactionId }) => this.references.has(transactionId))
      .flatMap(({ esimTranNos }) => esimTranNos)
    const topUpIntents = stripe.paymentIntents.filter(
      ({ metadata }) => this.topUpId && metadata.order_id === this.topUpId,
    )
    const topUpPaid = topUpIntents.some(({ status }) => status === 'succeeded')
    const topUpRefunded = refundedOf(topUpIntents.map(({ id }) => id)) > 0
    return {
      status: order?.status ?? 'none',
      payment: paymentOf(intents.map(({ status }) => status)),
      refundedMinor: refundedOf(intents.map(({ id }) => id)),
      liveEsims: bought.filter((id) => !cancelled.has(id)).length,
      topUp:
        this.topUpId === undefined
          ? 'none'
          : !topUpPaid
            ? 'not paid'
            : topUpRefunded
              ? 'refunded'
              : (topUp?.status ?? 'kept'),
    }
  }
}

/**
 * The facts that a world shows. An erased order is not shown, and nobody can tell whether its eSIM lives, or one that
 * its provider has ended.
 */
function shownOf(world: World): Omit<Seen, 'liveEsims'> & { liveEsims?: number } {
  const topUps = {
    none: 'none',
    open: 'not paid',
    cancelled: 'not paid',
    paid: 'paid',
    applied: 'delivered',
    refunded: 'refunded',
  }
  const isKnown = !world.isErased && world.esim !== 'ended'
  return {
    status: world.isErased ? 'none' : (world.status ?? 'none'),
    payment: world.payment,
    refundedMinor: minorOf(world.refunded),
    ...(isKnown && { liveEsims: ['held', 'used', 'expired'].includes(world.esim) ? 1 : 0 }),
    topUp: world.isErased && world.topUp === 'applied' ? 'kept' : topUps[world.topUp],
  }
}

function paymentOf(statuses: string[]): World['payment'] {
  if (statuses.length === 0) return 'none'
  if (statuses.includes('succeeded')) return 'paid'
  return statuses.every((status) => status === 'canceled') ? 'cancelled' : 'open'
}

const isSeen = (world: World, seen: Seen): boolean =>
  entriesOf(shownOf(world)).every(([name, value]) => seen[name] === value)
