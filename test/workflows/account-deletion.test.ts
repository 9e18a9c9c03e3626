/** Deletions in every state of an order: payments are refunded, eSIMs are returned, and nothing of the person stays. */
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { fastForward } from '../../temporal/time-skipping.ts'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { findTexts, takeSnapshot } from '../erasure/snapshot.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { checkTotals, deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { eachProvider, testPackages, testPriceMinor } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

// The harness verifies the books by orders that still exist.
const harness = await shareStack({ books: false })
const { stripe, esimAccess, airalo } = harness.sims
const { sql } = harness.context
const erase = (person: Person) => deleteAccount(harness.stack, person)

/** The sum that banks have reclaimed of payments that a deletion was to refund. */
let takenBackMinor = 0
afterAll(() => checkTotals(harness.stack, takenBackMinor))

async function paymentOf(orderId: string) {
  const books = await stripe.state()
  const payment = books.paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  return { ...payment, refunds: books.refunds.filter((refund) => refund.payment_intent === payment?.id) }
}

/** Every order at a provider whose eSIMs were neither delivered nor returned. */
async function heldBy(provider: 'esimAccess' | 'airalo'): Promise<number> {
  if (provider === 'airalo') {
    const books = await airalo.state()
    const returned = new Set(books.refunds.flatMap(({ iccids }) => iccids))
    return books.orders.flatMap(({ iccids }) => iccids).filter((iccid) => !returned.has(iccid)).length
  }
  const books = await esimAccess.state()
  const returned = new Set(books.cancels.map(({ esimTranNo }) => esimTranNo))
  return books.orders.flatMap(({ esimTranNos }) => esimTranNos).filter((no) => !returned.has(no)).length
}

test('R3: a receipt has the time of the erasure, and the end of the backups counts from it, not from the request', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  await sql`alter table deletions add constraint refuses_all check (false) not valid`
  const before = Date.now()
  const asked = harness.service.delete(`/v1/accounts/${person.accountId}`)
  const workflowId = accountDeletionWorkflowId(harness.context.cipher.accountRef(person.accountId))
  await until('the erasure is tried again', async () => {
    const run = await harness.temporal.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined)
    return (run?.raw.pendingActivities ?? []).some(({ attempt }) => (attempt ?? 0) > 1)
  })
  await fastForward(harness.temporal, workflowId, '2 hours')
  await sql`alter table deletions drop constraint refuses_all`
  await fastForward(harness.temporal, workflowId, '1 minute')
  await asked
  const answer = await harness.service.delete(`/v1/accounts/${person.accountId}`)
  const { erasedAt, backupsGoneBy } = expectStatus(answer, 200)
  expect(Date.parse(erasedAt)).toBeGreaterThan(before + 2 * 3_600_000)
  expect(Date.parse(backupsGoneBy) - Date.parse(erasedAt)).toBe(30 * 86_400_000)
})

test('U2: the deletion of an account counts a lost dispute as given back', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, {
    packageCode: testPackages.onlyEsimAccess,
    pay: { riskLevel: 'elevated' },
    until: 'in_review',
  })
  const [{ fact_id: factId } = {}] = await sql<{ fact_id: string }[]>`select fact_id from orders where id = ${order.id}`
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  takenBackMinor += testPriceMinor
  expect((await sql`select outcome, refunded_minor from order_facts where id = ${factId ?? ''}`)[0]).toEqual({
    outcome: 'refunded',
    refunded_minor: testPriceMinor,
  })
})

