/** People and an operator who have something on each page. */
import { createLinkToken } from '../../db/crypto/link-tokens.ts'
import { unsubscribeToken } from '../../db/crypto/unsubscribe-token.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { Language } from '../../messages/languages.ts'
import { milliseconds } from '../../policy/periods.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { expectStatus } from '../harness/http.ts'
import type { Product } from '../harness/product.ts'
import { seededInt } from '../harness/seed.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const gigabyte = 2 ** 30
const { day: dayMs } = milliseconds

export type PersonsPaths = Awaited<ReturnType<typeof pathsOfPerson>>
export type OperatorsPaths = Awaited<ReturnType<typeof pathsOfOperator>>

/** A signed-in browser, and where it goes. */
export interface Furnished<Paths> {
  surfer: Surfer
  paths: Paths
}

/** A person with long names, orders in several states, and one of everything that a page can show. */
export async function furnishPerson(product: Product, language: Language): Promise<Furnished<PersonsPaths>> {
  const long = 'maximiliane.sophie-charlotte.von-hohenstein-bartholomew'
  const email = `${long}.${seededInt(0, 1_000_000)}.${language}@post.reisebuero-hauptstadt.example`
  const person = await product.signUp({
    account: { language, email, firstName: 'Maximiliane Sophie', lastName: 'von Hohenstein-Bartholomew' },
  })
  const surfer = await visit(product.stack, person)
  return { surfer, paths: await pathsOfPerson(product, language, person, surfer) }
}

async function pathsOfPerson(
  product: Product,
  language: Language,
  person: Awaited<ReturnType<Product['signUp']>>,
  surfer: Surfer,
) {
  const { stack, sims } = product
  const { sql, cipher } = product.context
  const [order, used, returned, held, returnable] = await Promise.all([
    product.buy(person, { quantity: 2 }),
    product.buy(person, { packageCode: testPackages.onlyEsimAccess, order: { savedCards: true } }),
    product.buy(person),
    product.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' }),
    product.buy(person),
  ])
  // The period of withdrawal is over, and the eSIM is unused.
  await sql`update orders set paid_at = paid_at - interval '40 days' where id = ${returnable.id}`
  await sims.stripe.do('save-card', { orderId: used.id })
  await person.caller.post(`/v1/orders/${returned.id}/refund`)
  await product.untilOrder(returned.id, 'refunded')
  const [{ id: esimId, iccid }] = used.esims
  await sims.esimAccess.do('install', { iccid })
  await sims.esimAccess.do('use', { iccid, bytes: 0.9375 * gigabyte })
  await surfer.submit('/account/data', '/account/promotions', { granted: 'on' })
  await surfer.submit('/account/data', '/account/privacy-request', { kind: 'other', message: 'X?' })
  await surfer.submit('/account/data', '/account/email', { email: `new.${person.email}` })
  const topUp = `/account/esims/${esimId}/top-up`
  const unpaid = await surfer.submit(topUp, topUp)
  const changed = await until('the mail', async () =>
    (await mailsTo(stack, person.email)).findLast(({ text }) => text.includes('/email-change/')),
  )
  const { body: givenBack } = await person.caller.get(`/v1/orders/${returned.id}`)
  const at = new Date()
  const signIn = await createLinkToken(sql, {
    purpose: 'sign_in',
    accountId: person.accountId,
    next: '/account',
    at,
    expiresAt: new Date(at.getTime() + dayMs),
  })
  const gone = await product.signUp({ account: { language } })
  const { body: receipt } = await product.service.delete(`/v1/accounts/${gone.accountId}`)
  const { body: policies } = await product.anonymous.get('/v1/policies')
  return {
    delivered: `/account/orders/${order.id}`,
    unpaid: unpaid.location ?? '',
    held: `/account/orders/${held.id}`,
    refunded: `/account/orders/${returned.id}`,
    returnable: `/account/orders/${returnable.id}`,
    invoice: `/account/orders/${returned.id}/documents/${givenBack.documents[0].number}`,
    topUp,
    paid: `/account/paid?order=${order.id}`,
    install: new URL(order.installUrl).pathname,
    installUsed: new URL(used.installUrl).pathname,
    signInLink: `/account/sign-in/${signIn}`,
    emailChange: new URL(/https?:\/\/\S+\/email-change\/[\w-]+/.exec(changed.text)?.[0] ?? '').pathname,
    unsubscribe: `/u/${unsubscribeToken(cipher, person.accountId)}`,
    receipt: `/receipts/${receipt.receiptId ?? receipt.id}`,
    policy: `/privacy/${policies.items[0].version}`,
  }
}

/** An operator with orders to review, a task, a privacy request, a dispute and a bulk action. */
export async function furnishOperator(product: Product): Promise<Furnished<OperatorsPaths>> {
  const surfer = createSurfer(product.stack.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: product.keys.operator })
  return { surfer, paths: await pathsOfOperator(product, surfer) }
}

async function pathsOfOperator(product: Product, surfer: Surfer) {
  const { sims, operator } = product
  const { sql } = product.context
  const person = await product.signUp()
  const paidFrom = new Date().toISOString()
  const [order, held] = await Promise.all([
    product.buy(person),
    product.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' }),
  ])
  const at = new Date()
  await raiseOperatorTask(sql, { kind: 'refund_failed', subjectId: held.id, detail: 'expired_card', at })
  const [task] = await sql<{ id: string }[]>`
    select id from attention where kind = 'refund_failed' and subject_id = ${held.id}`
  const asked = { kind: 'portability', message: 'My data, please.\nAll of it.', accountId: person.accountId }
  const request = expectStatus(await operator.post('/v1/privacy-requests', asked), 201)
  const { dispute } = await sims.stripe.do('open-dispute', { orderId: order.id })
  await until('the dispute is on the order', async () => {
    return (await surfer.open(`/console/orders/${order.id}`)).html.includes(`/disputes/${dispute}/`)
  })
  const changed = { email: `new.${person.email}` }
  expectStatus(await person.caller.post(`/v1/accounts/${person.accountId}/email-change`, changed), 202)
  const selected = { act: 'apologise', selection: { statuses: ['in_review'] }, reason: 'the review took a day' }
  const bulk = expectStatus(await operator.post('/v1/bulk-actions', selected), 201)
  // Refused: it was not started. The report says so.
  await operator.post(`/v1/bulk-actions/${bulk.id}/pause`, { reason: 'the mail server is busy' })
  const mailed = {
    ...selected,
    selection: { statuses: ['delivered'], paidFrom },
    reason: 'mails were late this morning',
  }
  const ended = expectStatus(await operator.post('/v1/bulk-actions', mailed), 201)
  await operator.post(`/v1/bulk-actions/${ended.id}/start`)
  await until('the bulk action has ended', async () => {
    return (await operator.get(`/v1/bulk-actions/${ended.id}`)).body.state === 'done'
  })
  return {
    account: `/console/accounts/${person.accountId}`,
    order: `/console/orders/${order.id}`,
    held: `/console/orders/${held.id}`,
    dispute: `/console/orders/${order.id}/disputes/${dispute}`,
    task: `/console/attention/${task?.id}`,
    request: `/console/privacy-requests/${request.id}`,
    bulk: `/console/bulk-actions/${bulk.id}`,
    bulkEnded: `/console/bulk-actions/${ended.id}`,
  }
}
