/**
 * A page on which a person pays by a test card, in place of the app's payment sheet: `/pay/<client secret>`. It sends
 * what the sheet sends. Without scripts.
 */
import type { Request, Response, Router } from 'express'
import type Stripe from 'stripe'
import { rawBody } from '../../simulator.ts'
import type { Account } from '../account.ts'
import { parseForm } from '../parameters.ts'
import { Refusal } from '../refusal.ts'
import { type Confirm, intentOfSecret } from './confirm.ts'
import { cardOfAmount } from './test-amounts.ts'
import { testCards } from './test-cards.ts'

export function mountPaymentPage(router: Router, { account, confirm }: { account: Account; confirm: Confirm }): void {
  router.get('/pay', (request: Request, response: Response) => {
    const secret = String(request.query.secret ?? '')
    if (secret) return response.redirect(303, `/pay/${encodeURIComponent(secret)}`)
    return sendPage(response, 200, 'Pay for an order', [
      '<p>Paste <code>payment.paymentIntentClientSecret</code> of an order.</p>',
      '<form action="/pay"><label>Client secret <input name="secret" required></label> <button>Next</button></form>',
    ])
  })
  router.get('/pay/:secret', (request: Request, response: Response) => show(request, response))
  router.post('/pay/:secret', (request: Request, response: Response) => {
    const { number } = parseForm(rawBody(request))
    try {
      const intent = intentOfSecret(account, String(request.params.secret))
      if (intent.status !== 'requires_action') confirm(intent, String(number ?? ''))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return show(request, response, error)
    }
    return response.redirect(303, request.originalUrl)
  })
  router.post('/pay/:secret/authenticate', (request: Request, response: Response) => {
    const secret = String(request.params.secret)
    try {
      const intent = intentOfSecret(account, secret)
      if (intent.status === 'requires_action')
        confirm(intent, parseForm(rawBody(request)).as === 'fail' ? declined : paid)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return show(request, response, error)
    }
    return response.redirect(303, `/pay/${encodeURIComponent(secret)}`)
  })

  function show(request: Request, response: Response, refusal?: Refusal): void {
    const secret = String(request.params.secret)
    try {
      const intent = intentOfSecret(account, secret)
      const notice = refusal ? [`<p role="alert">${escaped(refusal.message)} Try another card.</p>`] : []
      sendPage(response, refusal?.status ?? 200, title(intent), [...notice, ...content(intent, secret)])
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      sendPage(response, 404, 'There is no such payment', ['<p><a href="/pay">Pay for another order</a></p>'])
    }
  }
}

const paid = 'pm_card_visa'
const declined = 'pm_card_visa_chargeDeclined'

const amountOf = ({ amount, currency }: Stripe.PaymentIntent): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency: currency.toUpperCase() }).format(amount / 100)

function title(intent: Stripe.PaymentIntent): string {
  if (intent.status === 'succeeded') return `${amountOf(intent)} paid`
  if (intent.status === 'requires_action') return 'Your bank asks: is it you?'
  return intent.status === 'canceled' ? 'This payment was cancelled' : `Pay ${amountOf(intent)}`
}

function content(intent: Stripe.PaymentIntent, secret: string): string[] {
  const path = `/pay/${encodeURIComponent(secret)}`
  if (intent.status === 'requires_action') {
    return [
      `<form method="post" action="${path}/authenticate"><button name="as" value="pass">It is me</button> <button name="as" value="fail">It is not me</button></form>`,
    ]
  }
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) return [`<p>Status: ${intent.status}.</p>`]
  const rows = testCards.map(
    ({ number, label }) =>
      `<tr><td><form method="post" action="${path}"><button name="number" value="${number}">${grouped(number)}</button></form></td><td>${escaped(label)}</td></tr>`,
  )
  const asCard = cardOfAmount(intent.amount)
  return [
    ...(asCard ? [`<p>This amount with any card below that is paid: ${escaped(asCard.label)}.</p>`] : []),
    '<p>A test payment: no card is charged. A real card does not belong here.</p>',
    `<form method="post" action="${path}"><label>Card number <input name="number" inputmode="numeric" placeholder="4242 4242 4242 4242" required></label> <button>Pay</button></form>`,
    `<h2>Test cards</h2><table>${rows.join('')}</table>`,
  ]
}

const grouped = (number: string): string => number.match(/.{1,4}/g)?.join(' ') ?? number

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--page:light-dark(#f4f5fb,#11121a);
--card:light-dark(#fff,#1b1d29);--ink:light-dark(#1a1b2e,#eceef8);--muted:light-dark(#565a73,#a9aec7);
--line:light-dark(#d9dbe8,#34374a);--accent:light-dark(#4b45c6,#a5a1ff);--on:light-dark(#fff,#14122e)}
*{box-sizing:border-box}body{background:var(--page);color:var(--ink);margin:0 auto;max-width:34rem;overflow-wrap:anywhere;padding:1rem}
main{background:var(--card);border:1px solid var(--line);border-radius:1rem;margin:1rem 0;padding:1.25rem 1.5rem 1.5rem}
main>p:first-child{color:var(--muted);font-size:.875rem;font-weight:600;margin:0}h1{font-size:1.9rem;line-height:1.2;margin:.25rem 0 1rem}
h2{border-top:1px solid var(--line);font-size:1.1rem;margin:1.5rem 0 .5rem;padding-top:1rem}a{color:var(--accent)}
label{display:block;font-weight:600}input{background:none;border:1px solid var(--muted);border-radius:.5rem;color:inherit;display:block;
font:inherit;font-weight:400;margin:.3rem 0 .75rem;min-height:2.75rem;padding:.5rem .75rem;width:100%}form{margin:1rem 0}
button{background:var(--accent);border:1px solid var(--accent);border-radius:.5rem;color:var(--on);cursor:pointer;font:inherit;
font-weight:600;min-height:2.75rem;padding:.5rem 1.15rem}label+button{width:100%}td form{margin:0}
td button{background:none;border-color:var(--line);color:inherit;font-family:ui-monospace,monospace;font-weight:400;padding:.25rem .6rem}
table{border-collapse:collapse;width:100%}td{border-bottom:1px solid var(--line);padding:.4rem .75rem .4rem 0;vertical-align:middle}
ul{list-style:none;padding:0}li{border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:0 1rem;justify-content:space-between;padding:.4rem 0}
code{font-family:ui-monospace,monospace;user-select:all}:focus-visible{outline:.19rem solid var(--accent);outline-offset:.16rem}
[role=alert]{background:light-dark(#fdeceb,#37201e);border:1px solid light-dark(#b3261e,#ffb4a9);border-radius:.5rem;padding:.75rem 1rem}`

export function sendPage(response: Response, status: number, heading: string, parts: readonly string[]): void {
  response
    .status(status)
    .set('Cache-Control', 'no-store')
    .type('text/html')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(heading)}</title><style>${style}</style></head><body><main><p>Stripe, simulated</p><h1>${escaped(heading)}</h1>${parts.join('')}</main></body></html>`,
    )
}
