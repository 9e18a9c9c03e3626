/** Acts of people, operators and outside parties, as commands of fast-check. */
import fc from 'fast-check'
import { milliseconds, periods } from '../../../policy/periods.ts'
import { performanceConsents } from '../../../policy/withdrawal.ts'
import { isNotFound } from '../../../temporal/grpc-status.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { deleteAccount } from '../../harness/deletions.ts'
import type { Answer } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'
import { nothingYet, type StepName, type World } from '../model.ts'
import { type Life, partMinor } from './life.ts'

export type Command = fc.AsyncCommand<Life, object>

interface Act {
  name: string
  /** whether there is any sense in it; a refusal may be the right answer */
  makesSense(life: Readonly<Life>): boolean
  does(life: Life): Promise<unknown>
}

const hasOrder = ({ order }: Readonly<Life>): boolean => order !== undefined
const isIn =
  (...statuses: (World['status'] | 'any')[]) =>
  (life: Readonly<Life>): boolean =>
    hasOrder(life) && life.some(({ status, isErased }) => !isErased && statuses.includes(status))

const orderPath = ({ order }: Life, action: string): string => `/v1/orders/${order?.id}/${action}`
const byPerson =
  (action: string) =>
  (life: Life): Promise<Answer> =>
    life.person.caller.post(orderPath(life, action))
const byOperator =
  (action: string, body?: unknown) =>
  (life: Life): Promise<Answer> =>
    life.product.operator.post(orderPath(life, action), body)

/** A request to the API. */
const asks = (step: StepName, makesSense: Act['makesSense'], request: (life: Life) => Promise<Answer>): Act => ({
  name: step,
  makesSense,
  does: (life) => life.ask(step, () => request(life)),
})

/** Something at an outside party, which happens only where it can. */
const happens = (
  step: StepName,
  does: (life: Life) => Promise<unknown>,
  makesSense: Act['makesSense'] = () => true,
): Act => ({
  name: step,
  makesSense: (life) => life.may(step) && makesSense(life),
  async does(life) {
    await life.settle()
    if (!life.may(step)) return
    await does(life)
    life.happened(step)
  },
})

/** A customer pays, where Stripe takes the payment. It refuses one that is paid or cancelled. */
async function pay(life: Life, step: StepName, orderId: string | undefined): Promise<void> {
  const riskLevel = step === 'pays at risk' ? 'elevated' : 'normal'
  const isTaken = await life.product.sims.stripe.do('pay', { orderId, riskLevel, fingerprint: life.card }).then(
    () => true,
    (error: unknown) => {
      if (String(error).includes('This PaymentIntent is ')) return false
      throw life.fault(`"${step}" failed: ${error}`)
    },
  )
  if (isTaken) life.happened(step)
  else life.didNotHappen(step)
}

/** What others do to an order: only lives that say so have it. */
const elsewhere: Act[] = [
  happens('the issuer warns of fraud', (life) =>
    life.product.sims.stripe.do('warn-fraud', { orderId: life.order?.id }),
  ),
  happens('is cancelled at the processor', (life) =>
    life.product.sims.stripe.do('cancel', { orderId: life.order?.id }),
  ),
  happens('the provider ends the eSIM', async (life) => {
    const { sims, fastForward } = life.product
    const { id, iccid } = life.order ?? {}
    await sims.esimAccess.do('withdraw', { iccid })
    // Until the run looks by itself; the provider's hint may be faster.
    if (id) await fastForward(id, periods.order.esimPollMs + milliseconds.minute).catch(ignoreClosedRun)
  }),
]

const [consentVersion] = Object.keys(performanceConsents)

const pays = (step: StepName, orderIdOf: (life: Life) => string | undefined): Act => ({
  name: step,
  makesSense: (life) => life.may(step),
  async does(life) {
    await life.settle()
    if (life.may(step)) await pay(life, step, orderIdOf(life))
  },
})

const placeOrder = (life: Life): Promise<Answer> => {
  const body = {
    accountId: life.person.accountId,
    packageCode: testPackages.onlyEsimAccess,
    performanceConsent: { version: consentVersion, at: '2025-11-20T10:00:00Z' },
  }
  return life.person.caller.post('/v1/orders', body, { 'idempotency-key': life.key })
}

