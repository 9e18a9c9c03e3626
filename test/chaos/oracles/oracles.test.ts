/** Each oracle is silent about a world in which all promises are kept, and finds each planted violation. */
import { readdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { promises } from '../../../policy/promises.ts'
import { createFinder } from './finder.ts'
import { oracles, violationsIn } from './oracles.ts'
import { plants } from './plants.ts'
import { bought, event, keptWorld, tell } from './sample.ts'

const here = new URL('./', import.meta.url)
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

test('the oracles find nothing in a world in which all promises are kept', () => {
  const { books, said } = keptWorld()
  expect(violationsIn(books, said)).toEqual([])
})

/** Two buyers of one ICCID: the first has returned it, the second has it. */
function soldAgain() {
  const world = keptWorld()
  const [first, second] = ['b4', 'a1'].map((name) => world.said.orders.find((order) => order.name === name))
  if (!first || !second) throw new Error('the sample has no orders b4 and a1')
  const { begunAt } = first
  const purchases = [1, 5].map((ms, at) => ({
    ...bought('sold-again', begunAt + ms),
    boughtBy: begunAt + ms,
    id: `purchase-${at}`,
    held: at === 1,
  }))
  world.books.esims = world.books.esims.filter(({ iccid }) => ![...first.iccids, ...second.iccids].includes(iccid))
  world.books.esims.push(...purchases)
  for (const order of [first, second]) order.iccids = ['sold-again']
  first.seenAt = { 'sold-again': begunAt + 2 }
  second.seenAt = { 'sold-again': begunAt + 6 }
  return { ...world, first, second, purchases }
}

describe('an ICCID that is sold again', () => {
  test('is its next buyer’s, whose delivery may be told earlier', () => {
    const { books, said, first, second } = soldAgain()
    expect(violationsIn(books, said)).toEqual([])
    // A restore may tell the first buyer's delivery later than the second one's.
    first.deliveredAt = (second.deliveredAt ?? 0) + 60_000
    expect(violationsIn(books, said).filter(({ what }) => what.includes('eSIMs'))).toEqual([])
  })

  test('is its next buyer’s although the first buyer’s order was seen after the sale', () => {
    const { books, said, first } = soldAgain()
    first.seenAt = { 'sold-again': first.begunAt + 60_000 }
    expect(violationsIn(books, said)).toEqual([])
  })

  test('is its next buyer’s although the provider took that order first, and made its eSIM last', () => {
    const { books, said, purchases, first, second } = soldAgain()
    purchases.reverse()
    for (const [at, purchase] of purchases.entries())
      Object.assign(purchase, { boughtFrom: first.begunAt + at, boughtBy: first.begunAt + at })
    second.seenAt = { 'sold-again': first.begunAt + 60_000 }
    expect(violationsIn(books, said)).toEqual([])
  })

  test('is not the first buyer’s who kept it although refunded', () => {
    const { books, said, purchases } = soldAgain()
    for (const purchase of purchases) purchase.held = true
    expect(violationsIn(books, said).map(({ promise }) => promise)).toContain('U2')
  })
})

test('an eSIM is told by the second in which Airalo took the order, and was seen within it', () => {
  const { books, said } = keptWorld()
  const order = said.orders.find(({ name }) => name === 'a1')
  if (!order) throw new Error('the sample has no order a1')
  order.begunAt += 1_200
  order.seenAt = { 'iccid-a1': order.begunAt + 100 }
  expect(violationsIn(books, said)).toEqual([])
})

test('the eSIM of a second provider is told by when it was seen, and not by the first one’s', () => {
  const { books, said } = keptWorld()
  const order = said.orders.find(({ name }) => name === 'a1')
  const esim = books.esims.find(({ iccid }) => iccid === 'iccid-a1')
  if (!order || !esim) throw new Error('the sample has no order a1')
  // The first one was seen, and given back before the delivery.
  order.seenAt = { 'iccid-given-back': order.begunAt + 2_000, 'iccid-a1': order.begunAt + 70_000 }
  Object.assign(esim, { boughtFrom: order.begunAt + 60_000, boughtBy: order.begunAt + 60_000 })
  books.esims.push({ ...esim, id: 'given-back', iccid: 'iccid-given-back', held: false })
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow a gap that a restore has named as lost', () => {
  const { books, said } = keptWorld()
  const last = said.journal.entries.at(-1)
  const order = said.orders.find(({ documents }) => documents.includes(last?.number ?? ''))
  if (!last || !order) throw new Error('the sample has no documents')
  last.number = 'A-9'
  order.documents = ['A-9']
  books.mails = books.mails.map((mail) => ({ ...mail, text: mail.text.replace('A-8', 'A-9') }))
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['U6'])
  said.lostNumbers = 1
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow a mail that the day of a policy has moved', () => {
  const { books, said } = keptWorld()
  const notice = books.mails.find(({ subject }) => subject.includes('privacy policy'))
  if (!notice) throw new Error('the sample has no notice')
  const subject = 'Our privacy policy changes later: on 9 January 2027'
  books.mails.push({ ...notice, subject, messageId: '<moved>' })
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow that a refund is told again which the bank has returned', () => {
  const world = keptWorld()
  const { books, said } = world
  const order = said.orders.find(({ name }) => name === 'b1')
  const end = said.events.find(({ type, orderId }) => type === 'order.refunded' && orderId === order?.orderId)
  if (!order || !end) throw new Error('the sample has no order b1')
  tell(world, { ...end, id: 'again' })
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['U2'])
  order.bounces = 1
  expect(violationsIn(books, said)).toEqual([])
})

