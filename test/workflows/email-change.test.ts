import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createEmailChangeActivities } from '../../activities/email-change.ts'
import { findAccount } from '../../db/accounts.ts'
import type { EmailChanges } from '../../db/connection/schema.ts'
import { applyEmailChange, endEmailChange, insertEmailChange, openEmailChange } from '../../db/email-changes.ts'
import { plusMs } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { meanwhile } from '../attack/meanwhile.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { type Answer, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context

beforeEach(() => harness.sims.mailbox.do('clear-rules'))

const another = () => `${randomUUID()}@new.example`
const pathOf = (person: Person) => `/v1/accounts/${person.accountId}/email-change`
const request = (person: Person, email: string) => person.caller.post(pathOf(person), { email })
const addressOf = async (person: Person): Promise<string> =>
  expectStatus(await harness.service.get(`/v1/accounts/${person.accountId}`), 200).email
const changeOf = async (person: Person) => expectStatus(await harness.service.get(pathOf(person)), 200)

async function linkTo(address: string, subject: RegExp): Promise<string> {
  const mail = await until(`a mail to ${address}`, async () =>
    (await mailsTo(harness.stack, address)).findLast((each) => subject.test(each.subject)),
  )
  return /https?:\/\/\S+\/email-change\/[\w-]{43}/.exec(mail.text)?.[0] ?? ''
}
const oldLink = (person: Person) => linkTo(person.email, /Do you want to change/)
const newLink = (address: string) => linkTo(address, /Confirm your new address/)

const open = (url: string) => fetch(url, { redirect: 'manual' })
const agree = (url: string, headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(), headers, redirect: 'manual' })

test('G2: a new address replaces the old one once both have confirmed, and the old one gets a mail', async () => {
  const person = await harness.signUp()
  const email = another()
  expect(expectStatus(await request(person, email), 202)).toMatchObject({ state: 'open', newEmail: email })
  const [byOld, byNew] = [await oldLink(person), await newLink(email)]

  // Opening the link, as a mail scanner does, changes nothing.
  for (const url of [byOld, byNew]) expect((await open(url)).status).toBe(200)
  expect((await changeOf(person)).oldConfirmedAt).toBeNull()
  expect((await agree(byNew, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)

  expect(await (await agree(byNew)).text()).toContain('The other address has to agree')
  expect(await addressOf(person)).toBe(person.email)
  expect(await (await agree(byOld)).text()).toContain('The address is changed')
  expect(await addressOf(person)).toBe(email)
  for (const url of [byOld, byNew]) expect((await agree(url)).status).toBe(404)
  await until('the old address gets its mail', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ subject }) => subject === 'Your address was changed'),
  )
  const over = await untilValue(
    'the addresses are deleted',
    () => changeOf(person),
    ({ newEmail }) => newEmail === null,
  )
  expect(over.state).toBe('changed')
  const again = await harness.service.post('/v1/accounts', { email, firstName: 'A', lastName: 'B' })
  expect(again.body.code).toBe('email_taken')
})

async function changeTo(person: Person, email: string): Promise<void> {
  expectStatus(await request(person, email), 202)
  for (const link of [await oldLink(person), await newLink(email)]) await agree(link)
  expect(await addressOf(person)).toBe(email)
}
const untilOver = (person: Person) =>
  untilValue(
    'the change is over',
    () => changeOf(person),
    ({ newEmail }) => newEmail === null,
  )
const atFirebase = (person: Person, user: { email: string; providers: string[] }) =>
  harness.sims.firebase.do('user', { uid: person.firebaseUid, ...user })
const addressAtFirebase = async (person: Person) => (await harness.sims.firebase.state()).addresses[person.firebaseUid]