const allActs: Act[] = [
  {
    name: 'orders',
    makesSense: (life) => life.some(({ rows }) => rows.account),
    async does(life) {
      const before = life.order?.id
      if (before) {
        const { status, body } = await placeOrder(life)
        if (status !== 201 || body.id !== before)
          throw life.fault(`the repeated order was answered with ${status} ${body.id}`)
        return
      }
      await life.ask('orders', async () => {
        const answer = await placeOrder(life)
        if (answer.status === 201) life.order = { id: answer.body.id }
        return answer
      })
    },
  },
  pays('pays', ({ order }) => order?.id),
  pays('pays at risk', ({ order }) => order?.id),
  {
    name: 'pays, and does not wait',
    makesSense: isIn('awaiting_payment'),
    async does(life) {
      await life.settle()
      if (!life.may('pays')) return
      await pay(life, 'pays', life.order?.id)
      await life.ask('cancels', () => byPerson('cancel')(life))
    },
  },
  {
    name: 'the card is declined',
    makesSense: isIn('awaiting_payment'),
    async does(life) {
      await life.settle()
      if (life.may('pays')) await life.product.sims.stripe.do('fail-payment', { orderId: life.order?.id })
    },
  },
  asks('cancels', hasShown, byPerson('cancel')),
  asks('approves', isIn('in_review', 'awaiting_payment'), byOperator('approve')),
  asks('rejects', isIn('in_review', 'provisioning'), byOperator('reject')),
  asks('gives the eSIM back', isIn('delivered', 'in_review', 'refunding'), byPerson('refund')),
  {
    name: 'reserves a partial refund',
    makesSense: (life) => hasShown(life) && life.some((world) => world.part === 'none'),
    async does(life) {
      await life.settle()
      if (!life.some((world) => world.part === 'none')) return
      const body = { amount: { minor: partMinor, currency: 'EUR' } }
      await life.ask('reserves a partial refund', () => byOperator('refund', body)(life))
    },
  },
  {
    name: 'withdraws from the contract',
    makesSense: (life) => hasShown(life) && life.some(({ withdrawal }) => withdrawal === 'none'),
    async does(life) {
      await life.settle()
      await life.ask('withdraws from the contract', async () => {
        const opened = await byPerson('withdrawal')(life)
        return opened.status === 200 ? byPerson('withdrawal/confirm')(life) : opened
      })
    },
  },
  {
    name: 'orders a top-up',
    makesSense: (life) => isIn('delivered')(life) && life.topUpId === undefined,
    async does(life) {
      await life.settle()
      await life.ask('orders a top-up', async () => {
        const answer = await life.person.caller.post(orderPath(life, 'top-up'), { packageCode: testPackages.topUp })
        if (answer.status === 201) life.topUpId = answer.body.id
        return answer
      })
    },
  },
  pays('pays the top-up', ({ topUpId }) => topUpId),
  happens('uses the eSIM', (life) =>
    life.product.sims.esimAccess.do('use', { iccid: life.order?.iccid, bytes: 1_000 }),
  ),
  {
    name: 'deletes the account',
    makesSense: (life) => life.some(({ rows }) => rows.account),
    async does(life) {
      await life.settle()
      await deleteAccount(life.product.stack, life.person)
      life.happened('deletes the account')
      await life.settle()
      const shown = await life.product.service.get(`/v1/accounts/${life.person.accountId}`)
      if (shown.status !== 404) throw life.fault(`the erased account is answered with ${shown.status}`)
    },
  },
  {
    name: 'signs up again',
    makesSense: (life) => life.some(({ isErased }) => isErased),
    async does(life) {
      await life.settle()
      const { email, firstName, lastName, phone, firebaseUid } = life.person
      const { status, body } = await life.product.service.post('/v1/accounts', {
        email,
        firstName,
        lastName,
        phone,
        firebaseUid,
      })
      if (status !== 201) throw life.fault(`to sign up again was answered with ${status}`)
      life.story.push('signs up again')
      const before = life.order?.id
      life.startAgain(body.id)
      const answer = await placeOrder(life)
      if (answer.status !== 201 || answer.body.id === before)
        throw life.fault(`the new order is ${answer.status} ${answer.body.id}`)
      life.order = { id: answer.body.id }
      life.happened('orders')
    },
  },
  happens(
    'a refund bounces',
    (life) => life.product.sims.stripe.do('fail-refund', { orderId: life.order?.id }),
    // The simulator lets all refunds of a payment bounce.
    (life) => !life.some((world) => world.part !== 'none'),
  ),
  asks('repeats the refund', isIn('refund_failed'), byOperator('refund')),
  {
    name: 'the deadline passes',
    makesSense: isIn('awaiting_payment', 'in_review', 'refunded'),
    does: letTimePass,
  },
]

/** The run has come to its end meanwhile. */
function ignoreClosedRun(error: unknown): void {
  if (!isNotFound(error)) throw error
}

/** Until the deadline of the order's state. */
export async function letTimePass(life: Life): Promise<void> {
  await life.settle()
  const limits = { awaiting_payment: '61 minutes', in_review: '25 hours', refunded: '31 days' } as const
  const [{ status, isErased } = nothingYet] = life.worlds
  const { temporal, fastForward } = life.product
  if (!life.order || isErased || !(status === 'awaiting_payment' || status === 'in_review' || status === 'refunded'))
    return
  const { id } = life.order
  await fastForward(id, limits[status]).catch(ignoreClosedRun)
  // Nothing that is shown changes then.
  if (status === 'refunded')
    await until('the run has closed', async () => {
      const { status: run } = await temporal.workflow.getHandle(orderWorkflowId(id)).describe()
      return run.name !== 'RUNNING'
    })
  life.timePassed('is not paid in time', 'is not approved in time', 'is settled')
}

function hasShown(life: Readonly<Life>): boolean {
  return hasOrder(life) && life.some(({ isErased }) => !isErased)
}

/** @param waits whether the life waits until nothing happens any more, or goes on at once */
const commandOf = (act: Act, waits: boolean): Command => ({
  check: (life) => !life.isOver() && act.makesSense(life),
  async run(life) {
    await act.does(life)
    if (waits) await life.settle()
  },
  toString: () => act.name,
})

/** Waits until nothing happens any more. */
export function commandNamed(name: string): Command {
  const act = [...allActs, ...elsewhere].find((each) => each.name === name)
  if (!act) throw new Error(`nobody does "${name}"`)
  return commandOf(act, true)
}

/** Without these nothing else happens. */
const often = ['orders', 'pays', 'pays at risk']
const drawn = allActs.flatMap((act) => (often.includes(act.name) ? [act, act, act] : [act]))

export const commandsOfALife: fc.Arbitrary<Iterable<Command>> = fc.commands(
  drawn.map((act) => fc.boolean().map((waits) => commandOf(act, waits))),
  { maxCommands: 80, size: 'max' },
)
