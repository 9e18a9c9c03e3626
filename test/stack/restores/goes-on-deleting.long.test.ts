/**
 * G3: everybody can delete their account at once. The database is lost while accounts are being deleted. Each erasure
 * step is done in the end, and shown as it is: those that were done since the dump, those that nobody had done yet, and
 * those of people whom the dump does not have.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseName, databaseUrl, withDatabase } from '../../../db/backup/restore.ts'
import { type ErasureStep, erasureSteps } from '../../../policy/deletion.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { backupType } from '../../../workflows/backup/backup.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { type Deletion, deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import type { Person } from '../../harness/people.ts'
import { startProgram } from '../../harness/processes.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await openHarness({ books: false })
const { config } = harness
const { apple, esimAccess, firebase, google, mailbox, stripe } = harness.sims
const { sql: lost, cipher, dataKeys } = harness.context

const outside: ErasureStep[] = ['apple', 'google', 'firebase', 'stripe', 'esim_provider', 'mail']
/** Steps that come at their time, long after the restore. */
const later: ErasureStep[] = ['backups', 'stripe_redaction']

interface Known {
  person: Person
  appleSub: string
  googleToken: string
  orderId: string
}

/** A person of whom every party has something. @param undelivered an order that its provider has not allocated */
async function knownToEverybody({ undelivered = false } = {}): Promise<Known> {
  const signIn = await apple.do('sign-in')
  const { idToken, refreshToken: googleToken = '' } = await google.do('sign-in', { offline: true })
  const person = await harness.signUp({
    account: {
      apple: { identityToken: signIn.idToken, authorizationCode: signIn.code },
      google: { identityToken: idToken },
    },
  })
  const key = await dataKeys.get(lost, person.accountId)
  const sealed = cipher.encrypt(key, 'identities.refresh_token', googleToken)
  await lost`update identities set refresh_token = ${sealed}
    where account_id = ${person.accountId} and provider = 'google'`
  const { id: orderId } = await harness.buy(person, { order: { savedCards: true } })
  if (undelivered) {
    await esimAccess.do('allocation', { never: true })
    const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
    await until('the provider has the order', async () => {
      return (await lost`select 1 from provider_orders where order_id = ${id} and state = 'placed'`)[0]
    })
    await esimAccess.do('allocation', {})
  }
  return { person, appleSub: signIn.sub, googleToken, orderId }
}

/** Refusals of the calls by which a deletion changes something at outside parties; a restore only reads. */
const refusals: [typeof apple | typeof google | typeof firebase | typeof stripe | typeof esimAccess, Fault][] = [
  [apple, { match: { path: '/auth/revoke' }, status: 503, times: 1_000_000 }],
  [google, { match: { path: '/revoke' }, status: 503, times: 1_000_000 }],
  [firebase, { match: { path: 'accounts:delete' }, status: 502, times: 1_000_000 }],
  [stripe, { match: { method: 'POST' }, status: 503, times: 1_000_000 }],
  [stripe, { match: { method: 'DELETE' }, status: 503, times: 1_000_000 }],
  [esimAccess, { match: { path: '/esim/(cancel|query)' }, status: 503, times: 1_000_000 }],
]

async function refuse(people: readonly Known[]): Promise<void> {
  for (const [party, fault] of refusals) await party.fault(fault)
  for (const { person } of people) await mailbox.do('rule', { recipient: person.email, code: 421 })
}
async function accept(): Promise<void> {
  for (const party of [apple, google, firebase, stripe, esimAccess]) await party.clearFaults()
  await mailbox.do('clear-rules')
}

const statesOf = async (deletion: Deletion) =>
  (await deletion.receipt()).processors.map(({ processor, state, code }) => ({ processor, state, code }))
const erase = ({ person }: Known) => deleteAccount(harness.stack, person, harness.service)

let people: Record<'first' | 'done' | 'begun' | 'fresh', Known>
let deletions: Record<'first' | 'done' | 'begun' | 'fresh', Deletion>
let before: Record<'first' | 'done', Awaited<ReturnType<typeof statesOf>>>