test('a deletion erases the account at once, and completes after the last period', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { order: { savedCards: true } })
  const deletion = await erase(person)

  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  expect((await harness.service.get(`/v1/orders/${order.id}`)).status).toBe(404)
  // A token of before the deletion signs nobody in, nor up.
  expect((await person.caller.get(`/v1/accounts/${person.accountId}`)).body.code).toBe('unauthenticated')
  for (const processor of ['firebase', 'stripe', 'mail'] as const) await deletion.until(processor, 'done')
  expect(await deletion.states()).toMatchObject({
    apple: 'nothing_held',
    google: 'nothing_held',
    esim_provider: 'nothing_held',
  })

  await deletion.fastForward('11 minutes')
  expect(await deletion.states()).toMatchObject({ database: 'done', temporal: 'done', backups: 'pending' })
  await deletion.fastForward('30 days')
  expect(await deletion.states()).toMatchObject({ backups: 'done', stripe_redaction: 'pending' })
  await stripe.do('clock', { advanceSeconds: 91 * 86_400 })
  await deletion.fastForward('60 days')
  const receipt = await untilValue(
    'the receipt is complete',
    deletion.receipt,
    ({ completedAt }) => completedAt !== null,
  )
  expect(receipt.processors.every(({ state }) => state === 'done' || state === 'nothing_held')).toBe(true)

  const payments = (await stripe.state()).paymentIntents
  expect(payments.filter(({ redaction }) => redaction?.status === 'redacted')).toHaveLength(1)
  expect(await sql`select 1 from deletion_seals where receipt_id = ${deletion.receiptId}`).toHaveLength(0)
  expect(await sql`select 1 from data_keys where account_id = ${deletion.receiptId}`).toHaveLength(0)
  const ledger =
    await sql`select entry from deletion_ledger where account_ref = ${deletion.workflowId.slice(17)} order by 1`
  expect(ledger.map(({ entry }) => entry)).toEqual(['backups_gone', 'erased'])
})

test('a deletion requested twice at the same time and again later makes one receipt and one mail', async () => {
  const person = await harness.signUp()
  const path = `/v1/accounts/${person.accountId}`
  const answers = await Promise.all([1, 2, 3, 4].map(() => harness.service.delete(path)))
  const receipts = new Set(answers.map((answer) => expectStatus(answer, 200).receiptId))
  const deletion = await deleteAccount(harness.stack, person, harness.service)
  receipts.add(deletion.receiptId)
  expect(receipts.size).toBe(1)
  await deletion.until('mail', 'done')
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
  expect(await sql`select 1 from deletions where receipt_id = ${deletion.receiptId}`).toHaveLength(1)
})

test('the deletion cancels an unpaid payment', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect(await paymentOf(order.id)).toMatchObject({ status: 'canceled', refunds: [] })
})

test('the deletion refunds an order that is paid at the same time', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  await stripe.do('late-success', { orderId: order.id })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect(await paymentOf(order.id)).toMatchObject({
    status: 'succeeded',
    refunds: [{ status: 'succeeded', amount: testPriceMinor }],
  })
})

test('the deletion waits for a payment that the bank still processes', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  await stripe.do('process', { orderId: order.id })
  const deletion = await erase(person)
  await deletion.until('mail', 'done')
  expect(await deletion.states()).toMatchObject({ stripe: 'pending' })
  await stripe.do('pay', { orderId: order.id })
  await deletion.fastForward('11 minutes')
  await deletion.until('stripe', 'done')
  expect((await paymentOf(order.id)).refunds).toMatchObject([{ status: 'succeeded' }])
})

test('a payment that the processor does not know for a moment is refunded all the same', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const error = { type: 'invalid_request_error', code: 'resource_missing', message: '' }
  await stripe.fault({ match: { method: 'GET', path: '/v1/refunds\\?' }, status: 404, body: { error } })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect((await paymentOf(order.id)).refunds).toMatchObject([{ status: 'succeeded' }])
})

test('of a payment that was refunded in part by hand the deletion refunds the rest', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const { id } = await paymentOf(order.id)
  await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: id ?? '', amount: '200' }),
  })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect((await paymentOf(order.id)).refunds.map(({ amount }) => amount).sort()).toEqual([200, testPriceMinor - 200])
})

