/** Each oracle is silent about a world in which all promises are kept, and finds each planted violation. */
import { readdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { promises } from '../../../policy/promises.ts'
import { createFinder } from './finder.ts'
import { oracles, violationsIn } from './oracles.ts'
import { plants } from './plants.ts'
import { bought, keptWorld } from './sample.ts'

const here = new URL('./', import.meta.url)
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

test('the oracles find nothing in a world in which all promises are kept', () => {
  const { books, said } = keptWorld()
  expect(violationsIn(books, said)).toEqual([])
})

test('an ICCID that is sold again is its next buyer’s, whom nobody may have seen', () => {
  const { books, said } = keptWorld()
  const returned = said.orders.find(({ status, isTopUp }) => status === 'refunded' && !isTopUp)
  if (!returned) throw new Error('no order of the sample is refunded')
  const later = said.orders.find(({ name }) => name === 'a1')
  if (!later) throw new Error('the sample has no order a1')
  returned.iccids = ['sold-again']
  returned.esimsSeenAt = returned.begunAt + 1
  books.esims.push({ ...bought('sold-again', returned.begunAt + 1), id: 'first', held: false })
  // The eSIM of a later order, in place of its own.
  books.esims = books.esims.filter(({ iccid }) => !later.iccids.includes(iccid))
  later.iccids = ['sold-again']
  later.begunAt = returned.begunAt
  later.esimsSeenAt = later.begunAt + 3
  books.esims.push({ ...bought('sold-again', later.begunAt + 3), id: 'second' })
  expect(violationsIn(books, said)).toEqual([])
  // A restore may tell the first buyer's delivery later than the second one's.
  returned.deliveredAt = (later.deliveredAt ?? 0) + 60_000
  expect(violationsIn(books, said).filter(({ what }) => what.includes('eSIMs'))).toEqual([])
})

test('an eSIM was bought before it was seen, although Airalo tells the second alone', () => {
  const { books, said } = keptWorld()
  const order = said.orders.find(({ name }) => name === 'a1')
  const esim = books.esims.find(({ iccid }) => iccid === order?.iccids[0])
  if (!order || !esim) throw new Error('the sample has no order a1 with an eSIM')
  order.esimsSeenAt = esim.boughtFrom + 500
  esim.boughtBy = esim.boughtFrom + 999
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
  const { books, said } = keptWorld()
  const [first, ...others] = said.events.filter(({ orderId }) => orderId !== null)
  const order = said.orders.find(({ orderId }) => orderId === first?.orderId)
  if (!first || !order) throw new Error('no event')
  said.losses.push({ from: order.begunAt, until: order.changedAt })
  said.events.push({ id: 'restored', type: 'service.restored', orderId: null, receiptId: null })
  said.events.push({ ...first, id: 'again' })
  expect(violationsIn(books, said)).toEqual([])
  said.events = said.events.filter(({ orderId }) => orderId !== order.orderId)
  expect(violationsIn(books, said)).toEqual([])
  expect(others.length).toBeGreaterThan(0)
})