beforeAll(async () => {
  const [first, done, begun] = [
    await knownToEverybody({ undelivered: true }),
    await knownToEverybody(),
    await knownToEverybody(),
  ]
  await refuse([first])
  const ofFirst = await erase(first)
  await ofFirst.fastForward('1 hour')
  expect(await ofFirst.states()).toMatchObject(Object.fromEntries(outside.map((name) => [name, 'pending'])))
  await runLater(harness, backupType, 0)

  await accept()
  await esimAccess.do('allocate')
  await ofFirst.fastForward('3 hours')
  const fresh = await knownToEverybody()
  const ofDone = await erase(done)
  await ofDone.fastForward('1 hour')
  for (const step of outside) await ofFirst.until(step, 'done')
  for (const step of ['apple', 'google', 'firebase', 'stripe', 'mail', 'database'] as const)
    await ofDone.until(step, 'done')
  before = { first: await statesOf(ofFirst), done: await statesOf(ofDone) }

  await refuse([begun, fresh])
  const [ofBegun, ofFresh] = [await erase(begun), await erase(fresh)]
  for (const deletion of [ofBegun, ofFresh]) await deletion.fastForward('1 hour')
  people = { first, done, begun, fresh }
  deletions = { first: ofFirst, done: ofDone, begun: ofBegun, fresh: ofFresh }

  await Promise.all([harness.api.stop(), harness.worker.stop()])
  await esimAccess.clearFaults()
  await withDatabase(
    databaseUrl(config.DATABASE_URL, 'postgres'),
    (sql) => sql`drop database ${sql(databaseName(config.DATABASE_URL))} with (force)`,
  )
  const args = ['--import', 'tsx', 'cli/restore.ts', 'latest', config.DATABASE_URL]
  const program = startProgram(process.execPath, args, harness.settings)
  expect(await program.ended, program.output()).toMatchObject({ code: 0 })
  await Promise.all([harness.api.start(), harness.worker.start()])
  await until('the API serves', async () => (await harness.service.get('/v1/packages')).status === 200)
}, 600_000)

afterAll(accept)

test.each(['first', 'done'] as const)('G3: steps that were done after the dump are shown as done (%s)', async (who) => {
  expect(await statesOf(deletions[who])).toEqual(before[who])
  const [seal] = await withDatabase(
    config.DATABASE_URL,
    (sql) => sql`select apple, google, firebase, stripe_customer, provider_orders, address from deletion_seals
      where receipt_id = ${deletions[who].receiptId}`,
  )
  expect(Object.values(seal ?? {}).filter((part) => part !== null)).toEqual([])
})

test('G3: steps of a person who was erased after the dump, which nobody had done, are done after the restore', async () => {
  const { begun } = deletions
  const { person, appleSub, googleToken } = people.begun
  const open: ErasureStep[] = ['apple', 'google', 'firebase', 'stripe', 'mail']
  expect(await begun.states()).toMatchObject({
    ...Object.fromEntries(open.map((name) => [name, 'pending'])),
    database: 'done',
    temporal: 'done',
  })
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  await accept()
  await begun.fastForward('3 hours')
  for (const step of open) await begun.until(step, 'done')
  for (const { processor, state } of await statesOf(begun))
    expect([processor, later.includes(processor) ? 'pending' : ['done', 'nothing_held']]).toEqual([
      processor,
      later.includes(processor) ? state : expect.arrayContaining([state]),
    ])
  expect((await apple.state()).grants.filter(({ sub }) => sub === appleSub)).toMatchObject([
    { revokedAt: expect.any(String) },
  ])
  expect((await google.state()).refreshTokens.filter(({ token }) => token === googleToken)).toMatchObject([
    { revokedAt: expect.any(String) },
  ])
  expect((await firebase.state()).deletedUsers).toContain(person.firebaseUid)
  const { customers, paymentIntents, refunds } = await stripe.state()
  const payment = paymentIntents.find(({ metadata }) => metadata.order_id === people.begun.orderId)
  expect(customers.find(({ id }) => id === payment?.customer)).toMatchObject({ deleted: true })
  expect(refunds.filter(({ payment_intent }) => payment_intent === payment?.id)).toEqual([])
  const mails = await mailsTo(harness.stack, person.email)
  expect(mails.filter(({ text }) => text.includes(begun.receiptId))).toHaveLength(1)
})

test('G3: steps of a person whom the dump does not have are left to an operator, with the receipt', async () => {
  const { fresh } = deletions
  await fresh.fastForward('3 hours')
  for (const step of ['apple', 'google', 'firebase', 'mail', 'stripe'] as const)
    expect(await fresh.until(step, 'needs_operator')).toMatchObject({ code: 'sealed_part_lost' })
  expect((await statesOf(fresh)).map(({ processor }) => processor)).toEqual([...erasureSteps])
  const tasks = await withDatabase(
    config.DATABASE_URL,
    (sql) => sql`select kind from attention where subject_id = ${fresh.receiptId} and resolved_at is null`,
  )
  expect(tasks.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['deletion_apple', 'deletion_mail']))
})
