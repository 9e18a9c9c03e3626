/**
 * U2: paid means delivered or refunded. The database is lost in the middle of orders in every state, and an old backup
 * is restored. Only the books of outside parties are believed: each charge is delivered or refunded, none twice, and no
 * invoice number is used twice.
 */
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterLoss } from '../../../cli/restore/tables.ts'
import { openBackupFolder } from '../../../db/backup/backup-folder.ts'
import { databaseName, databaseUrl, withDatabase } from '../../../db/backup/restore.ts'
import type { Database } from '../../../db/connection/database.ts'
import { paymentSweepParts, recordSweep } from '../../../db/order/payment-sweeps.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { type BackupResult, backupIdOf, backupType } from '../../../workflows/backup/backup.contract.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { startProgram } from '../../harness/processes.ts'
import type { BuyOptions } from '../../harness/purchases.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { explaining, untilNoneIsMissing } from '../../harness/temporal/stalled-orders.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

/** `npm test -- --all` takes 500. */
const wanted = Number(process.env.RESTORE_ORDERS ?? (process.env.TEST_ALL === '1' ? 500 : 92))
const ordersInRound = 23
const rounds = Math.ceil(wanted / ordersInRound)
/** More would exceed the time limit of a checkout, where other programs use the machine as well. */
const atOnce = 2
/** An order that takes longer has stalled. */
const timeoutMs = 60_000
const dumpIsOldMs = 18 * milliseconds.hour

const harness = await openHarness({ books: false })
const { stripe, esimAccess, airalo } = harness.sims
const { config } = harness
const name = databaseName(config.DATABASE_URL)
const server = databaseUrl(config.DATABASE_URL, 'postgres')

/** The outcome that the customer is to have in the end, by the books of outside parties. */
type Outcome = 'eSIM' | 'top-up' | 'money' | 'money and eSIM' | 'nothing charged'

interface Customer {
  person: Person
  orderIds: string[]
  /** by order */
  outcomes: Outcome[]
  /** the id of the receipt, of somebody who was erased */
  receiptId?: string
  name: string
}

const { onlyEsimAccess, onlyAiralo } = testPackages
const customers: Customer[] = []

const buy = async (person: Person, how: BuyOptions = {}): Promise<string> =>
  (await harness.buy(person, { timeoutMs, ...how })).id
const unpaid = { pay: false } as const
const cards = { order: { savedCards: true } } as const
const pay = (orderId: string) => stripe.do('pay', { orderId })
const topUpOf = async (person: Person, orderId: string): Promise<string> => {
  const body = { packageCode: testPackages.topUp }
  const { id } = expectStatus(await person.caller.post(`/v1/orders/${orderId}/top-up`, body), 201)
  await pay(id)
  await harness.untilOrder(id, 'delivered', { timeoutMs })
  return id
}
const act = async (orderId: string, action: string) => {
  expectStatus(
    await (action === 'approve' ? harness.operator : harness.service).post(`/v1/orders/${orderId}/${action}`),
    200,
  )
}
/** @returns the id of the receipt */
const erase = async ({ caller, accountId }: Person): Promise<string> =>
  expectStatus(await caller.delete(`/v1/accounts/${accountId}`), 200).receiptId
const use = async (orderId: string) => {
  const { esims } = expectStatus(await harness.service.get(`/v1/orders/${orderId}`), 200)
  await esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })
}

async function customer(name: string, person: Person, outcomes: Outcome[], orderIds: string[]): Promise<Customer> {
  const made = { name, person, outcomes, orderIds }
  customers.push(made)
  return made
}

