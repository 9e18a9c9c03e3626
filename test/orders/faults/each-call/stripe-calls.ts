/** Each call to Stripe. */
import { randomUUID } from 'node:crypto'
import type { Harness } from '../../../harness/harness.ts'
import { untilValue } from '../../../harness/until.ts'
import { type Call, readAll, reading, type Series, shared } from './call.ts'

const daySeconds = 86_400
/** Nobody else has payments of that day. */
const [longAgo, dayLater] = [new Date('2020-01-01T00:00:00Z'), new Date('2020-01-02T00:00:00Z')]

export function stripeCalls({ sims, context }: Harness) {
  const { stripe: sim } = sims
  const { stripe: clean } = context
  const state = shared(() => sim.state())
  const now = (): number => Math.floor(Date.now() / 1000)

  async function planted(how: { daysAgo?: number; disputed?: boolean; refunded?: number } = {}) {
    const { daysAgo = 1, ...more } = how
    const created = now() - daysAgo * daySeconds
    const payment = { amount: 500, currency: 'eur', metadata: {}, created, ...more }
    const [made] = (await sim.do('plant', { payments: [payment] })).planted
    return { paymentIntentId: made?.paymentIntent ?? '', disputeId: made?.dispute ?? '' }
  }
  const newCustomer = () => {
    const accountRef = randomUUID()
    return clean.createCustomer({ accountRef, idempotencyKey: `customer-${accountRef}` })
  }
  const newOrder = (customerId?: string) => {
    const orderId = randomUUID()
    return {
      orderId,
      amountMinor: 500,
      currency: 'EUR',
      mark: 'of-a-test',
      idempotencyKey: `pay-${orderId}`,
      ...(customerId !== undefined && { customerId }),
    }
  }
  const newPage = () => ({
    ...newOrder(),
    name: 'Germany, 1 GB',
    locale: 'en' as const,
    expiresAt: new Date(Date.now() + (daySeconds / 2) * 1000),
    successUrl: 'https://shop.example/paid',
    cancelUrl: 'https://shop.example/cancelled',
  })
  /** A redaction job that Stripe has validated. */
  async function readyJob(): Promise<string> {
    const { paymentIntentId } = await planted({ daysAgo: 100 })
    const key = `redact-${paymentIntentId}`
    const { redactionId } = await clean.redact({ paymentIntentIds: [paymentIntentId], customerIds: [] }, key)
    await untilValue(
      'the job is ready',
      () => clean.getRedaction(redactionId),
      ({ status }) => status === 'ready',
    )
    return redactionId
  }
  const redactionsIn = async (id: string, ...statuses: string[]): Promise<number> =>
    (await state()).redactions.filter((job) => job.id === id && statuses.includes(job.status)).length
  const disputeAt = async (id: string) => (await state()).disputes.find((dispute) => dispute.id === id)

  const evidence = {
    productDescription: 'An eSIM',
    serviceDate: '2026-11-01',
    activityLog: 'Delivered, and used.',
    remarks: 'None.',
  }
  const onDispute = (act: (disputeId: string) => Series): Call => ({
    arrange: async () => act((await planted({ disputed: true })).disputeId),
  })

  return {
    createCustomer: {
      async arrange() {
        const accountRef = randomUUID()
        return {
          attempt: ({ stripe }) => stripe.createCustomer({ accountRef, idempotencyKey: `customer-${accountRef}` }),
          effects: async () =>
            (await state()).customers.filter((each) => !each.deleted && each.metadata.account_ref === accountRef)
              .length,
        }
      },
    },
    createCustomerSession: {
      async arrange() {
        const customer = await newCustomer()
        return { attempt: ({ stripe }) => stripe.createCustomerSession(customer, `session-${customer}`) }
      },
    },
    createPayment: {
      async arrange() {
        const order = newOrder()
        return {
          attempt: ({ stripe }) => stripe.createPayment(order),
          effects: async () =>
            (await state()).paymentIntents.filter(({ metadata }) => metadata.order_id === order.orderId).length,
        }
      },
    },
    getPayment: {
      async arrange() {
        const { paymentIntentId } = await planted()
        return { attempt: ({ stripe }) => stripe.getPayment(paymentIntentId) }
      },
    },
    cancelPayment: {
      async arrange() {
        const { paymentIntentId } = await clean.createPayment(newOrder())
        return {
          attempt: ({ stripe }) => stripe.cancelPayment(paymentIntentId, `cancel-${paymentIntentId}`),
          effects: async () =>
            (await state()).paymentIntents.filter(({ id, status }) => id === paymentIntentId && status === 'canceled')
              .length,
        }
      },
    },
    refund: {
      async arrange() {
        const { paymentIntentId } = await planted()
        const order = {
          paymentIntentId,
          // Twice would be possible.
          amountMinor: 200,
          idempotencyKey: `refund-${paymentIntentId}`,
          reasonCode: 'requested_by_customer',
        }
        return {
          attempt: ({ stripe }, tried) => stripe.refund({ ...order, lookFirst: tried > 0 }),
          effects: async () =>
            (await state()).refunds.filter(({ payment_intent }) => payment_intent === paymentIntentId).length,
        }
      },
    },
    listRefunds: {
      async arrange() {
        const { paymentIntentId } = await planted({ refunded: 100 })
        return {
          async attempt({ stripe }) {
            if ((await stripe.listRefunds(paymentIntentId)).length !== 1) throw new Error('the refund is not listed')
          },
        }
      },
    },
    deleteCustomer: {
      async arrange() {
        const customer = await newCustomer()
        return {
          async attempt({ stripe }) {
            if ((await stripe.deleteCustomer(customer)) === 'unknown') throw new Error('Stripe knows the customer')
          },
          effects: async () => (await state()).customers.filter(({ id, deleted }) => id === customer && deleted).length,
        }
      },
    },
    redact: {
      async arrange() {
        const { paymentIntentId } = await planted({ daysAgo: 100 })
        const ids = { paymentIntentIds: [paymentIntentId], customerIds: [] }
        return {
          attempt: ({ stripe }) => stripe.redact(ids, `redact-${paymentIntentId}`),
          effects: async () =>
            (await state()).redactions.filter(({ objects }) => objects.payment_intents.includes(paymentIntentId))
              .length,
        }
      },
    },
    getRedaction: {
      async arrange() {
        const job = await readyJob()
        return { attempt: ({ stripe }) => stripe.getRedaction(job) }
      },
    },
    runRedaction: {
      async arrange() {
        const job = await readyJob()
        return {
          attempt: ({ stripe }) => stripe.runRedaction(job, `${job}:run`),
          effects: () => redactionsIn(job, 'redacting', 'succeeded'),
        }
      },
    },
    cancelRedaction: {
      requests: 2,
      async arrange() {
        const job = await readyJob()
        return {
          attempt: ({ stripe }) => stripe.cancelRedaction(job, `${job}:cancel`),
          effects: () => redactionsIn(job, 'canceling', 'canceled'),
        }
      },
    },
    customerState: {
      async arrange() {
        const customer = await newCustomer()
        return {
          async attempt({ stripe }) {
            if ((await stripe.customerState(customer)) !== 'live') throw new Error('Stripe knows the customer')
          },
        }
      },
    },
    getDispute: onDispute((id) => ({ attempt: ({ stripe }) => stripe.getDispute(id) })),
    listDisputes: {
      async arrange() {
        const { paymentIntentId } = await planted({ disputed: true })
        return {
          async attempt({ stripe }) {
            if ((await stripe.listDisputes(paymentIntentId)).length !== 1) throw new Error('the dispute is not listed')
          },
        }
      },
    },
    stageEvidence: onDispute((id) => ({
      attempt: ({ stripe }) => stripe.stageEvidence(id, evidence, `${id}:stage`),
      effects: async () => Number((await disputeAt(id))?.evidence_details.has_evidence),
    })),
    submitEvidence: onDispute((id) => ({
      attempt: ({ stripe }) => stripe.submitEvidence(id, `${id}:submit`),
      effects: async () => (await disputeAt(id))?.evidence_details.submission_count ?? 0,
    })),
    acceptDispute: onDispute((id) => ({
      attempt: ({ stripe }) => stripe.acceptDispute(id, `${id}:accept`),
      effects: async () => Number((await disputeAt(id))?.status === 'lost'),
    })),
    getFraudWarning: {
      async arrange() {
        const { paymentIntentId } = await planted()
        const { warning } = await sim.do('warn-fraud', { paymentIntent: paymentIntentId, withIntent: true })
        return { attempt: ({ stripe }) => stripe.getFraudWarning(warning) }
      },
    },
    listFraudWarnings: {
      async arrange() {
        const { paymentIntentId } = await planted()
        await sim.do('warn-fraud', { paymentIntent: paymentIntentId, withIntent: true })
        return {
          async attempt({ stripe }) {
            if ((await stripe.listFraudWarnings(paymentIntentId)).length !== 1) throw new Error('it is not listed')
          },
        }
      },
    },
    bookedDisputes: reading(({ stripe }) => readAll(stripe.bookedDisputes(longAgo, dayLater))),
    bookedPayments: reading(({ stripe }) => readAll(stripe.bookedPayments(longAgo, dayLater))),
    openPages: reading(({ stripe }) => readAll(stripe.openPages(longAgo, dayLater))),
    pageOf: {
      async arrange() {
        const { paymentIntentId } = await planted()
        return { attempt: ({ stripe }) => stripe.pageOf(paymentIntentId) }
      },
    },
    paymentsCreated: reading(({ stripe }) => readAll(stripe.paymentsCreated(longAgo, dayLater))),
    orderEvents: reading(({ stripe }) => readAll(stripe.orderEvents(new Date(Date.now() + daySeconds * 1000)))),
    olderPaymentsRefunded: reading(({ stripe }) => readAll(stripe.olderPaymentsRefunded(longAgo, dayLater))),
    balances: reading(({ stripe }) => stripe.balances()),
    transactionsCreated: reading(({ stripe }) => readAll(stripe.transactionsCreated(longAgo, dayLater))),
    bookedPayouts: reading(({ stripe }) => readAll(stripe.bookedPayouts(longAgo, dayLater))),
    paidOutMinor: {
      async arrange() {
        await planted()
        const { payouts } = await sim.do('pay-out', { early: true })
        const payout = payouts[0] ?? ''
        return { attempt: ({ stripe }) => stripe.paidOutMinor(payout) }
      },
    },
    bookedPayment: {
      async arrange() {
        const { paymentIntentId } = await planted()
        return {
          async attempt({ stripe }) {
            if (!(await stripe.bookedPayment(paymentIntentId))) throw new Error('Stripe knows the payment')
          },
        }
      },
    },
    createHostedPayment: {
      async arrange() {
        const page = newPage()
        return {
          attempt: ({ stripe }) => stripe.createHostedPayment(page),
          effects: async () =>
            (await state()).sessions.filter((each) => each.client_reference_id === page.orderId).length,
        }
      },
    },
    getHostedPayment: {
      async arrange() {
        const { sessionId } = await clean.createHostedPayment(newPage())
        return { attempt: ({ stripe }) => stripe.getHostedPayment(sessionId) }
      },
    },
    endHostedPayment: {
      requests: 2,
      async arrange() {
        const { sessionId } = await clean.createHostedPayment(newPage())
        return {
          attempt: ({ stripe }) => stripe.endHostedPayment(sessionId, `end-${sessionId}`),
          effects: async () =>
            (await state()).sessions.filter(({ id, status }) => id === sessionId && status === 'expired').length,
        }
      },
    },
    listSavedCards: {
      async arrange() {
        const { customer } = await withCard()
        return {
          async attempt({ stripe }) {
            if ((await stripe.listSavedCards(customer)).length !== 1) throw new Error('the card is not listed')
          },
        }
      },
    },
    deleteSavedCard: {
      requests: 2,
      async arrange() {
        const { customer, card } = await withCard()
        return {
          async attempt({ stripe }) {
            if (!(await stripe.deleteSavedCard(customer, card))) throw new Error('it is the customer’s')
          },
          effects: async () =>
            (await state()).cards.filter((each) => each.id === card && each.customer === null).length,
        }
      },
    },
  } satisfies Record<string, Call>

  async function withCard(): Promise<{ customer: string; card: string }> {
    const customer = await newCustomer()
    const { paymentIntentId } = await clean.createPayment(newOrder(customer))
    await sim.do('pay', { paymentIntent: paymentIntentId })
    const { card } = await sim.do('save-card', { paymentIntent: paymentIntentId })
    return { customer, card }
  }
}
