import { expect, test } from 'vitest'
import { MEGABYTE, toIso, toMicros } from '../../providers/esim-units.ts'
import { androidInstallUrl, iosInstallUrl, normaliseActivationCode, parseActivationCode } from '../../providers/lpa.ts'

test('an activation code is read into its parts', () => {
  expect(parseActivationCode('LPA:1$rsp-eu.redteamobile.com$451F9802E6854E3E85FB985235EDB4E5')).toEqual({
    smdpAddress: 'rsp-eu.redteamobile.com',
    matchingId: '451F9802E6854E3E85FB985235EDB4E5',
    oid: null,
    confirmationCodeRequired: false,
  })
  expect(parseActivationCode('1$smdp.example.com$04386-AGYFT-A74Y8-3F815')).not.toBeNull()
  expect(parseActivationCode('lpa:1$smdp.example.com$A-1$1.3.6.1.4.1.31746$1')).toEqual({
    smdpAddress: 'smdp.example.com',
    matchingId: 'A-1',
    oid: '1.3.6.1.4.1.31746',
    confirmationCodeRequired: true,
  })
  expect(parseActivationCode('LPA:1$smdp.example.com$A-1$$1')?.confirmationCodeRequired).toBe(true)
})

test.each([
  '',
  'LPA:',
  'LPA:2$smdp.example.com$A1',
  'LPA:1$smdp.example.com',
  'LPA:1$$A1',
  'LPA:1$smdp.example.com$',
  'LPA:1$localhost$A1',
  'LPA:1$-bad-.example.com$A1',
  'LPA:1$smdp.example.com/x$A1',
  'LPA:1$smdp.example.com$A1 B',
  'LPA:1$smdp.example.com$A1&x=y',
  'LPA:1$smdp.example.com$A1$oid',
  'LPA:1$smdp.example.com$A1$$2',
  'LPA:1$smdp.example.com$A1$$1$',
  'https://example.com',
])('an invalid activation code is refused: %s', (code) => {
  expect(parseActivationCode(code)).toBeNull()
  expect(normaliseActivationCode(code)).toBeNull()
})

test('an activation code gets its scheme once', () => {
  expect(normaliseActivationCode('1$smdp.example.com$A1')).toBe('LPA:1$smdp.example.com$A1')
  expect(normaliseActivationCode('lpa:1$smdp.example.com$A1')).toBe('LPA:1$smdp.example.com$A1')
  expect(normaliseActivationCode(' \tLPA:1$smdp.example.com$A1\r\n')).toBe('LPA:1$smdp.example.com$A1')
})

test('an install link contains the whole activation code', () => {
  const code = 'LPA:1$smdp.example.com$A1'
  expect(iosInstallUrl(code)).toBe(`https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=${code}`)
  expect(new URL(iosInstallUrl(code)).searchParams.get('carddata')).toBe(code)
  expect(new URL(androidInstallUrl(code)).searchParams.get('carddata')).toBe(code)
})

test('amounts are converted to micro-units exactly', () => {
  expect(toMicros(4.35)).toBe(4_350_000)
  expect(toMicros('0.1')).toBe(100_000)
  expect(toMicros(1.005)).toBe(1_005_000)
  expect(toMicros('-12.000001')).toBe(-12_000_001)
  expect(toMicros(999_999_999.99)).toBe(999_999_999_990_000)
  // What the arithmetic of a party has left of 0.3.
  expect(toMicros(0.1 + 0.2)).toBe(300_000)
  expect(toMicros(-4.1000000000000005)).toBe(-4_100_000)
  for (const wrong of ['', 'abc', '1e3', '1,5', '.5', '1.', ' 1', '1.0000001', Number.NaN, 1e21]) {
    expect(() => toMicros(wrong)).toThrow(RangeError)
  }
})

test('times of eSIM providers are converted to ISO 8601 in UTC', () => {
  expect(toIso('2026-09-27T19:29:36+0000')).toBe('2026-09-27T19:29:36.000Z')
  expect(toIso('2026-09-27T19:29:36+02:00')).toBe('2026-09-27T17:29:36.000Z')
  expect(toIso('2026-09-27 19:29:36')).toBe('2026-09-27T19:29:36.000Z')
  expect(() => toIso('soon')).toThrow(RangeError)
  // PostgreSQL knows no year 0, and neither of the others in this form.
  for (const time of [
    '0000-01-01 00:00:00',
    '0001-01-01T00:00:00+14:00',
    '+012026-09-27T19:29:36Z',
    '-000001-09-27T19:29:36Z',
  ])
    expect(() => toIso(time)).toThrow(RangeError)
  expect(MEGABYTE).toBe(1_048_576)
})