test.each([
  [1, 0],
  [20, 1],
])('somebody who came back and is told of %i refunds of before is found %i times', (copies, times) => {
  const { books, said } = keptWorld()
  const bob = said.people.find(({ name }) => name === 'bob')
  const told = books.mails.find(
    ({ to, subject }) => to.includes('bob@people.example') && /^Your refund of/.test(subject),
  )
  if (!bob || !told) throw new Error('the sample has no refund of bob')
  const lastAt = Math.max(...books.mails.map(({ at }) => at))
  bob.returnedAt = lastAt + 1
  said.people.push({ ...bob, name: 'bob again', accountId: 'again', signedUpAt: lastAt + 1, returnedAt: null })
  for (let copy = 1; copy <= copies; copy += 1)
    books.mails.push({ ...told, at: lastAt + 2, messageId: `<late-${copy}>` })
  const found = violationsIn(books, said).filter(({ what }) => what.includes('money comes back'))
  expect(found).toHaveLength(times)
})

test('the oracles allow that events about somebody who was erased are listed no more', () => {
  const world = keptWorld()
  const { books, said } = world
  said.events = said.events.filter(({ orderId }) => orderId !== 'order-c1')
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow that an endpoint gets an event twice, and none from before it was registered', () => {
  const world = keptWorld()
  const { books, said } = world
  const [first] = books.deliveries
  if (!first) throw new Error('the sample has no deliveries')
  books.deliveries.push({ ...first })
  const [endpoint] = said.endpoints
  said.events.push({ ...event('policy.posted'), at: endpoint?.from ?? 0 })
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow that a worker which stood still sends what it had in hand of an erased account', () => {
  const { books, said } = keptWorld()
  const [late] = books.deliveries.filter(({ orderId }) => orderId === 'order-c1')
  const deletion = said.people.find(({ name }) => name === 'cat')?.deletion
  if (!late || !deletion) throw new Error('the sample has nobody who was erased')
  books.deliveries.push({ ...late, at: deletion.at + 40_000 })
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['G3'])
  said.crashes.push({ from: deletion.at + 1_000, until: deletion.at + 39_000 })
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow an event that came behind the last reading of the list', () => {
  const { books, said } = keptWorld()
  const [first] = books.deliveries
  if (!first) throw new Error('the sample has no deliveries')
  const later = { ...first, id: 'later', at: said.eventsReadAt }
  books.deliveries.push(later)
  expect(violationsIn(books, said)).toEqual([])
  later.at -= 1
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['U2'])
})

test('the oracles allow a top-up that was applied after its order was given up, if operators know of it', () => {
  const { books, said } = keptWorld()
  const order = said.orders.find(({ name }) => name === 'b1')
  if (!order) throw new Error('the sample has no order b1')
  Object.assign(order, { isTopUp: true, topUpOf: 'order-e1', iccids: [] })
  books.topUps.push({ provider: 'airalo', reference: 'b1', iccid: 'iccid-e1' })
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['U2'])
  said.appliedAnyway.push(order.orderId)
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles allow that a restore brings back a token that was dropped', () => {
  const world = keptWorld()
  const { books, said } = world
  const [dropped] = books.unregistered
  if (!dropped) throw new Error('the sample has no dropped token')
  const { token, at } = dropped
  const again = { token, at: at + 600_000 }
  books.pushAttempts.push({ ...again, lost: false })
  books.unregistered.push(again)
  expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['C4'])
  said.losses.push({ from: at - 1_000, until: at + 300_000 })
  tell(world, event('service.restored'))
  expect(violationsIn(books, said)).toEqual([])
})

test('the oracles have one entry for each promise, and a planted violation for each oracle', () => {
  expect(Object.keys(oracles).sort()).toEqual(Object.keys(promises).sort())
  const checking = Object.entries(oracles).filter(([, entry]) => typeof entry === 'function')
  expect(Object.keys(plants).sort()).toEqual(checking.map(([promise]) => promise).sort())
})

