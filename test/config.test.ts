import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ConfigurationError, readConfig, settingNames } from '../config.ts'

const example = await readFile(new URL('../.env.example', import.meta.url), 'utf8')
const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([line, name = '', value = '']) => ({
  name,
  value,
  optional: line.startsWith('#'),
}))

test('.env.example names every setting, and no other', () => {
  const own = named.map(({ name }) => name).filter((name) => !/^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY)$/.test(name))
  expect(own.sort()).toEqual([...settingNames].sort())
})

test('production names everything that is missing in one message, and .env.example marks just that', () => {
  const missing = faultsOf({ NODE_ENV: 'production' }).map((line) => line.split(':')[0]?.trim())
  const given = ['NODE_ENV', 'TEMPORAL_NAMESPACE']
  const wanted = named.filter(({ name, optional }) => !optional && !given.includes(name)).map(({ name }) => name)
  expect(missing.sort()).toEqual(wanted.sort())
})

test('P7: production in a region outside the EU and EEA does not start', () => {
  const regionFault = (region: string) =>
    faultsOf({ NODE_ENV: 'production', HOSTING_REGION: region }).find((line) => line.includes('HOSTING_REGION'))
  for (const region of ['us-east-1', 'gb-london', 'ch-zurich', 'xk', 'Germany']) {
    expect(regionFault(region), region).toContain('HOSTING_REGION')
  }
  for (const region of ['de', 'de-fra', 'eu-central-1', 'no-oslo']) expect(regionFault(region), region).toBeUndefined()
})

test('the shop sells in currencies that Stripe counts as we do', () => {
  const refused = (currency: string) =>
    faultsOf({ SHOP_CURRENCY: currency }).some((line) => line.includes('SHOP_CURRENCY'))
  for (const currency of ['EUR', 'USD', 'JPY', 'ALL', 'HUF']) expect(refused(currency), currency).toBe(false)
  for (const currency of ['ISK', 'UGX', 'KWD', 'XYZ', 'eur', 'Euro']) expect(refused(currency), currency).toBe(true)
})

test('defaults in .env.example are those of the code', () => {
  const defaults = named.filter(({ name, value, optional }) => optional && value && !/WEBHOOK_IPS|TEMPORAL_/.test(name))
  const faults = faultsOf(Object.fromEntries(defaults.map(({ name, value }) => [name, value])))
  for (const { name } of defaults) expect(faults.join('\n')).not.toContain(name)
})

test('a fault is told by its name, never by its value', () => {
  const text = faultsOf({ NODE_ENV: 'production', FIELD_KEYS: 'secret-value', DATABASE_URL: 'secret-value' }).join('\n')
  expect(text).toMatch(/FIELD_KEYS/)
  expect(text).not.toContain('secret-value')
})

function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split('\n').slice(1)
    throw error
  }
  return []
}
