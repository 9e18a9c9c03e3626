/** The small rules of policy/, each at its limits. */
import { describe, expect, test } from 'vitest'
import { evaluate, type Figure, type FigureName, figures } from '../../policy/figures.ts'
import { isInEea } from '../../policy/hosting.ts'
import { dueSoon, kindsOf, type Urgency, urgencies, urgencyOf } from '../../policy/operator-tasks.ts'
import { idsOfPrivacyReference, privacyReference } from '../../policy/privacy-reference.ts'
import { continentOfCountry, regionOf } from '../../policy/regions.ts'
import { keysOf } from '../../shared/keys-of.ts'

describe('a figure', () => {
  const all: Record<FigureName, Figure> = figures
  const limited = keysOf(all).flatMap((name) => {
    const { brokenAbove } = all[name]
    return brokenAbove === undefined ? [] : [[name, brokenAbove] as const]
  })
  const informing = keysOf(all).filter((name) => !('brokenAbove' in all[name]))

  test.each(limited)('%s is kept at its limit and broken above it', (name, limit) => {
    expect(evaluate(name, { value: limit })).toBe('kept')
    expect(evaluate(name, { value: limit + 0.1 })).toBe('broken')
  })

  test.each(informing)('%s informs only: no number breaks it', (name) => {
    expect(evaluate(name, { value: 1_000_000 })).toBe('kept')
  })

  test('is unknown when it could not be read, with and without a limit', () => {
    for (const name of ['late_requests', 'notice_share'] as const) {
      expect(evaluate(name, undefined)).toBe('unknown')
      expect(evaluate(name, { value: null })).toBe('unknown')
      expect(evaluate(name, { value: Number.NaN })).toBe('unknown')
    }
  })
})

/** The EU and, after it, the rest of the EEA. */
const eea = 'at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk is li no'.split(' ')

test.each(eea)('P7: a hosting region in %s is in the EU or EEA', (country) => {
  expect(isInEea(`${country}-1`)).toBe(true)
})

test.each([
  ['de-fsn1', true],
  ['eu-central-1', true],
  ['is-1', true],
  ['us-east-1', false],
  ['gb-lon', false],
  ['ch-zrh', false],
  ['ude', false],
  ['', false],
])('P7: the hosting region %s is in the EU or EEA: %s', (region, expected) => {
  expect(isInEea(region)).toBe(expected)
})

describe('the reference of a privacy request', () => {
  const id = '0a1b2c3d-4e5f-4000-8000-0123456789ab'
  const ids = { first: '0a1b2c3d-0000-0000-0000-000000000000', last: '0a1b2c3d-ffff-ffff-ffff-ffffffffffff' }

  test('names the request, and its ids are found by it', () => {
    expect(privacyReference(id)).toBe('PR-0A1B2C3D')
    expect(idsOfPrivacyReference(privacyReference(id))).toEqual(ids)
    expect(ids.first <= id && id <= ids.last).toBe(true)
  })

  test.each(['pr-0a1b2c3d', 'PR0A1B2C3D', ' P R - 0a1b 2c3d\n'])('is read as people write it: %j', (text) => {
    expect(idsOfPrivacyReference(text)).toEqual(ids)
  })

  test.each(['', 'PR-0a1b2c3', 'PR-0a1b2c3dd', 'xPR-0a1b2c3d', 'PR--0a1b2c3d', 'PR-0a1b2c3g', '0a1b2c3d'])(
    'is not read from something else: %j',
    (text) => {
      expect(idsOfPrivacyReference(text)).toBeUndefined()
    },
  )
})

describe('the urgency of an operator task', () => {
  const asOf = new Date('2026-07-01T00:00:00.000Z')
  const soon = new Date('2026-07-03T00:00:00.000Z')

  test.each([
    ['refund_failed', null, 'now'],
    ['placed_twice', null, 'this_week'],
    ['a kind without an entry', null, 'today'],
    ['placed_twice', soon, 'now'],
    ['placed_twice', new Date(soon.getTime() + 1), 'this_week'],
    ['placed_twice', new Date(0), 'now'],
  ] as const)('of kind %s, due %s, is %s', (kind, dueAt, expected) => {
    expect(urgencyOf(kind, dueAt, asOf)).toBe(expected)
  })

  test('is urgent for two days before the due date', () => {
    expect(dueSoon(asOf)).toEqual(soon)
  })

  /** Written a second time: a change of one has to be meant. */
  const kinds: Record<Urgency, string> = {
    now: `outage run_wedged run_lost operator_sign_in_guessed provider_misconfigured payment_unresolved
      payment_without_order refund_failed partial_refund_failed withdrawal_unsettled refund_elsewhere_failed order_overdue
      payment_unsettled backup_failed backup_lost webhook_endpoint_disabled webhook_endpoint_of_revoked_key provider_balance_low
      paid_not_settled charged_twice credit_note_without_refund order_out_of_step restored_access returned_not_refunded
      schedule_silent esim_sold_twice`,
    today: '',
    this_week: `dispute_lost event_not_taken refund_made_elsewhere vat_evidence_incomplete provider_refund_requested
      campaign_stuck esim_without_order placement_unknown placed_twice provider_cost_differs esim_alive_after_refund cancelled_and_used`,
  }

  test.each(urgencies)('%s has the kinds that were meant', (urgency) => {
    const meant = kinds[urgency].split(/\s+/).filter(Boolean)
    expect(kindsOf(urgency).sort()).toEqual(meant.sort())
    for (const kind of meant) expect(urgencyOf(kind, null, asOf)).toBe(urgency)
  })
})

describe('the region of a package', () => {
  test.each([
    [['DE'], 'eu'],
    [['DE', 'FR', 'IT', 'ES', 'TR'], 'eu'],
    [['DE', 'FR', 'IT', 'TR'], 'gl'],
    [['US', 'CA', 'MX'], 'na'],
    [['BR'], 'sa'],
    [['ZZ'], 'gl'],
    [['DE', 'US'], 'gl'],
    [['AU', 'NZ'], 'oc'],
    [['JP', 'KR'], 'as'],
    [['EG', 'ZA'], 'af'],
  ])('that covers %j is %s', (countries, code) => {
    expect(regionOf(countries).code).toBe(code)
  })

  test.each([
    ['FR', 'eu', 'Europe'],
    ['JP', 'as', 'Asia'],
    ['KE', 'af', 'Africa'],
    ['CA', 'na', 'North America'],
    ['PE', 'sa', 'South America'],
    ['NZ', 'oc', 'Oceania'],
  ])('that covers %s is %s, and has the name %s', (country, code, name) => {
    expect(regionOf([country])).toEqual({ code, name })
    expect(continentOfCountry(country)).toEqual({ code, name })
  })

  test('has a name', () => {
    expect(regionOf(['JP'])).toEqual({ code: 'as', name: 'Asia' })
    expect(regionOf(['JP', 'DE'])).toEqual({ code: 'gl', name: 'Global' })
    expect(continentOfCountry('KE')).toEqual({ code: 'af', name: 'Africa' })
    expect(continentOfCountry('??')).toEqual({ code: 'gl', name: 'Global' })
  })
})