test.each(['unpaid', 'in_review'] as const)(
  'a payment (%s) that the processor never finds is left to an operator',
  { tags: 'long' },
  async (status) => {
    const person = await harness.signUp()
    const order = await harness.buy(
      person,
      status === 'unpaid' ? { pay: false } : { pay: { riskLevel: 'highest' }, until: status },
    )
    const { id } = await paymentOf(order.id)
    const error = { type: 'invalid_request_error', code: 'resource_missing', message: '' }
    const missing = { status: 404, body: { error }, times: 1_000_000 }
    await stripe.fault({ match: { path: `/v1/payment_intents/${id}` }, ...missing })
    await stripe.fault({ match: { path: `/v1/refunds.*${id}` }, ...missing })
    const deletion = await erase(person)
    await deletion.fastForward('2 hours')
    expect(await deletion.states()).toMatchObject({ stripe: 'pending' })
    await deletion.fastForward('4 days')
    expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'resource_missing' })
    await stripe.clearFaults()
    if (status === 'unpaid') await stripe.do('cancel', { orderId: order.id })
  },
)

test('an order held for review is refunded', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect((await paymentOf(order.id)).refunds).toMatchObject([{ status: 'succeeded' }])
})

test('the deletion refunds an order in provisioning and returns its eSIM when it is allocated', async () => {
  const before = await heldBy('esimAccess')
  await esimAccess.do('allocation', { never: true })
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  await until('the provider has the order', async () => {
    const [placed] = await sql`select 1 from provider_orders where order_id = ${order.id} and state = 'placed'`
    return placed
  })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  expect((await paymentOf(order.id)).refunds).toMatchObject([{ status: 'succeeded' }])
  expect(await deletion.states()).toMatchObject({ esim_provider: 'pending' })
  await esimAccess.do('allocate')
  await esimAccess.do('allocation', {})
  await deletion.fastForward('2 minutes')
  await deletion.until('esim_provider', 'done')
  expect(await heldBy('esimAccess')).toBe(before)
})

test('the deletion refunds a top-up that was not applied, and not the order that it tops up', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await esimAccess.fault({ match: { method: 'POST', path: '/esim/topup' }, status: 503, times: 1_000_000 })
  const asked = await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp })
  const topUp = expectStatus(asked, 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'provisioning')
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await esimAccess.clearFaults()
  expect((await paymentOf(topUp.id)).refunds).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
  expect((await paymentOf(order.id)).refunds).toEqual([])
})

test('the deletion finds and returns the eSIMs of a placement with an unknown outcome', async () => {
  const before = await heldBy('airalo')
  await airalo.fault({ match: { method: 'POST', path: '/orders' }, hang: 'after', times: 1 })
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyAiralo, until: 'provisioning' })
  await until('the provider was asked', async () => {
    const [placing] = await sql`select 1 from provider_orders where order_id = ${order.id} and state = 'placing'`
    return placing && (await heldBy('airalo')) > before
  })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await deletion.until('esim_provider', 'done')
  expect(await heldBy('airalo')).toBe(before)
})

test('the deletion does not repeat a refund that is under way', { tags: 'long' }, async () => {
  await stripe.do('pending-refunds', { enabled: true })
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await harness.service.post(`/v1/orders/${order.id}/refund`)
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await stripe.do('pending-refunds', { enabled: false })
  await stripe.do('settle-refund', {})
  expect((await paymentOf(order.id)).refunds).toMatchObject([{ status: 'succeeded', amount: testPriceMinor }])
})

test('the deletion repeats a refund that fails days later', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await stripe.do('fail-refund', { orderId: order.id, reason: 'expired_or_canceled_card' })
  await deletion.fastForward('25 hours')
  expect((await paymentOf(order.id)).refunds.map(({ status }) => status).sort()).toEqual(['failed', 'succeeded'])
})

test('a refund that fails twice becomes an operator task, with the receipt and without the person', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'highest' }, until: 'in_review' })
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await stripe.do('fail-refund', { orderId: order.id })
  await deletion.fastForward('25 hours')
  await stripe.do('fail-refund', { orderId: order.id })
  await deletion.fastForward('3 days')
  expect(await deletion.until('stripe', 'needs_operator')).toMatchObject({ code: 'refund_bounced' })
  const [task] = await sql`select kind, detail from attention where subject_id = ${deletion.receiptId}`
  expect(task).toEqual({ kind: 'deletion_stripe', detail: 'refund_bounced' })
})

