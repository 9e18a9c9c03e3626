/** The endpoints of Checkout Sessions and saved cards, and the page on which a session is paid by a test card. */
import type { Request, Response, Router } from 'express'
import type Stripe from 'stripe'
import { rawBody } from '../../simulator.ts'
import { type Account, idOf } from '../account.ts'
import { found } from '../collection.ts'
import type { Confirm } from '../confirm/confirm.ts'
import { escaped, sendPage } from '../confirm/payment-page.ts'
import { testCards } from '../confirm/test-cards.ts'
import { parseForm, text } from '../parameters.ts'
import type { Protocol } from '../protocol.ts'
import { Refusal, refusedByState } from '../refusal.ts'
import { list, pagination } from '../routes.ts'
import type { Sessions } from './sessions.ts'

interface Parts {
  account: Account
  protocol: Protocol
  sessions: Sessions
  confirm: Confirm
}

const created = [
  'adaptive_pricing',
  'allowed_payment_method_types',
  'cancel_url',
  'client_reference_id',
  'customer',
  'expires_at',
  'line_items',
  'locale',
  'metadata',
  'mode',
  'payment_intent_data',
  'success_url',
  'wallet_options',
]

export function mountHosted(router: Router, parts: Parts): void {
  const { account, protocol, sessions } = parts
  const path = '/v1/checkout/sessions'
  protocol.endpoint(router, 'post', path, created, ({ parameters, origin }) => sessions.create(parameters, origin))
  protocol.endpoint(router, 'get', path, [...pagination, 'status', 'payment_intent'], ({ parameters }) => {
    const [status, intent] = [text(parameters, 'status'), text(parameters, 'payment_intent')]
    // One that has expired meanwhile shows it.
    const isWanted = ({ id, payment_intent }: Stripe.Checkout.Session) =>
      [undefined, sessions.find(id).status].includes(status) && [undefined, idOf(payment_intent)].includes(intent)
    return list(path, account.sessions, parameters, [], isWanted)
  })
  protocol.endpoint(router, 'get', `${path}/:id`, [], ({ id }) => sessions.find(id))
  protocol.endpoint(router, 'post', `${path}/:id/expire`, [], ({ id }) => sessions.expire(id))

  // docs.stripe.com/api/payment_methods/customer_list: those of a deleted customer are gone.
  const pages = ['type', 'limit', 'starting_after', 'ending_before']
  protocol.endpoint(router, 'get', '/v1/customers/:id/payment_methods', pages, ({ id, parameters }) => {
    const customer = account.deletedCustomers.has(id) ? undefined : account.customers.get(id)
    found(account.customers, 'customer', customer?.id ?? '')
    const isTheirs = (card: Stripe.PaymentMethod) => idOf(card.customer) === id
    return list(`/v1/customers/${id}/payment_methods`, account.cards, parameters, [], isTheirs)
  })
  protocol.endpoint(router, 'get', '/v1/payment_methods/:id', [], ({ id }) => found(account.cards, 'PaymentMethod', id))
  protocol.endpoint(router, 'post', '/v1/payment_methods/:id/detach', [], ({ id }) => {
    const card = found(account.cards, 'PaymentMethod', id)
    if (card.customer === null) {
      const message = 'The payment method you provided is not attached to a customer so detachment is impossible.'
      throw refusedByState(undefined, message)
    }
    return Object.assign(card, { customer: null })
  })
  mountPage(router, parts)
}

function mountPage(router: Router, { sessions, confirm }: Parts): void {
  router.get('/c/pay/:id', (request: Request, response: Response) => show(request, response))
  router.post('/c/pay/:id', (request: Request, response: Response) => {
    try {
      const session = sessions.find(String(request.params.id))
      if (session.status !== 'open') return show(request, response)
      const intent = sessions.intentOf(session)
      confirm(intent, text(parseForm(rawBody(request)), 'number') ?? '')
      if (intent.status !== 'succeeded') return show(request, response)
      sessions.complete(session)
      return response.redirect(303, session.success_url ?? '/')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return show(request, response, error)
    }
  })

  function show(request: Request, response: Response, refusal?: Refusal): void {
    try {
      const session = sessions.find(String(request.params.id))
      const notice = refusal ? [`<p role="alert">${escaped(refusal.message)} Try another card.</p>`] : []
      sendPage(response, refusal?.status ?? 200, title(session), [...notice, ...content(session)])
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      sendPage(response, 404, 'There is no such page', [])
    }
  }
}

function title({ status, amount_total: amount, currency }: Stripe.Checkout.Session): string {
  if (status === 'complete') return 'You are done here: this was paid'
  if (status === 'expired') return 'This page has expired'
  const style = { style: 'currency', currency: (currency ?? 'eur').toUpperCase() } as const
  return `Pay ${new Intl.NumberFormat('en', style).format((amount ?? 0) / 100)}`
}

function content({ id, status, cancel_url: back }: Stripe.Checkout.Session): string[] {
  const leave = back ? [`<p><a href="${escaped(back)}">Back to the shop</a></p>`] : []
  if (status !== 'open') return leave
  const rows = testCards.map(({ number, label }) => `<li><code>${number}</code> ${escaped(label)}</li>`)
  return [
    ...leave,
    '<p>A test payment: no card is charged. A real card does not belong here.</p>',
    `<form method="post" action="/c/pay/${id}"><label>Card number <input name="number" inputmode="numeric" required></label> <button>Pay</button></form>`,
    `<h2>Test cards</h2><ul>${rows.join('')}</ul>`,
  ]
}