test('G2 U5: who signs in with a password does so with the new address: the old mailbox gets no new password', async () => {
  const person = await harness.signUp()
  await atFirebase(person, { email: person.email, providers: ['password', 'google.com'] })
  const email = another()
  await changeTo(person, email)
  await untilOver(person)
  expect(await addressAtFirebase(person)).toEqual({ email, verified: true })
  // The person is erased there as anybody is.
  expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}`), 200)
  await until('the user is deleted', async () =>
    (await harness.sims.firebase.state()).deletedUsers.includes(person.firebaseUid),
  )
})

test.each([
  ['that of a sign-in with Apple alone', (email: string) => ({ email, providers: ['apple.com'] }), []],
  [
    'one that was changed at Firebase before',
    () => ({ email: another(), providers: ['password'] }),
    [{ kind: 'sign_in_not_moved', detail: 'elsewhere' }],
  ],
] as const)(
  'an address at Firebase that is not ours to change stays: %s',
  { tags: 'long' },
  async (_which, userWith, tasks) => {
    const person = await harness.signUp()
    const user = userWith(person.email)
    await atFirebase(person, user)
    await changeTo(person, another())
    await untilOver(person)
    expect(await addressAtFirebase(person)).toEqual({ email: user.email, verified: false })
    expect(await sql`select kind, detail from attention where subject_id = ${person.accountId}`).toEqual(tasks)
  },
)

test('a new address that another Firebase user has is an operator task', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const email = another()
  await atFirebase(person, { email: person.email, providers: ['password'] })
  await harness.sims.firebase.do('user', { uid: randomUUID(), email, providers: ['password'] })
  await changeTo(person, email)
  await untilOver(person)
  expect(await sql`select kind, detail from attention where subject_id = ${person.accountId}`).toEqual([
    { kind: 'sign_in_not_moved', detail: 'taken' },
  ])
  expect((await addressAtFirebase(person))?.email).toBe(person.email)
})

test('two changes of address that Firebase hears of together end with the last one', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const [first, last] = [another(), another()]
  await atFirebase(person, { email: person.email, providers: ['password'] })
  await harness.sims.firebase.fault({ match: { path: 'accounts:' }, status: 503, times: 1_000_000 })
  await changeTo(person, first)
  expectStatus(await request(person, last), 202)
  for (const link of [await linkTo(first, /Do you want to change/), await newLink(last)]) await agree(link)
  expect(await addressOf(person)).toBe(last)
  await harness.sims.firebase.clearFaults()
  await untilValue(
    'Firebase has the last one',
    () => addressAtFirebase(person),
    (known) => known?.email === last,
    { timeoutMs: 20_000 },
  )
})

/** A change that both addresses have agreed to, as its run has it when it asks Firebase. */
async function changedInRow({ accountId }: Person, oldEmail: string, newEmail: string): Promise<string> {
  const id = randomUUID()
  const [at, expiresAt] = [new Date(), new Date(Date.now() + 60_000)]
  const limit = { most: 5, since: new Date(0) }
  const change = { id, accountId, oldEmail, newEmail, at, expiresAt }
  expect(await insertEmailChange(sql, harness.context, change, limit)).toBe('stored')
  expect(await openEmailChange(sql, id)).toBe('open')
  expect(await applyEmailChange(sql, harness.context, id, at)).toBe('changed')
  return id
}

test.each([
  ['is refused, since the later one was there before', false],
  ['arrives last', true],
] as const)(
  'of two changes of address at once the later one counts at Firebase, when the request of the first %s',
  async (_how, arrivesLast) => {
    const person = await harness.signUp()
    const [first, last] = [another(), another()]
    const user = { providers: ['password'] }
    await atFirebase(person, { ...user, email: person.email })
    const { context } = harness
    const asOf = new Date().toISOString()
    const firstId = await changedInRow(person, person.email, first)
    const moveSecond = async () => {
      const changeId = await changedInRow(person, first, last)
      await createEmailChangeActivities(context).moveSignIn({ changeId, asOf })
      expect((await addressAtFirebase(person))?.email).toBe(last)
      await endEmailChange(sql, changeId, 'changed', new Date())
    }
    let isFirst = true
    const firebaseUsers: typeof context.firebaseUsers = {
      ...context.firebaseUsers,
      async moveAddress(uid, addresses) {
        if (!isFirst) return context.firebaseUsers.moveAddress(uid, addresses)
        isFirst = false
        await moveSecond()
        if (!arrivesLast) return context.firebaseUsers.moveAddress(uid, addresses)
        // It has looked before the second one, and changes behind it.
        await atFirebase(person, { ...user, email: addresses.to })
        return 'moved'
      },
    }
    await createEmailChangeActivities({ ...context, firebaseUsers }).moveSignIn({ changeId: firstId, asOf })
    expect((await addressAtFirebase(person))?.email).toBe(last)
    const tasks = await sql`select kind from attention where subject_id = ${person.accountId} and resolved_at is null`
    expect(tasks).toEqual([])
    await endEmailChange(sql, firstId, 'changed', new Date())
  },
)

test('G3: what a person had asked by mail before they signed up is erased with their account, also after a change of address', {
  tags: 'long',
}, async () => {
  const address = another()
  const asked = { kind: 'access', message: 'What do you hold of me?', replyTo: address }
  const { id, accountId } = expectStatus(await harness.operator.post('/v1/privacy-requests', asked), 201)
  expect(accountId).toBeNull()
  const person = await harness.signUp({ account: { email: address } })
  const email = another()
  expectStatus(await request(person, email), 202)
  for (const link of [await oldLink(person), await newLink(email)]) await agree(link)
  expect(await addressOf(person)).toBe(email)
  // The next one who has the old address has nothing to do with it.
  const next = await harness.signUp({ account: { email: address } })
  const left = async () => (await sql`select 1 from privacy_requests where id = ${id}`).length
  expect((await next.caller.delete(`/v1/accounts/${next.accountId}`)).status).toBe(200)
  expect(await left()).toBe(1)
  expect((await person.caller.delete(`/v1/accounts/${person.accountId}`)).status).toBe(200)
  expect(await left()).toBe(0)
})

test('G6: a privacy request is answered at the address that its person has now, not at the one that they have left', async () => {
  const address = another()
  const ask = async (message: string): Promise<{ id: string; accountId: string | null }> =>
    expectStatus(
      await harness.operator.post('/v1/privacy-requests', { kind: 'access', message, replyTo: address }),
      201,
    )
  const before = await ask('What did you hold of me?')
  const person = await harness.signUp({ account: { email: address } })
  const since = await ask('What do you hold of me?')
  expect([before.accountId, since.accountId]).toEqual([null, person.accountId])
  const elsewhere = another()
  const ofAnother = { kind: 'access', message: 'And here?', accountId: person.accountId, replyTo: elsewhere }
  const { id: other } = expectStatus(await harness.operator.post('/v1/privacy-requests', ofAnother), 201)
  const email = another()
  expectStatus(await request(person, email), 202)
  for (const link of [await oldLink(person), await newLink(email)]) await agree(link)
  expect(await addressOf(person)).toBe(email)
  const answersTo = async (to: string) =>
    (await mailsTo(harness.stack, to)).filter(({ text }) => text.includes('All of it is here.')).length
  for (const id of [before.id, since.id, other]) {
    const answer = { answerKind: 'granted', answer: 'All of it is here.' }
    expectStatus(await harness.operator.post(`/v1/privacy-requests/${id}/resolve`, answer), 202)
  }
  await until('each is answered', async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from privacy_requests
      where id in ${sql([before.id, since.id, other])} and state = 'answered'`
    return row?.count === 3
  })
  expect([await answersTo(address), await answersTo(email), await answersTo(elsewhere)]).toEqual([0, 2, 1])
})