describe('the oracles find', () => {
  test.each(
    Object.entries(plants).flatMap(([promise, its]) =>
      Object.entries(its).map(([what, plant]) => ({ promise, what, plant })),
    ),
  )('$promise: $what', ({ promise, plant }) => {
    const world = keptWorld()
    plant(world)
    expect(violationsIn(world.books, world.said).map((violation) => violation.promise)).toContain(promise)
  })
})

const sources = await Promise.all(
  (await readdir(here))
    .filter((name) => name.endsWith('.ts') && !/^(oracles\.test|plants|sample)\.ts$/.test(name))
    .map(async (name) => ({ name, text: await readFile(new URL(name, here), 'utf8') })),
)

/** Sentences of what oracles say, as patterns: texts in their sources that have letters and a space. */
function sentences(text: string): RegExp[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|^import .*$/gm, '')
  const value = /\$\{(?:[^{}`]|\{[^}]*\})*\}/g
  return [...code.matchAll(/'([^'\n]*)'|`((?:[^`$]|\$\{(?:[^{}`]|\{[^}]*\})*\})*)`/g)]
    .map(([, quoted, template]) => quoted ?? template ?? '')
    .filter((sentence) => /[a-z]/i.test(sentence.replaceAll(value, '')) && / /.test(sentence.replaceAll(value, '')))
    .map((sentence) => new RegExp(sentence.split(value).map(escaped).join('.*'), 's'))
}

test('each sentence that an oracle can say is said about a planted violation, and each has its own', () => {
  const said = Object.values(plants).flatMap((its) =>
    Object.values(its).flatMap((plant) => {
      const world = keptWorld()
      plant(world)
      return violationsIn(world.books, world.said).map(({ subject, what }) => `${subject} ${what}`)
    }),
  )
  const all = sources
    .filter(({ name }) => !/^(oracles|record|finder)\.ts$/.test(name))
    .flatMap(({ text }) => sentences(text))
  expect(all.length).toBeGreaterThan(60)
  expect(all.filter((sentence) => !said.some((text) => sentence.test(text)))).toEqual([])
  expect(all.map(String).filter((sentence, index, those) => those.indexOf(sentence) !== index)).toEqual([])
})

test('the oracles load nothing but each other, promises, periods and keys of tables', () => {
  const loaded = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/^(?:import|export) .*? from '([^']+)'|\bimport\('([^']+)'\)/gms)].map(
      ([, from, late]) => `${name}: ${from ?? late}`,
    ),
  )
  expect(loaded.length).toBeGreaterThan(15)
  const allowed = /: (\.\/[\w-]+\.ts|\.\.\/\.\.\/\.\.\/(policy\/(promises|periods)|shared\/keys-of)\.ts|node:crypto)$/
  expect(loaded.filter((each) => !allowed.test(each))).toEqual([])
})

test('the finder finds what `includes` finds, whatever the case', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'B', 'b', ' ', '@'), minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), fc.string({ unit: letters, maxLength: 30 }), (texts, request) => {
      const found = createFinder(texts.map((text) => ({ text })))(request).map(({ text }) => text)
      const wanted = texts.filter((text) => request.toLowerCase().includes(text.toLowerCase()))
      expect(found.toSorted()).toEqual(wanted.toSorted())
    }),
  )
})

test('the oracles allow a second copy of a mail if a crash or a lost reply lay between', () => {
  for (const excuse of ['crash', 'lost reply']) {
    const { books, said } = keptWorld()
    const [first] = books.mails
    if (!first) throw new Error('no mail')
    books.mails.push({ ...first, at: first.at + 5000 })
    expect(violationsIn(books, said).map(({ promise }) => promise)).toEqual(['U3'])
    if (excuse === 'crash') said.crashes.push({ from: first.at + 1000, until: first.at + 2000 })
    else books.lostMailReplies.push({ at: first.at + 10, to: first.to[0] ?? '' })
    expect(violationsIn(books, said)).toEqual([])
  }
})

test('the oracles allow that events of a lost database are missing, or told again', () => {
  const world = keptWorld()
  const { books, said } = world
  const [first, ...others] = said.events.filter(({ orderId }) => orderId !== null)
  const order = said.orders.find(({ orderId }) => orderId === first?.orderId)
  if (!first || !order) throw new Error('no event')
  said.losses.push({ from: order.begunAt, until: order.changedAt })
  tell(world, event('service.restored'))
  tell(world, { ...first, id: 'again' })
  expect(violationsIn(books, said)).toEqual([])
  said.events = said.events.filter(({ orderId }) => orderId !== order.orderId)
  expect(violationsIn(books, said)).toEqual([])
  expect(others.length).toBeGreaterThan(0)
})