test('a checkout during the deletion leaves neither a payment nor a run', async () => {
  const person = await harness.signUp()
  // Long enough for the erasure on a busy machine; a run that is terminated answers at once.
  await stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents$' }, delayMs: 3_000, times: 1 })
  const opening = harness.service.post('/v1/orders', {
    accountId: person.accountId,
    packageCode: testPackages.anyProvider,
  })
  await until('Stripe is asked', async () => {
    return (await stripe.log()).some(({ body, status }) => body.includes('order_id') && status === null)
  })
  const deletion = await erase(person)
  // Its run is terminated, or finds that the account is gone.
  expect(['order_state_conflict', 'account_missing']).toContain((await opening).body.code)
  await untilValue(
    'nothing is left to pay',
    async () => await stripe.state(),
    ({ paymentIntents }) => paymentIntents.every(({ status }) => status === 'succeeded' || status === 'canceled'),
  )
  await deletion.fastForward('11 minutes')
  for (const processor of ['temporal', 'database'] as const) await deletion.until(processor, 'done')
  const left = harness.temporal.workflow.list({ query: `AccountRef = '${deletion.workflowId.slice(17)}'` })
  for await (const { workflowId } of left) throw new Error(`${workflowId} is left`)
})

test('the operator task of an open dispute stays, without the person, until the bank has decided', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await until(
    'the dispute is recorded',
    async () => (await sql`select 1 from disputes where order_id = ${order.id}`)[0],
  )
  const deletion = await erase(person)
  await deletion.fastForward('11 minutes')
  for (const processor of ['temporal', 'database'] as const) await deletion.until(processor, 'done')
  const open = () => sql`select kind, detail from attention where subject_id = ${dispute}`
  expect([...(await open())]).toEqual([{ kind: 'dispute_open', detail: 'erased' }])
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await untilValue('nothing is left of it', open, (rows) => rows.length === 0)
  // Stripe does not guarantee the order of events.
  const late = { id: 'evt_late', type: 'charge.dispute.funds_withdrawn', created: Math.floor(Date.now() / 1000) }
  const object = { id: dispute, object: 'dispute', payment_intent: (await paymentOf(order.id)).id, metadata: {} }
  expect(await stripe.do('send-raw', { body: { ...late, data: { object } } })).toMatchObject({ status: 200 })
  expect(await open()).toHaveLength(0)
})

test('webhooks about an erased order make an operator task of a dispute, and start nothing else', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const deletion = await erase(person)
  await deletion.fastForward('1 day')
  const runs = async () => {
    const names: string[] = []
    for await (const { workflowId } of harness.temporal.workflow.list()) names.push(workflowId)
    return names.filter((name) => name.includes(order.id))
  }
  const { id, metadata } = await paymentOf(order.id)
  const notification = {
    id: 'evt_a_day_later',
    type: 'payment_intent.succeeded',
    created: Math.floor(Date.now() / 1000),
    data: { object: { id, object: 'payment_intent', metadata } },
  }
  expect(await stripe.do('send-raw', { body: notification })).toMatchObject({ status: 200 })
  const { dispute } = await stripe.do('open-dispute', { orderId: order.id })
  await until('operators see it', async () => (await sql`select 1 from attention where subject_id = ${dispute}`)[0])
  expect(await runs()).toEqual([])
  expect(await sql`select 1 from disputes where stripe_dispute_id = ${dispute}`).toHaveLength(0)
})

test.each(eachProvider)(
  'a webhook of %s about an erased person’s eSIM is accepted, and writes nothing',
  { tags: 'long' },
  async (simulator, code) => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { packageCode: code })
    const deletion = await erase(person)
    await deletion.fastForward('1 day')
    for (const processor of ['temporal', 'database'] as const) await deletion.until(processor, 'done')
    const before = await takeSnapshot(harness.context)
    const provider = harness.sims[simulator]
    const answers = async () => {
      const { deliveries } = await provider.state()
      return deliveries.map(({ status }) => status)
    }
    const sent = (await answers()).length
    await provider.do('install', { iccid: order.esims[0].iccid })
    await provider.do('use', { iccid: order.esims[0].iccid, bytes: 2 ** 30 })
    const statuses = await untilValue(
      'the notification is answered',
      async () => (await answers()).slice(sent),
      (seen) => seen.length > 0 && seen.every((status) => typeof status === 'number'),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(await takeSnapshot(harness.context)).toEqual(before)
    expect(findTexts(before, [person.accountId, order.id, order.esims[0].iccid])).toEqual([])
  },
)

