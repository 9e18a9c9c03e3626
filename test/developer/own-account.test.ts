/** G1: a person sees what their account holds, also from a phone that knows nothing but their sign-in. */
import { expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'

const harness = await shareStack()

test('an ID token leads to the account of its person, by whose id the rest is asked', async () => {
  const { caller, accountId } = await harness.signUp()
  const answer = await caller.get('/v1/account')
  const found = expectStatus(answer, 200)
  expect(found).toEqual(expectStatus(await caller.get(`/v1/accounts/${accountId}`), 200))
  expect(found.id).toBe(accountId)
  const reads = await harness.context.sql`select from access_log where account_id = ${accountId}
    and route = 'get /v1/account'`
  expect(reads).toHaveLength(0)
})

test('who signs in next on the same phone gets their own account, whatever the phone has kept', async () => {
  const first = await harness.signUp()
  const kept = (await first.caller.get('/v1/account')).headers.get('etag') ?? ''
  const { caller, accountId } = await harness.signUp()
  for (const tag of [kept, `W/${kept}`, '*']) {
    // Without it fetch adds `no-cache`, which an app's client does not, and with which Express answers no 304 itself.
    const answer = await caller.get('/v1/account', { 'if-none-match': tag, 'cache-control': 'max-age=0' })
    expect(answer.headers.get('etag')).toBe(kept)
    expect(expectStatus(answer, 200).id).toBe(accountId)
  }
})

test('nobody else has one: neither somebody without account nor a key', async () => {
  const { idToken } = await harness.sims.google.do('firebase-sign-in', {})
  const newcomer = createCaller(harness.urls.api, idToken)
  expect((await newcomer.get('/v1/account')).body).toMatchObject({ code: 'no_account' })
  expect((await harness.service.get('/v1/account')).body).toMatchObject({ code: 'forbidden' })
  expect((await harness.anonymous.get('/v1/account')).body).toMatchObject({ code: 'unauthenticated' })
})
