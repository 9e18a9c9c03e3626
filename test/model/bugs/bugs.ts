/** Seeded bugs, each in one place of the code as it is: a workflow, an adapter of an outside party, or the database. */
import { periods } from '../../../policy/periods.ts'
import type { Product } from '../../harness/product.ts'
import type { Mutation } from '../../mutations/mutation.ts'

type Ports = Partial<Product['context']>

export interface Bug {
  name: string
  where: 'workflow' | 'adapter' | 'database'
  mutations?: Mutation[]
  ports?(context: Product['context']): Ports
  /** a statement that plants it, and one that removes it */
  sql?: { plant: string; remove: string }
}

const inWorkflow = (name: string, ...mutations: Mutation[]): Bug => ({ name, where: 'workflow', mutations })

const inStripe = (
  name: string,
  change: (stripe: Product['context']['stripe']) => Partial<Product['context']['stripe']>,
): Bug => ({
  name,
  where: 'adapter',
  ports: ({ stripe }) => ({ stripe: { ...stripe, ...change(stripe) } }),
})

type EsimPort = Product['context']['esimProviders']['esim-access']
const inEsimAccess = (name: string, change: (provider: EsimPort) => Partial<EsimPort>): Bug => ({
  name,
  where: 'adapter',
  ports: ({ esimProviders }) => {
    const provider = esimProviders['esim-access']
    return { esimProviders: { ...esimProviders, 'esim-access': { ...provider, ...change(provider) } } }
  },
})

/** Writes of orders that a trigger alters. */
const inOrders = (name: string, change: string): Bug => ({
  name,
  where: 'database',
  sql: {
    plant: `create function planted_bug() returns trigger language plpgsql as $$ begin ${change} return new; end $$;
      create trigger a_planted_bug before insert or update on orders for each row execute function planted_bug()`,
    remove: 'drop trigger a_planted_bug on orders; drop function planted_bug()',
  },
})

export const bugs: Bug[] = [
  inWorkflow('eSIMs are ordered before they are paid', {
    workflow: 'order',
    activity: 'confirmPayment',
    fault: 'altered',
    result: { state: 'paid', review: null },
  }),
  inWorkflow('risky payments are not held', {
    workflow: 'order',
    activity: 'confirmPayment',
    fault: 'altered',
    result: { review: null },
  }),
  inWorkflow('the payment of a cancelled order is left open', {
    workflow: 'order',
    activity: 'cancelPayment',
    when: { reason: 'cancelled_by_customer' },
    fault: 'skipped',
    result: 'cancelled',
  }),
  inWorkflow('the payment of an order that was not paid in time is left open', {
    workflow: 'order',
    activity: 'cancelPayment',
    when: { status: 'unpaid' },
    fault: 'skipped',
    result: 'cancelled',
  }),
  inWorkflow('the review ends as soon as it begins', { workflow: 'order', timer: periods.order.reviewWindowMs }),
  inWorkflow('a delivery is not recorded', {
    workflow: 'order',
    activity: 'recordDelivery',
    fault: 'skipped',
    result: { livesUntil: '2030-01-01T00:00:00.000Z' },
  }),
  inWorkflow('nobody is told of a refund or a cancellation', {
    workflow: 'order',
    activity: 'sendOrderMail',
    fault: 'skipped',
  }),
  inWorkflow(
    'money goes back without the eSIM',
    { workflow: 'order', activity: 'withdrawEsims', fault: 'skipped' },
    { workflow: 'order', activity: 'releaseProvision', fault: 'skipped' },
  ),
  inWorkflow('eSIMs go back without the money', {
    workflow: 'order',
    activity: 'refundPayment',
    fault: 'skipped',
  }),
  inWorkflow('a refund that begins is not written', { workflow: 'order', activity: 'startRefund', fault: 'skipped' }),
  inWorkflow('a refund counts as settled at once', { workflow: 'order', timer: periods.order.refundSettlesWithinMs }),
  inWorkflow('a refund that bounces is not written', {
    workflow: 'order',
    activity: 'recordRefundFailure',
    fault: 'skipped',
    result: { reason: 'returned_unused' },
  }),
  inWorkflow('the end of an order is not written', { workflow: 'order', activity: 'endOrder', fault: 'skipped' }),
  inWorkflow('a withdrawal is acknowledged and forgotten', {
    workflow: 'withdrawal',
    activity: 'carryOutWithdrawal',
    fault: 'skipped',
  }),
  inWorkflow('a partial refund is promised and not made', {
    workflow: 'partialRefund',
    activity: 'makePartialRefund',
    fault: 'skipped',
  }),
  inWorkflow('payments of the erased are left as they are', {
    workflow: 'accountDeletion',
    activity: 'settlePayments',
    fault: 'skipped',
    result: { watch: false },
  }),
  inStripe('a refund is half of what was paid', (stripe) => ({
    async refund(asked) {
      const paid =
        asked.amountMinor === 'rest' ? (await stripe.getPayment(asked.paymentIntentId)).amountMinor : asked.amountMinor
      return stripe.refund({ ...asked, amountMinor: Math.ceil(paid / 2) })
    },
  })),
  inStripe('a cancelled payment can still be paid', () => ({ cancelPayment: async () => 'cancelled' })),
  inEsimAccess('an eSIM is not returned, and said to be', () => ({ cancelUnused: async () => 'cancelled' })),
  inEsimAccess('each order buys two eSIMs', (provider) => ({
    placeOrder: (order) => provider.placeOrder({ ...order, quantity: order.quantity * 2 }),
  })),
  inEsimAccess('an eSIM in use counts as new', (provider) => ({
    getStatus: async (ref) => ({ ...(await provider.getStatus(ref)), state: 'new' }),
  })),
  inOrders(
    'an order that is refunded is shown as delivered',
    "if new.status = 'refunded' then new.status := 'delivered'; end if;",
  ),
  inOrders(
    'an order that is held is shown as being provisioned',
    "if new.status = 'in_review' then new.status := 'provisioning'; end if;",
  ),
  inOrders(
    'a cancelled order stays open',
    "if new.status = 'cancelled' then new.status := 'awaiting_payment'; end if;",
  ),
]
