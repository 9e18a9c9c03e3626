/**
 * U2 and G3: paid means delivered or refunded, and everybody can delete their account at once. A code that nobody knows
 * ends nothing, passes, and is an operator task that names the party and the code.
 */
import { beforeEach, expect, test } from 'vitest'
import type { Sends } from '../../db/connection/schema.ts'
import { periods } from '../../policy/periods.ts'
import { watchPlacements } from '../harness/checks/placements.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { untilWatched } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { stripe, apple, google, firebase, meta, googleAnalytics, mailbox, esimAccess } = harness.sims
const { sql, cipher, dataKeys } = harness.context
const { attention } = watchPlacements(harness.stack)

const code = 'brand_new_code'

beforeEach(() => sql`delete from attention where kind = 'provider_misconfigured'`)

const shown = async (party: string, named: string = code) =>
  expect(
    await untilValue(
      'an operator knows',
      () => attention(party),
      (rows) => rows.length > 0,
    ),
  ).toEqual([{ kind: 'provider_misconfigured', detail: named }])

const ledger = (subjectId: string, kind: string, state: string) =>
  untilValue(
    `${kind} is ${state}`,
    () => sql<Pick<Sends, 'state'>[]>`select state from sends where subject_id = ${subjectId} and kind = ${kind}`,
    ([row]) => row?.state === state,
  )

test.each([400, 402, 404, 409])(
  'a checkout that Stripe refuses once with %d and an unknown code is made',
  async (status) => {
    await stripe.refuse({ code, status, match: { method: 'POST', path: '/v1/payment_intents$' } })
    const { id } = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
    await harness.untilOrder(id, 'delivered')
    await shown('stripe')
  },
)

test.each([400, 402, 404, 409])(
  'a refund that Stripe refuses for an hour with %d and an unknown code is made',
  async (status) => {
    const person = await harness.signUp()
    const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    await stripe.refuse({ code, status, times: 1_000_000, match: { method: 'POST', path: '/v1/refunds$' } })
    expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
    await shown('stripe')
    await harness.fastForward(id, '1 hour')
    expect((await harness.service.get(`/v1/orders/${id}`)).body.status).toBe('refunding')
    await stripe.clearFaults()
    await harness.fastForward(id, '15 minutes')
    await harness.untilOrder(id, 'refunded')
  },
)

test.each([400, 402, 404, 409])(
  'a payment whose read and cancellation are refused with %d and an unknown code ends right',
  async (status) => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { pay: false, packageCode: testPackages.onlyEsimAccess })
    await stripe.refuse({ code, status, match: { method: 'POST', path: '/cancel$' } })
    expectStatus(await person.caller.post(`/v1/orders/${order.id}/cancel`), 200)
    await harness.untilOrder(order.id, 'cancelled')
    await shown('stripe')

    const paid = await harness.buy(person, { pay: false, packageCode: testPackages.onlyEsimAccess })
    await stripe.refuse({ code, status, match: { method: 'GET', path: '/v1/payment_intents/' } })
    await stripe.do('pay', { orderId: paid.id })
    await harness.untilOrder(paid.id, 'delivered')
  },
)

test('an order that eSIM Access refuses once with an unknown code is delivered', async () => {
  await esimAccess.refuse({ code: '299999', match: { method: 'POST', path: '/esim/order' } })
  const { id } = await harness.buy(await harness.signUp(), {
    packageCode: testPackages.onlyEsimAccess,
    until: 'provisioning',
  })
  await shown('esim-access', 'provider_code_299999')
  await harness.fastForward(id, '1 minute')
  await harness.untilOrder(id, 'delivered')
})