test('the deletion ends an export that is being read, and does not wait for it', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  // More than the buffers of a connection hold.
  await sql`insert into sends (subject_id, kind, account_id, state, first_at)
    select gen_random_uuid(), 'mail:confirmation', ${person.accountId}, 'sent', now() from generate_series(1, 60000)`
  const response = await fetch(`${harness.urls.api}/v1/accounts/${person.accountId}/export`, {
    headers: { authorization: `Bearer ${harness.keys.service}` },
  })
  const reader = response.body?.getReader()
  const first = await reader?.read()
  expect(new TextDecoder().decode(first?.value)).toContain(person.email)
  const deletion = await erase(person)
  const rest = async () => {
    while (!(await reader?.read())?.done);
  }
  await expect(rest()).rejects.toThrow()
  expect(findTexts(await takeSnapshot(harness.context), [person.accountId, person.email])).toEqual([])
  await deletion.fastForward('12 minutes')
  await deletion.until('database', 'done')
})

test('a person, an operator and Apple request a deletion at the same time: one deletion, with the first reason', async () => {
  const signIn = await harness.sims.apple.do('sign-in')
  const apple = { identityToken: signIn.idToken, authorizationCode: signIn.code }
  const person = await harness.signUp({ account: { apple } })
  const path = `/v1/accounts/${person.accountId}`
  const [own, reported] = await Promise.all([
    person.caller.delete(path),
    harness.operator.post(`${path}/child-report`),
    harness.sims.apple.do('notify', { type: 'account-deleted', sub: signIn.sub }),
  ])
  const receipts = [own, reported].filter(({ status }) => status === 200).map(({ body }) => body)
  expect(receipts.length).toBeGreaterThan(0)
  // A later request may find that the account is gone.
  for (const { status } of [own, reported]) expect([200, 403]).toContain(status)
  const [row] = await sql`select receipt_id, reason from deletions where receipt_id = ${receipts[0].receiptId}`
  expect(receipts.every(({ receiptId, reason }) => receiptId === row?.receipt_id && reason === row?.reason)).toBe(true)
  const deletion = await deleteAccount(harness.stack, person, harness.service)
  expect(deletion.receiptId).toBe(row?.receipt_id)
  await deletion.until('mail', 'done')
  expect(await mailsTo(harness.stack, person.email)).toHaveLength(1)
  expect(findTexts(await takeSnapshot(harness.context), [person.accountId])).toEqual([])
})

test('a long read transaction does not delay the deletion’s answer, and keeps the erasure unverified until it ends', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const reader = postgres(harness.stack.config.DATABASE_URL, { max: 1 })
  await reader`begin isolation level repeatable read`
  await reader`select 1 from accounts where id = ${person.accountId}`
  const deletion = await erase(person)
  await deletion.until('temporal', 'pending')
  await deletion.fastForward('11 minutes')
  expect(await deletion.states()).toMatchObject({ database: 'pending', mail: 'done' })
  expect(await reader`select 1 from accounts where id = ${person.accountId}`).toHaveLength(1)
  await reader`commit`
  await reader.end()
  await deletion.fastForward('5 minutes')
  await deletion.until('database', 'done')
})

test('a deletion goes on when its run is cancelled', async () => {
  const person = await harness.signUp()
  const deletion = await erase(person)
  await harness.temporal.workflow.getHandle(deletion.workflowId).cancel()
  await deletion.fastForward('31 days')
  expect(await deletion.states()).toMatchObject({ database: 'done', backups: 'done' })
})
