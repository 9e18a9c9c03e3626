/** Where an order is taxed, by the evidence that there is: a row for each rule of the directives (policy/vat.ts). */
import { describe, expect, test } from 'vitest'
import { decideVat, evidenceOf, isDoubtful, type VatEvidence, type VatRules } from '../../policy/vat.ts'
import { isMemberState, memberStates, standardRateBps, vatCountryCode } from '../../policy/vat-rates.ts'

const rules: VatRules = { by: 'buyer_country', sellerCountry: 'DE', sellerRateBps: 1_234, onePieceSuffices: false }
const day = '2026-07-01'
const ofGermany = (evidence: VatEvidence) => ({ country: 'DE', scope: 'domestic', rateBps: 1_900, evidence })

describe('a sale is taxed', () => {
  test.each([
    [
      'by the card and the address',
      {},
      'FR',
      'FR',
      { country: 'FR', scope: 'member_state', rateBps: 2_000, evidence: 'two_pieces' },
    ],
    ['at home by both', {}, 'DE', 'DE', ofGermany('two_pieces')],
    ['by the card when they differ', {}, 'DE', 'FR', ofGermany('contradictory')],
    [
      'by the card alone, doubtful',
      {},
      'FR',
      null,
      { country: 'FR', scope: 'member_state', rateBps: 2_000, evidence: 'one_of_two_missing' },
    ],
    [
      'by the card alone, where the law takes it',
      { onePieceSuffices: true },
      'FR',
      null,
      { country: 'FR', scope: 'member_state', rateBps: 2_000, evidence: 'one_piece' },
    ],
    [
      'by the address alone, always doubtful',
      { onePieceSuffices: true },
      null,
      'FR',
      { country: 'FR', scope: 'member_state', rateBps: 2_000, evidence: 'one_of_two_missing' },
    ],
    [
      'by the card of a seller from elsewhere, doubtful',
      { onePieceSuffices: true, sellerCountry: 'US' },
      'FR',
      null,
      { country: 'FR', scope: 'member_state', rateBps: 2_000, evidence: 'one_of_two_missing' },
    ],
    ['at home without evidence', {}, null, null, ofGermany('none')],
    [
      'not in the Union for a buyer from elsewhere',
      {},
      'US',
      'US',
      { country: 'US', scope: 'outside_eu', rateBps: 0, evidence: 'two_pieces' },
    ],
    [
      'at the seller’s rate where no member state has one',
      { sellerCountry: 'US' },
      'US',
      'US',
      { country: 'US', scope: 'domestic', rateBps: 1_234, evidence: 'two_pieces' },
    ],
    [
      'at the seller’s rate by setting',
      { by: 'seller_country' },
      'FR',
      'FR',
      { country: 'DE', scope: 'domestic', rateBps: 1_234, evidence: 'not_asked' },
    ],
    [
      'at the seller’s rate without a seller’s country',
      { sellerCountry: undefined },
      'FR',
      'FR',
      { country: null, scope: 'domestic', rateBps: 1_234, evidence: 'not_asked' },
    ],
  ] as const)('%s', (_, changed, card, ip, expected) => {
    expect(decideVat({ ...rules, ...changed }, { card, ip }, day)).toEqual(expected)
  })
})

test.each([
  ['de', 'DE'],
  [' fr ', 'FR'],
  ['MC', 'FR'],
  ['XX', null],
  ['ZZ', null],
  ['EU', null],
  ['AP', null],
  ['QZ', null],
  ['XI', null],
  ['XK', 'XK'],
  ['EL', 'GR'],
  ['T1', null],
  ['DEU', null],
  ['D', null],
  ['', null],
  [null, null],
  [undefined, null],
])('the country %j counts as %j', (code, expected) => {
  expect(evidenceOf(code)).toBe(expected)
})

test('operators look at contradictory, missing and no evidence only', () => {
  const all: VatEvidence[] = ['not_asked', 'two_pieces', 'one_piece', 'one_of_two_missing', 'contradictory', 'none']
  expect(all.filter(isDoubtful)).toEqual(['one_of_two_missing', 'contradictory', 'none'])
})

describe('a standard rate', () => {
  test.each([
    ['EE', '2025-06-30', 2_200],
    ['EE', '2025-07-01', 2_400],
    ['FI', '2024-08-31', 2_400],
    ['FI', '2024-09-01', 2_550],
    ['RO', '2025-07-31', 1_900],
    ['RO', '2025-08-01', 2_100],
    ['SK', '2024-12-31', 2_000],
    ['SK', '2025-01-01', 2_300],
    ['GB', day, undefined],
  ])('of %s on %s is %s', (country, date, expected) => {
    expect(standardRateBps(country, date)).toBe(expected)
  })

  test('of each member state in July 2026', () => {
    const rates = memberStates.map((country) => `${country} ${standardRateBps(country, day)}`)
    expect(rates.join(', ')).toBe(
      'AT 2000, BE 2100, BG 2000, CY 1900, CZ 2100, DE 1900, DK 2500, EE 2400, ES 2100, FI 2550, FR 2000, GR 2400, HR 2500, HU 2700, IE 2300, IT 2200, LT 2100, LU 1700, LV 2100, MT 1800, NL 2100, PL 2300, PT 2300, RO 2100, SE 2500, SI 2200, SK 2300',
    )
    expect(memberStates.every(isMemberState)).toBe(true)
    expect(isMemberState('GB')).toBe(false)
  })

  test('names Greece EL, and other states as they are', () => {
    expect([vatCountryCode('GR'), vatCountryCode('DE')]).toEqual(['EL', 'DE'])
  })
})