test.each([400, 402, 404, 409])(
  'sign-ins whose revocation is refused with %d and an unknown code are revoked',
  async (status) => {
    const atApple = await apple.do('sign-in', {})
    const { idToken, refreshToken = '' } = await google.do('sign-in', { offline: true })
    const person = await harness.signUp({
      account: {
        apple: { identityToken: atApple.idToken, authorizationCode: atApple.code },
        google: { identityToken: idToken },
      },
    })
    const sealed = cipher.encrypt(await dataKeys.get(sql, person.accountId), 'identities.refresh_token', refreshToken)
    await sql`update identities set refresh_token = ${sealed}
    where account_id = ${person.accountId} and provider = 'google'`
    await apple.refuse({ code, status, match: { path: '/auth/revoke' } })
    await google.refuse({ code, status, match: { path: '/revoke' } })
    await firebase.refuse({ code: 'BRAND_NEW_CODE', status, as: 'users', match: { path: 'accounts:delete' } })
    const deletion = await deleteAccount(harness.stack, person)
    for (const party of ['apple', 'google', 'firebase']) await shown(party)
    await deletion.fastForward('1 hour')
    for (const processor of ['apple', 'google', 'firebase'] as const)
      expect(await deletion.until(processor, 'done')).toMatchObject({ code: null })
  },
)

test.each([400, 402, 404, 409])('messages that are refused with %d and an unknown code come later', async (status) => {
  const person = await harness.signUp()
  await firebase.refuse({ code: 'BRAND_NEW_CODE', status, match: { path: 'messages:send' }, times: 2 })
  await meta.refuse({ code: '987654', status })
  await mailbox.do('rule', { recipient: person.email, code: 499, reply: 'Nobody knows this', times: 2 })
  const measurement = { adUserData: true, adPersonalization: false }
  const { id } = await harness.buy(person, { order: { measurement }, packageCode: testPackages.onlyEsimAccess })
  await shown('fcm')
  await shown('meta', 'graph_987654')
  await shown('smtp', 'smtp_499')
  await harness.fastForward(id, '1 hour')
  for (const kind of ['mail:confirmation', 'push:confirmation', 'measurement:purchase']) await ledger(id, kind, 'sent')
})

test('a purchase that Google Analytics refuses is measured later', async () => {
  const person = await harness.signUp()
  await googleAnalytics.refuse({ code, status: 400 })
  const measurement = { adUserData: true, adPersonalization: false }
  const { id } = await harness.buy(person, { order: { measurement }, packageCode: testPackages.onlyEsimAccess })
  await shown('google_analytics', 'http_400')
  await harness.fastForward(id, '1 hour')
  await ledger(id, 'measurement:purchase', 'sent')
})

test.each([
  ['esim-access', testPackages.onlyEsimAccess, 'esim_status_frozen'],
  ['airalo', testPackages.onlyAiralo, 'usage_status_frozen'],
] as const)(
  'a status of a delivered eSIM that nobody knows is seen at the next check: %s',
  async (party, packageCode, named) => {
    const { id } = await harness.buy(await harness.signUp(), { packageCode })
    await untilWatched(harness.stack, id)
    if (party === 'airalo') {
      const data = { status: 'FROZEN', remaining: 1, total: 1, is_unlimited: false, expired_at: null }
      await harness.sims.airalo.fault({ match: { path: '/usage$' }, status: 200, body: { data }, times: 1_000_000 })
    } else {
      const esim = {
        esimTranNo: '1',
        orderNo: 'B1',
        iccid: '89',
        ac: 'LPA:1$a$b',
        smdpStatus: 'ENABLED',
        esimStatus: 'FROZEN',
      }
      const body = { success: true, errorCode: '0', obj: { esimList: [esim] } }
      await esimAccess.fault({ match: { path: '/esim/query$' }, status: 200, body, times: 1_000_000 })
    }
    await harness.fastForward(id, periods.order.esimPollMs + 60_000)
    await shown(party, named)
    expect((await harness.service.get(`/v1/orders/${id}`)).body).toMatchObject({ status: 'delivered', refunds: [] })
    await Promise.all([esimAccess.clearFaults(), harness.sims.airalo.clearFaults()])
  },
)