/** Orders from before the dump. @returns what happens to them after it, and while the database is lost */
async function begin() {
  const people = await Promise.all(Array.from({ length: 15 }, () => harness.signUp()))
  const next = (): Person => {
    const person = people.shift()
    if (!person) throw new Error('more people are needed')
    return person
  }
  const [paidLater, paidInOutage, returned, kept] = [next(), next(), next(), next()]
  const [toppedUp, erased, cancelled, atRest] = [next(), next(), next(), next()]
  const [b1, b2, b3, b4, b5, b6, b7, b8] = await Promise.all([
    buy(paidLater, unpaid),
    buy(paidInOutage, unpaid),
    buy(returned, { packageCode: onlyEsimAccess }),
    buy(kept),
    buy(toppedUp, { packageCode: onlyEsimAccess }),
    buy(erased),
    buy(cancelled, unpaid),
    buy(atRest, { packageCode: onlyEsimAccess }),
  ])
  await act(b8, 'refund')
  await harness.untilOrder(b8, 'refunded', { timeoutMs })
  return {
    async goOn() {
      const [a1, a2, a3, a4, a5, a6, a7] = [next(), next(), next(), next(), next(), next(), next()]
      const [n1, n2, n3, n4] = await Promise.all([
        harness.signUp(),
        harness.signUp(),
        harness.signUp(),
        harness.signUp(),
      ])
      const [receiptId] = await Promise.all([
        erase(erased),
        pay(b1).then(() => harness.untilOrder(b1, 'delivered', { timeoutMs })),
        act(b3, 'refund'),
        act(b7, 'cancel'),
      ])
      await customer('paid after the dump', paidLater, ['eSIM'], [b1])
      await customer('paid while the database was lost', paidInOutage, ['eSIM'], [b2])
      await customer('returned after the dump', returned, ['money'], [b3])
      await customer('delivered before the dump', kept, ['eSIM'], [b4])
      await customer('topped up after the dump', toppedUp, ['eSIM', 'top-up'], [b5, await topUpOf(toppedUp, b5)])
      Object.assign(await customer('erased after the dump', erased, ['eSIM'], [b6]), { receiptId })
      await customer('returned before the dump', atRest, ['money'], [b8])
      await customer('cancelled after the dump', cancelled, ['nothing charged'], [b7])

      const o1 = await buy(a1, unpaid)
      await customer('ordered after the dump, paid while it was lost', a1, ['eSIM'], [o1])
      await customer('at eSIM Access', a2, ['eSIM'], [await buy(a2, { packageCode: onlyEsimAccess, ...cards })])
      await customer('at Airalo', a3, ['eSIM'], [await buy(a3, { packageCode: onlyAiralo })])
      const o5 = await buy(a4, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
      await customer('in review', a4, ['eSIM'], [o5])
      const o6 = await buy(a5, { packageCode: onlyEsimAccess })
      await act(o6, 'refund')
      await customer('ordered and returned after the dump', a5, ['money'], [o6])
      const o7 = await buy(a6, { packageCode: onlyEsimAccess })
      await customer('ordered and topped up', a6, ['eSIM', 'top-up'], [o7, await topUpOf(a6, o7)])
      const o8 = await buy(a7)
      Object.assign(await customer('ordered and erased after the dump', a7, ['eSIM'], [o8]), {
        receiptId: await erase(a7),
      })

      const lost1 = await buy(n1, { packageCode: onlyEsimAccess, ...cards })
      await customer('lost account, unused', n1, ['money'], [lost1])
      const lost2 = await buy(n2, { packageCode: onlyEsimAccess })
      await use(lost2)
      await customer('lost account, in use', n2, ['money and eSIM'], [lost2])
      const lost3 = await buy(n3, { ...unpaid, ...cards })
      await customer('lost account, unpaid', n3, ['nothing charged'], [lost3])
      const lost4 = await buy(n4, unpaid)
      await customer('lost account, paid while it was lost', n4, ['money'], [lost4])
      return { withCards: a2, lostCards: [lost1, lost3], inReview: o5, paidInOutage: [b2, o1, lost4], atRest: b8 }
    },
  }
}

/** Orders that the provider has and does not allocate before the restore. */
async function beginAllocating(old: Person) {
  const fresh = await harness.signUp()
  const how = { packageCode: onlyEsimAccess, until: 'provisioning' }
  await customer('being allocated', old, ['eSIM'], [await buy(old, how)])
  await customer('lost account, being allocated', fresh, ['money'], [await buy(fresh, how)])
}

interface Said {
  code: number | null
  said: string
}

const restoreCommand = (args: string[]) =>
  startProgram(process.execPath, ['--import', 'tsx', 'cli/restore.ts', ...args], harness.settings)

/** Reads of a thousand orders take a minute or two. */
const restoredWithinMs = 10 * milliseconds.minute

async function restore(...args: string[]): Promise<Said> {
  const program = restoreCommand(args)
  AbortSignal.timeout(restoredWithinMs).addEventListener('abort', () => program.kill('SIGKILL'))
  const { code } = await program.ended
  return { code, said: program.output() }
}

/** Reads the rows of a restored database, without random values. */
async function readRows(sql: Database) {
  const [orders, refunds, invoices, placements, items, orderEvents] = await Promise.all([
    sql`select id, account_id, parent_order_id, esim_id, status, reason, payment_intent_id, gross_minor, paid_at,
      delivered_at, ended_at, install_token_index from orders order by id`,
    sql`select * from refunds order by stripe_refund_id`,
    sql`select i.number, l.order_id from invoices i left join invoice_links l on l.number = i.number
      where i.number not like '%-R%' order by 1`,
    sql`select order_id, provider, client_ref, state from provider_orders order by client_ref`,
    sql`select kind, subject_id, outcome, detail from restored_items order by 1, 2`,
    sql`select type, data->>'orderId' as order_id from events where type like 'order.%' order by 2, entry`,
  ])
  return {
    orders: [...orders],
    refunds: [...refunds],
    invoices: [...invoices],
    placements: [...placements],
    items: [...items],
    orderEvents: [...orderEvents],
  }
}

/**
 * All mails by recipient. Each is read once: there are thousands with their documents, and they are looked at every few
 * seconds while everything else goes on.
 */
const mails = new Map<string, { text: string; hasDocuments: boolean }[]>()
let lastMail = 0
const mailsInPage = 100

async function readNewMails(): Promise<void> {
  for (;;) {
    const page = await harness.sims.mailbox.do('find', { after: lastMail, limit: mailsInPage })
    for (const { id, envelope, text, attachments } of page) {
      lastMail = id
      for (const to of envelope.to)
        mails.set(to, [...(mails.get(to) ?? []), { text, hasDocuments: attachments.length > 0 }])
    }
    if (page.length < mailsInPage) return
  }
}

/** Makes earlier acts older in the books of outside parties: orders are of all hours since the dump. */
async function passTime(ms: number): Promise<void> {
  for (const party of [stripe, esimAccess, airalo])
    await party.do('age', { seconds: Math.round(ms / milliseconds.second) })
}

const idIn = (name: string): string => name.slice(name.lastIndexOf(' ') + 1)

const startedAt = performance.now()
const log = (line: string) => process.stderr.write(`${line}\n`)
/** How far a large world has come: it takes many minutes. */
function reached(what: string): void {
  const minutes = ((performance.now() - startedAt) / milliseconds.minute).toFixed(1)
  log(`  ${minutes} min, ${Math.round(process.memoryUsage().rss / 1e6)} MB: ${what}`)
}

const documentForm = /AMA(?:-CN)?-\d{4}(?:-R\d{14})?-\d{6,}/g

/** Reads each customer's outcome from the books of outside parties alone. */
async function readOutcomes(): Promise<{ found: Record<string, Outcome | string>; numbers: Map<string, Set<string>> }> {
  const [money, access, air] = await Promise.all([stripe.state(), esimAccess.state(), airalo.state(), readNewMails()])
  const cancelled = new Set(access.cancels.map(({ esimTranNo }) => esimTranNo))
  const givenBack = new Set(air.refunds.flatMap(({ iccids }) => iccids))
  /** the secret part of the activation code of each eSIM that was not returned; a confirmation mail has it */
  const esims = [
    ...access.esims.filter(({ esimTranNo }) => !cancelled.has(esimTranNo)).map(({ ac }) => ac.split('$').at(-1) ?? ''),
    ...air.sims.filter(({ iccid }) => !givenBack.has(iccid)).map(({ matching_id }) => matching_id),
  ]
  const found: Record<string, Outcome | string> = {}
  const numbers = new Map<string, Set<string>>()
  for (const { name, person, orderIds } of customers) {
    const received = mails.get(person.email) ?? []
    for (const { text } of received) {
      for (const [number] of text.matchAll(documentForm))
        numbers.set(number, (numbers.get(number) ?? new Set()).add(person.email))
    }
    for (const [index, orderId] of orderIds.entries()) {
      const payments = money.paymentIntents.filter(({ metadata }) => metadata.order_id === orderId)
      const charges = money.charges.filter(
        ({ payment_intent, status }) => status === 'succeeded' && payments.some(({ id }) => id === payment_intent),
      )
      const refunds = money.refunds.filter(({ payment_intent }) => payments.some(({ id }) => id === payment_intent))
      const charged = charges.reduce((sum, { amount }) => sum + amount, 0)
      const refunded = refunds.reduce((sum, { amount }) => sum + amount, 0)
      const held = esims.filter((code) => received.some(({ text }) => text.includes(code)))
      const confirmations = received.filter(({ hasDocuments }) => hasDocuments).length
      const parts = [
        ...(charges.length > 1 ? ['charged twice'] : []),
        ...(refunded > charged ? ['refunded twice'] : []),
        ...(refunded > 0 && refunded < charged ? ['refunded in part'] : []),
        ...(charged > 0 && refunded === charged ? ['money'] : []),
        ...(index === 0 && held.length > 0 ? ['eSIM'] : []),
        ...(index === 0 && (held.length > 1 || confirmations > 1)
          ? [`${held.length} eSIMs in ${confirmations} mails`]
          : []),
        ...(index === 1 && charged > refunded ? ['top-up'] : []),
        ...(charged === 0 ? ['nothing charged'] : []),
      ]
      found[`${name}: ${orderId}`] = parts.join(' and ')
    }
  }
  return { found, numbers }
}

const expected = (): Record<string, Outcome> =>
  Object.fromEntries(
    customers.flatMap(({ name, orderIds, outcomes }) =>
      orderIds.flatMap((orderId, index) =>
        outcomes.slice(index, index + 1).map((outcome) => [`${name}: ${orderId}`, outcome]),
      ),
    ),
  )

test(`U2: ${rounds * ordersInRound} orders in every state outlive the loss of the database`, {
  timeout: 3_000_000,
}, async () => {
  const old = await Promise.all(Array.from({ length: rounds }, () => harness.signUp()))
  const begun = await explaining(harness, pMap(Array.from({ length: rounds }), begin, { concurrency: atOnce }))
  reached('the orders from before the dump are there')
  const dumpedAt = Date.now()
  for (const part of paymentSweepParts) {
    const readUntil = new Date(dumpedAt - dumpIsOldMs)
    await recordSweep(harness.context.sql, { part, readUntil, at: readUntil })
  }
  await runLater<BackupResult>(harness, backupType, 0)
  const waiting: Awaited<ReturnType<(typeof begun)[number]['goOn']>>[] = []
  for (let index = 0; index < rounds; index += atOnce) {
    const slice = begun.slice(index, index + atOnce)
    waiting.push(...(await explaining(harness, Promise.all(slice.map(({ goOn }) => goOn())))))
    await passTime(dumpIsOldMs / Math.ceil(rounds / atOnce))
  }
  await esimAccess.do('allocation', { never: true })
  await explaining(harness, pMap(old, beginAllocating, { concurrency: 10 }))
  await until('the provider has the orders', async () => {
    const { orders } = await esimAccess.state()
    return orders.filter(({ allocated }) => !allocated).length === 2 * rounds
  })

  reached('all orders are there')
  await Promise.all([harness.api.stop(), harness.worker.stop()])
  await withDatabase(server, (sql) => sql`drop database ${sql(name)} with (force)`)
  // The dump gets the age that it has for outside parties.
  const oldId = backupIdOf(new Date(dumpedAt - dumpIsOldMs))
  for (const file of await readdir(config.BACKUP_FOLDER)) {
    const purpose = file.slice(0, file.indexOf('-'))
    await rename(join(config.BACKUP_FOLDER, file), join(config.BACKUP_FOLDER, `${purpose}-${oldId}.enc`))
  }
  expect(
    (await openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS).list('dump')).map((file) => file.id),
  ).toEqual([oldId])
  for (const orderId of waiting.flatMap(({ paidInOutage }) => paidInOutage)) await pay(orderId)

  reached('the database is lost')
  const killed = restoreCommand(['latest', config.DATABASE_URL])
  await killed.untilWritten(/are newer than the backup/)
  killed.kill('SIGKILL')
  await killed.ended
  const again = await restore('latest', databaseUrl(config.DATABASE_URL, 'again'))
  expect(again, again.said).toMatchObject({ code: 0 })
  const restored = await restore('latest', config.DATABASE_URL)
  expect(restored, restored.said).toMatchObject({ code: 0 })
  reached('it is restored twice')
  const [rows, rowsAgain] = await Promise.all([
    withDatabase(config.DATABASE_URL, readRows),
    withDatabase(databaseUrl(config.DATABASE_URL, 'again'), readRows),
  ])
  expect(rowsAgain).toEqual(rows)
  expect(rows.items.filter(({ outcome }) => outcome === 'rebuilt')).toHaveLength(12 * rounds)
  // The app backend gets no events of orders that the dump has as they are.
  expect(rows.orderEvents.filter(({ order_id }) => waiting.some(({ atRest }) => atRest === order_id))).toEqual([])

  // Nobody is served before the run of the restore has settled what cannot be rebuilt; no worker has begun it yet.
  await harness.api.start()
  for (const path of ['/v1/packages', '/v1/orders', '/', '/console']) {
    const { status, headers } = await harness.service.get(path)
    expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '30'])
  }
  const webhook = await harness.anonymous.post('/v1/webhooks/stripe', { id: 'evt_1' })
  expect([webhook.status, webhook.body.code]).toEqual([503, 'restoring'])
  expect(await harness.anonymous.get('/readyz')).toMatchObject({ status: 503, body: { checks: { restore: 'failed' } } })
  expect(await harness.anonymous.get('/livez')).toMatchObject({ status: 200 })
  const report = async () => expectStatus(await harness.operator.get('/v1/restores'), 200).items[0]
  expect(await report()).toMatchObject({ backupId: oldId, openedAt: null, counts: { order: { rebuilt: 12 * rounds } } })

  await harness.worker.start()
  await until('the traffic is open', async () => (await report()).openedAt)
  // The API looks twice a second whether it may serve.
  reached('the traffic is open')
  await until('the API serves', async () => (await harness.service.get('/v1/packages')).status === 200)
  await esimAccess.do('allocation', {})
  await esimAccess.do('allocate')
  for (const { inReview } of waiting) await act(inReview, 'approve')

  const wantedOutcomes = expected()
  const { numbers } = await untilNoneIsMissing(harness, readOutcomes, {
    stillForMs: 60_000,
    everyMs: 2_000,
    missing: ({ found }) =>
      Object.keys(wantedOutcomes).flatMap((each) => (found[each] === wantedOutcomes[each] ? [] : idIn(each))),
  }).catch(async (error: unknown) => {
    log(error instanceof Error ? error.message : String(error))
    expect((await readOutcomes()).found).toEqual(wantedOutcomes)
    throw error
  })
  reached('each charge is delivered or refunded')
  // No invoice number is used twice, also of documents that were issued since.
  for (const [number, recipients] of numbers) expect([number, recipients.size]).toEqual([number, 1])
  expect([...numbers.keys()].some((number) => number.includes('-R'))).toBe(true)

  for (const { person, receiptId } of customers) {
    if (receiptId === undefined) continue
    expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
    const states = await untilValue(
      'the erasure steps go on',
      async (): Promise<Record<string, string>> => {
        const { processors } = expectStatus(await harness.anonymous.get(`/v1/deletions/${receiptId}`), 200)
        return Object.fromEntries(processors.map((step: Record<string, string>) => [step.processor, step.state]))
      },
      ({ firebase, mail }) => firebase === 'done' && mail === 'done',
    )
    expect(Object.values(states)).not.toContain('needs_operator')
  }
  // Saved cards are found again, and those of lost accounts are deleted: nobody else could.
  const { customers: holders, paymentIntents } = await stripe.state()
  const deletedHolderOf = (orderId: string): unknown => {
    const payment = paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
    return holders.find(({ id }) => id === payment?.customer)?.deleted
  }
  const cardsOfLost = waiting.flatMap(({ lostCards }) => lostCards)
  expect(cardsOfLost.map(deletedHolderOf)).toEqual(cardsOfLost.map(() => true))
  const owners = await withDatabase(
    config.DATABASE_URL,
    (sql) => sql`select id from accounts where stripe_customer_id is not null`,
  )
  expect(owners.map(({ id }) => id).sort()).toEqual(waiting.map(({ withCards }) => withCards.accountId).sort())

  const shown = await report()
  const { items } = expectStatus(
    await harness.operator.get(`/v1/restores/${shown.id}/items?outcome=undecided&limit=100`),
    200,
    z.object({ items: z.array(z.object({ kind: z.string(), subjectId: z.string(), detail: z.string().nullable() })) }),
  )
  // Nobody can tell whether the order of somebody who was erased since was delivered.
  const undecided = items.filter(({ kind }) => kind !== 'table')
  expect(undecided.map(({ detail }) => detail)).toEqual(Array(rounds).fill('perhaps_of_an_erased_person'))
  const tables = items.flatMap(({ kind, subjectId }) => (kind === 'table' ? [subjectId] : []))
  expect(tables.toSorted()).toEqual(Object.keys(afterLoss.undecided).toSorted())
  expect((await restore('report')).said).toContain(`Restore ${shown.id}`)
})