test('a change of address with one confirmation expires after a day and changes nothing', async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  const link = await newLink(email)
  await agree(link)
  const [row] = await sql<
    Pick<EmailChanges, 'id'>[]
  >`select id from email_changes where account_id = ${person.accountId}`
  await oldLink(person)
  await fastForward(harness.temporal, emailChangeWorkflowId(row?.id ?? ''), '25 hours')
  await untilValue(
    'expired',
    () => changeOf(person),
    ({ state }) => state === 'expired',
  )
  expect(await addressOf(person)).toBe(person.email)
  expect((await open(await oldLink(person))).status).toBe(404)
})

test('the old address hears of the change also when its mail server is back after the change would have expired', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  const links = [await oldLink(person), await newLink(email)]
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 451 })
  for (const link of links) await agree(link)
  expect(await addressOf(person)).toBe(email)
  const [row] = await sql<
    Pick<EmailChanges, 'id'>[]
  >`select id from email_changes where account_id = ${person.accountId}`
  const forward = (duration: '30 hours' | '1 hour') =>
    fastForward(harness.temporal, emailChangeWorkflowId(row?.id ?? ''), duration)
  await forward('30 hours')
  await harness.sims.mailbox.do('clear-rules')
  await forward('1 hour')
  await until('the old address gets its mail', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ subject }) => subject === 'Your address was changed'),
  )
})

test('a second change of address replaces the first, whose links stop working', async () => {
  const person = await harness.signUp()
  const [first, second] = [another(), another()]
  expectStatus(await request(person, first), 202)
  const [firstOld, firstNew] = [await oldLink(person), await newLink(first)]
  expectStatus(await request(person, second), 202)
  await until('the first links are dead', async () => (await open(firstNew)).status === 404)
  expect((await agree(firstOld)).status).toBe(404)
  await agree(await newLink(second))
  await until('the second old link', async () => (await oldLink(person)) !== firstOld)
  await agree(await oldLink(person))
  expect(await addressOf(person)).toBe(second)
})

test('an operator can confirm instead of an old address that takes no mail; the new address still has to confirm', async () => {
  const person = await harness.signUp()
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 550 })
  const email = another()
  expectStatus(await request(person, email), 202)
  await until('there is an operator task', async () => {
    const [task] = await sql`select detail from attention a join email_changes c on c.id::text = a.subject_id
      where c.account_id = ${person.accountId} and a.kind = 'email_change_unreachable'`
    return task?.detail === 'old'
  })
  const waive = (caller: typeof harness.operator) => caller.post(`${pathOf(person)}/waive-old`)
  expect([(await waive(person.caller)).status, (await waive(harness.service)).status]).toEqual([403, 403])
  expectStatus(await waive(harness.operator), 200)
  expect(await addressOf(person)).toBe(person.email)
  await agree(await newLink(email))
  expect(await addressOf(person)).toBe(email)
})

