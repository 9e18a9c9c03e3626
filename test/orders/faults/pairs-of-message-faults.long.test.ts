/**
 * U3 and P3: messages about orders are sent once, and ad measurement gets a purchase and its value. Pairs of faults of
 * the mail server, FCM, Meta and Google Analytics: each message comes, and only a mail twice.
 */
import { expect, test } from 'vitest'
import type { Rule } from '../../../sim/mailbox/smtp.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { shareStack } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'
import { eachOf, pairs, shifted } from './plant-pairs.ts'

const harness = await shareStack()
const { sims } = harness
const { sql } = harness.context

/** A fault, and how it ends an attempt. */
interface Ending<Kind> {
  fault: Kind
  /** `sent`: the party has the message, and says so; `lost`: it has it, and its reply is lost */
  ends: 'passing' | 'sent' | 'lost' | 'unknown'
}

const mailFaults: Ending<Rule>[] = [
  { fault: { code: 421 }, ends: 'passing' },
  { fault: { code: 451 }, ends: 'passing' },
  { fault: { stage: 'data', code: 452, reply: '4.3.1 out of storage' }, ends: 'passing' },
  { fault: { code: 550, reply: '5.7.1 blocked' }, ends: 'passing' },
  { fault: { drop: 'before' }, ends: 'unknown' },
  { fault: { drop: 'after' }, ends: 'lost' },
  { fault: { delayMs: 1_500 }, ends: 'sent' },
]

/**
 * In FCM's words: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. Of another reply nobody knows what it
 * means.
 */
const fcmError = (code: number, status: string, errorCode: string) => ({
  error: { code, status, details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] },
})
const asked = { 'Retry-After': '7200' }
const cuts: Ending<Fault>[] = [
  { fault: { cut: 'after' }, ends: 'lost' },
  { fault: { cut: 'before' }, ends: 'unknown' },
]
const slow: Ending<Fault> = { fault: { delayMs: 1_500 }, ends: 'sent' }
const pushFaults: Ending<Fault>[] = [
  ...cuts,
  { fault: { status: 503, body: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE') }, ends: 'passing' },
  { fault: { status: 503, headers: asked, body: '<html>' }, ends: 'passing' },
  { fault: { status: 429, headers: asked, body: fcmError(429, 'X', 'QUOTA_EXCEEDED') }, ends: 'passing' },
  // A dry run then shows that the push token is good.
  { fault: { status: 404, body: { error: { code: 404, status: 'NOT_FOUND' } } }, ends: 'passing' },
  { fault: { status: 404, body: '<html>' }, ends: 'unknown' },
  { fault: { status: 200, body: 'OK' }, ends: 'unknown' },
  slow,
]
/** A refusal without words is a refusal to the measurement services. */
const measurementFaults: Ending<Fault>[] = [
  ...cuts,
  { fault: { status: 503 }, ends: 'passing' },
  { fault: { status: 429, headers: asked }, ends: 'passing' },
  { fault: { status: 404, body: {} }, ends: 'passing' },
  slow,
]

const atMailServer = pairs(mailFaults)
const atFcm = pairs(pushFaults)
const atMeasurement = pairs(measurementFaults)

/** How often a message comes that is repeated after every failure, and after an unknown outcome only if `repeats`. */
function copies(pair: readonly Ending<unknown>[], repeats: boolean): number {
  let count = 0
  for (const { ends } of pair) {
    if (ends === 'sent' || ends === 'lost') count += 1
    if (ends === 'sent' || (ends !== 'passing' && !repeats)) return count
  }
  return count + 1
}

/** The states of an order's messages in the send ledger, by their kind. */
async function ledger(orderId: string): Promise<Record<string, string>> {
  const rows = await sql<{ kind: string; state: string }[]>`select kind, state from sends where subject_id = ${orderId}`
  return Object.fromEntries(rows.map(({ kind, state }) => [kind, state]))
}

/** Lets time pass until each message is sent or given up: mail servers may refuse for hours, and FCM asks for two. */
async function untilSettled(orderId: string): Promise<Record<string, string>> {
  const kinds = ['mail:confirmation', 'measurement:purchase', 'push:confirmation']
  const areSettled = (states: Record<string, string>) =>
    kinds.every((kind) => states[kind] === 'sent' || states[kind] === 'failed')
  for (let minutes = 0; minutes < 360 && !areSettled(await ledger(orderId)); minutes += 20)
    await harness.fastForward(orderId, '20 minutes')
  return untilValue(`the messages of ${orderId} are sent or given up`, () => ledger(orderId), areSettled)
}

test('orders with pairs of faults at mail server, FCM, Meta and Google Analytics are told, and measured once at most', {
  timeout: 300_000,
}, async () => {
  const count = Math.max(atFcm.length, atMailServer.length, atMeasurement.length)
  const mails = await eachOf(Array.from({ length: count }).keys(), async (number) => {
    const person = await harness.signUp()
    const order = { measurement: { adUserData: true, adPersonalization: false } }
    const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: false, order })
    const [row] = await sql<{ event: string }[]>`select measurement_event_id as event from orders where id = ${id}`
    const event = row?.event ?? ''
    const [mail, push] = [shifted(atMailServer, number, 0), shifted(atFcm, number, 1)]
    const [meta, google] = [shifted(atMeasurement, number, 2), shifted(atMeasurement, number, 3)]
    for (const { fault } of mail) await sims.mailbox.do('rule', { ...fault, recipient: person.email, times: 1 })
    // A dry run has no notification.
    const contains = `${person.pushToken}","notification"`
    for (const { fault } of push) await sims.firebase.fault({ ...fault, match: { path: 'messages:send$', contains } })
    for (const { fault } of meta) await sims.meta.fault({ ...fault, match: { path: '/events$', contains: event } })
    for (const { fault } of google)
      await sims.googleAnalytics.fault({ ...fault, match: { path: '/mp/collect', contains: event } })

    await sims.stripe.do('pay', { orderId: id })
    await harness.untilOrder(id, 'delivered')
    const states = await untilSettled(id)
    const confirmations = (await mailsTo(harness.stack, person.email)).filter(
      ({ attachments }) => attachments.length > 0,
    )
    expect(new Set(confirmations.map(({ messageId }) => messageId)).size, `mail of pair ${number}`).toBe(1)
    const [pushes, atMeta, atGoogle] = await Promise.all([
      pushesTo(harness.stack, person.pushToken),
      sims.meta.state(),
      sims.googleAnalytics.state(),
    ])
    const measured = [atMeta, atGoogle].map((books) =>
      books.events.filter((each) => JSON.stringify(each).includes(event)),
    )
    const afterMeta = meta.every(({ ends }) => ends === 'passing' || ends === 'sent')
    const expected = {
      mail: copies(mail, true),
      push: copies(push, false),
      measured: [copies(meta, false), afterMeta ? copies(google, false) : 0],
    }
    const found = {
      mail: confirmations.length,
      push: pushes.length,
      measured: measured.map(({ length }) => length),
    }
    expect(found, JSON.stringify({ number, mail, push, meta, google })).toEqual(expected)
    return states['mail:confirmation']
  })
  expect(mails).toEqual(mails.map(() => 'sent'))
})