test('an address that belongs to another account by then is not taken over', async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  const [byOld, byNew] = [await oldLink(person), await newLink(email)]
  await harness.signUp({ account: { email } })
  await agree(byOld)
  expect(await (await agree(byNew)).text()).toContain('The address stays as it was')
  expect([await addressOf(person), (await changeOf(person)).state]).toEqual([person.email, 'taken'])
})

test('a change to the address of another account is answered like any other, and is not made', async () => {
  const [anna, ben, cara] = [await harness.signUp(), await harness.signUp(), await harness.signUp()]
  const [free, taken] = [await request(cara, another()), await request(anna, ben.email)]
  const shape = ({ status, body }: Answer) => [status, Object.keys(body), body.state]
  expect(shape(taken)).toEqual(shape(free))
  await agree(await newLink(ben.email))
  await agree(await oldLink(anna))
  expect([await addressOf(anna), await addressOf(ben)]).toEqual([anna.email, ben.email])
  expect((await changeOf(anna)).state).toBe('taken')
})

test('a change to the own address, of another account, or the sixth in a day is refused', {
  tags: 'long',
}, async () => {
  const [anna, ben] = [await harness.signUp(), await harness.signUp()]
  expect((await request(anna, anna.email.toUpperCase())).status).toBe(400)
  expect((await ben.caller.post(pathOf(anna), { email: another() })).status).toBe(404)
  for (let count = 0; count < 5; count += 1) expectStatus(await request(anna, another()), 202)
  expect((await request(anna, another())).status).toBe(429)
  expect((await anna.caller.delete(pathOf(anna))).status).toBe(204)
  await untilValue(
    'cancelled',
    () => changeOf(anna),
    ({ state }) => state === 'cancelled',
  )
})

test('an address change leaves no address in histories, log lines, metrics or URLs', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  await agree(await newLink(email))
  await agree(await oldLink(person))
  expect(await addressOf(person)).toBe(email)
  expect(await harness.findCanaries({ old: person.email, new: email })).toEqual([])
})

test('a change of address that is cancelled while it is being made is not made: the answer to the cancellation is true', async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  const [byOld, byNew] = [await oldLink(person), await newLink(email)]
  await agree(byOld)
  let cancelled: Promise<Answer> | undefined
  const page = await meanwhile(
    sql,
    'accounts',
    async () => (await agree(byNew)).text(),
    async (tx) => {
      cancelled = person.caller.delete(pathOf(person))
      await until('the row is cancelled', async () => {
        const [row] = await tx`select state from email_changes where account_id = ${person.accountId}`
        return row?.state === 'cancelled'
      })
    },
    'exclusive',
  )
  expect((await cancelled)?.status).toBe(204)
  expect(page).not.toContain('The address is changed')
  const over = await untilValue(
    'it is over',
    () => changeOf(person),
    ({ newEmail }) => newEmail === null,
  )
  expect([await addressOf(person), over.state]).toEqual([person.email, 'cancelled'])
})

test('a change of address that has been made is not cancelled any more', async () => {
  const person = await harness.signUp()
  const email = another()
  expectStatus(await request(person, email), 202)
  const [byOld, byNew] = [await oldLink(person), await newLink(email)]
  await agree(byOld)
  // Between the reading of the change and its cancellation.
  const refused = await meanwhile(
    sql,
    'email_changes',
    () => person.caller.delete(pathOf(person)),
    async (tx) => {
      await tx`update email_changes set state = 'changed' where account_id = ${person.accountId}`
    },
  )
  expect([refused.status, refused.body.code]).toEqual([409, 'email_change_state_conflict'])
  await agree(byNew)
})

test('an address agrees only as long as it is that of the account', async () => {
  const person = await harness.signUp()
  const [first, second] = [another(), another()]
  expectStatus(await request(person, first), 202)
  const [byOld, byNew] = [await oldLink(person), await newLink(first)]
  // The second change was asked for before the first was made, and knows the old address.
  const account = await findAccount(sql, harness.context, person.accountId)
  const changeId = randomUUID()
  const at = new Date()
  const late = { id: changeId, accountId: person.accountId, oldEmail: account?.email ?? '', newEmail: second, at }
  await insertEmailChange(sql, harness.context, { ...late, expiresAt: plusMs(at, 60_000) }, { most: 5, since: at })
  await agree(byOld)
  await agree(byNew)
  expect(await addressOf(person)).toBe(first)
  await openEmailChange(sql, changeId)
  expect(await applyEmailChange(sql, harness.context, changeId, at)).toBe('replaced')
  expect(await addressOf(person)).toBe(first)
  await endEmailChange(sql, changeId, 'replaced', at)
})
