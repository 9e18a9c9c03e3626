import { createHash, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ConfigurationError, inspectConfig, readConfig, settingNames } from '../config.ts'

const example = await readFile(new URL('../.env.example', import.meta.url), 'utf8')
const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([line, name = '', value = '']) => ({
  name,
  value,
  optional: line.startsWith('#'),
}))

test('.env.example has every setting, and no other', () => {
  const own = named.map(({ name }) => name).filter((name) => !/^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY)$/.test(name))
  expect(own.sort()).toEqual([...settingNames].sort())
})

test('production names all missing settings in one message, and .env.example marks exactly these', () => {
  const missing = faultsOf({ NODE_ENV: 'production' }).map((line) => line.split(':')[0]?.trim())
  const given = ['NODE_ENV', 'TEMPORAL_NAMESPACE']
  const wanted = named.filter(({ name, optional }) => !optional && !given.includes(name)).map(({ name }) => name)
  expect(missing.sort()).toEqual(wanted.sort())
})

test('the faults of several settings, and those of production, are of settings that exist', async () => {
  const text = await readFile(new URL('../shared/settings/faults.ts', import.meta.url), 'utf8')
  const asked = [...text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)].map(([, name]) => name)
  expect(asked.length).toBeGreaterThan(20)
  const temporal = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE']
  expect(asked.filter((name) => ![...settingNames, ...temporal].some((each) => each === name))).toEqual([])
})

test('P7: production in a region outside the EU and EEA does not start', () => {
  const regionFault = (region: string) =>
    faultsOf({ NODE_ENV: 'production', HOSTING_REGION: region }).find((line) => line.includes('HOSTING_REGION'))
  for (const region of ['us-east-1', 'gb-london', 'ch-zurich', 'xk', 'Germany']) {
    expect(regionFault(region), region).toContain('HOSTING_REGION')
  }
  for (const region of ['de', 'de-fra', 'eu-central-1', 'no-oslo']) expect(regionFault(region), region).toBeUndefined()
})

test.each([
  ['SANDBOX', 'true'],
  ['FIREBASE_CONNECT_TO', '127.0.0.1:443'],
  ['FIREBASE_CONNECT_CA', 'a certificate'],
  ['STRIPE_API_URL', 'https://127.0.0.1'],
])('production refuses what belongs to a sandbox or leads to a simulator: %s', (name, value) => {
  const faults = (environment: string) =>
    faultsOf({ NODE_ENV: environment, [name]: value }).filter((line) => line.includes(`${name}: must not be`))
  expect(faults('production')).toHaveLength(1)
  expect(faults('development')).toEqual([])
})

test('production refuses keys that are not random, one key for two purposes, and invalid private keys', () => {
  const zero = Buffer.alloc(32).toString('base64')
  const [one, two] = [1, 2].map((salt) => createHash('sha256').update(`${salt}`).digest('base64'))
  const faults = (keys: Record<string, string>) =>
    faultsOf({ NODE_ENV: 'production', ...keys }).filter((line) => /_KEYS?: (has|must)/.test(line))
  expect(faults({ FIELD_KEYS: `a:${one}`, INDEX_KEY: two ?? '' })).toEqual([])
  expect(faults({ INDEX_KEY: zero })).toEqual([expect.stringContaining('INDEX_KEY: has a key that is not random')])
  expect(faults({ FIELD_KEYS: `a:${one},b:${zero}` })).toHaveLength(1)
  expect(faults({ FIELD_KEYS: `a:${one}`, BACKUP_KEYS: `b:${one}` })).toEqual([
    expect.stringContaining('BACKUP_KEYS: has a key that FIELD_KEYS has, too'),
  ])
  expect(faults({ PAYLOAD_KEYS: `a:${one},b:${one}` })).toHaveLength(1)
  expect(faultsOf({ BACKUP_KEYS: `a:${one},a:${two}` }).join('\n')).toContain('key number 2 has the id of another one')
  for (const name of ['APPLE_PRIVATE_KEY', 'FIREBASE_PRIVATE_KEY']) {
    const text = '-----BEGIN PRIVATE KEY-----\\nbm9uc2Vuc2U=\\n-----END PRIVATE KEY-----'
    expect(faults({ [name]: text })).toEqual([expect.stringContaining(`${name}: must be a private key in PEM`)])
  }
})

test('production refuses addresses without TLS in any spelling', () => {
  const faults = (settings: Record<string, string>) =>
    faultsOf({ NODE_ENV: 'production', ...settings }).filter((line) => line.includes('must be https'))
  const urls = settingNames.filter((name) => name.endsWith('_URL') && !/DATABASE|SMTP/.test(name))
  expect(urls.length).toBeGreaterThan(8)
  for (const name of urls) {
    for (const address of ['http://example.com/x', 'HTTP://example.com', ' http://example.com']) {
      expect(faultsOf({ NODE_ENV: 'production', [name]: address }).join('\n'), `${name} ${address}`).toContain(name)
    }
    expect(faults({ [name]: 'https://example.com' }), name).toEqual([])
  }
  expect(faults({ ESIM_ACCESS_URL: 'http://127.0.0.1:1' })).toEqual([])
  const database = (url: string) =>
    faultsOf({ NODE_ENV: 'production', DATABASE_URL: url }).filter((line) => line.includes('DATABASE_URL'))
  expect(database('postgres://ama@db.example.com/ama')).toEqual([expect.stringContaining('sslmode')])
  expect(database('postgres://ama@db.example.com/ama?sslmode=verify-full')).toEqual([])
  expect(database('postgres://ama@127.0.0.1/ama')).toEqual([])
})

const aKeyOf = (kind: 'rsa' | 'ec') =>
  (kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-384' })
  ).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()

test.each<[name: string, wrong: string[], right: string[]]>([
  [
    'PUBLIC_URL',
    ['esim.example.com:443', 'ftp://esim.example.com', 'https://esim.example.com/shop', 'https://esim.example.com/?a'],
    ['https://esim.example.com/'],
  ],
  ['TEMPORAL_UI_URL', ['temporal.example.com:8233'], ['https://temporal.example.com/ui']],
  ['AIRALO_URL', ['partners-api.airalo.com:443', 'file:///etc/passwd'], ['https://partners-api.airalo.com/v2']],
  [
    'DATABASE_URL',
    [
      'mysql://ama@127.0.0.1/ama',
      'db.example.com:5432/ama',
      'postgres://ama:a%b@127.0.0.1/ama',
      'postgres://ama:a#b@127.0.0.1/ama',
    ],
    ['postgresql://ama:a%23b@127.0.0.1/ama'],
  ],
  [
    'SMTP_URL',
    ['smtp:///inbox', 'smtp://me:a#b@host:25', 'smtp://me:a%b@host:25', 'smtp://host:port', 'host:25'],
    ['smtps://me:a%23b@host:465'],
  ],
  ['STRIPE_PUBLISHABLE_KEY', ['sk_live_1', 'rk_live_1', 'whsec_1'], ['pk_live_1']],
  ['STRIPE_SECRET_KEY', ['pk_live_1', 'whsec_1'], ['sk_live_1', 'rk_live_1']],
  ['STRIPE_WEBHOOK_SECRET', ['sk_live_1', 'we_1'], ['whsec_1']],
  [
    'ESIM_ACCESS_WEBHOOK_TOKEN',
    ['a/b+c=d/eeeeeeeeeeeeeeeeeeeee', 'a?bbbbbbbbbbbbbbbbbbbbbbbb', 'a%20bbbbbbbbbbbbbbbbbbbbbbb', 'short'],
    ['a+b=ccccccccccccccccccccccc'],
  ],
  ['MAIL_BOUNCE_TOKEN', ['a/b+c=d/eeeeeeeeeeeeeeeeeeeee'], ['a-b_cccccccccccccccccccccc']],
  ['ESIM_ACCESS_WEBHOOK_IPS', [',', '3.1.131.0/24', 'esimaccess.com'], ['3.1.131.226, 2001:db8::1']],
  ['APPLE_CLIENT_IDS', [',', ' , '], ['com.example.esim']],
  ['APPLE_PRIVATE_KEY', [aKeyOf('rsa'), aKeyOf('ec')], []],
  ['FIREBASE_PRIVATE_KEY', [aKeyOf('ec')], [aKeyOf('rsa')]],
  [
    'MAIL_FROM',
    ['AMA eSIM', 'AMA <hello>', '<a@b.c> <d@e.f>'],
    ['hello@example.com', '"AMA, Ltd" <hello@example.com>'],
  ],
  ['MAIL_BOUNCE_DOMAIN', ['bounces@example.com', 'https://example.com', 'a..b'], ['bounces.example.com']],
  ['TRUSTED_PROXIES', ['one', '0x1', '1.0', '-1', '1e0'], ['1']],
  ['API_PORT', ['http', '0x50', '70000'], ['8080']],
])('%s refuses what has its form and could not work', (name, wrong, right) => {
  const faults = (value: string) =>
    faultsOf({ NODE_ENV: 'production', [name]: value }).filter((line) => line.trim().startsWith(`${name}:`))
  for (const value of wrong) {
    expect([value, faults(value)]).toEqual([value, [expect.any(String)]])
    expect(faults(value)[0]).not.toContain('missing')
    expect(faults(value)[0]).not.toContain(value)
  }
  for (const value of right) {
    expect([value, faults(value)]).toEqual([value, []])
  }
})

test('white space around a value is no part of it, and white space alone is no value', () => {
  const config = inspectConfig({
    STRIPE_WEBHOOK_SECRET: 'whsec_1\n',
    PUBLIC_URL: ' https://ESIM.example.com:443/\n',
  }).config
  expect(config).toMatchObject({ STRIPE_WEBHOOK_SECRET: 'whsec_1', PUBLIC_URL: 'https://esim.example.com' })
  const faults = faultsOf({ NODE_ENV: 'production', TRUSTED_PROXIES: ' ', STRIPE_SECRET_KEY: '\n' }).join('\n')
  for (const name of ['TRUSTED_PROXIES', 'STRIPE_SECRET_KEY']) expect(faults).toContain(`${name}: missing`)
})

test('a value in quotes is refused, since a container would take them for a part of it', () => {
  for (const value of ['"whsec_1"', "'whsec_1'", '"t"']) {
    const faults = faultsOf({ STRIPE_WEBHOOK_SECRET: value, AIRALO_CLIENT_ID: value })
    for (const name of ['STRIPE_WEBHOOK_SECRET', 'AIRALO_CLIENT_ID'])
      expect(faults.filter((line) => line.includes(name))).toEqual([expect.stringContaining(`${name}: is in quotes`)])
  }
  expect(faultsOf({ MAIL_FROM: '"AMA eSIM" <hello@example.com>' }).join()).not.toContain('MAIL_FROM')
})

test('the shop’s currency must have the same minor unit here and at Stripe', () => {
  const refused = (currency: string) =>
    faultsOf({ SHOP_CURRENCY: currency }).some((line) => line.includes('SHOP_CURRENCY'))
  for (const currency of ['EUR', 'USD', 'JPY', 'ALL', 'HUF']) expect(refused(currency), currency).toBe(false)
  for (const currency of ['ISK', 'UGX', 'KWD', 'XYZ', 'eur', 'Euro']) expect(refused(currency), currency).toBe(true)
})

test('accounts for DATEV are as long as its client’s at most, that of the payment processor a digit longer', () => {
  const refused = (settings: Record<string, string>) =>
    faultsOf(settings).flatMap((line) => /(DATEV_\w+): an account has at most/.exec(line)?.[1] ?? [])
  const revenue = 'domestic=8400,member_state:2000=83310'
  expect(refused({ DATEV_REVENUE_ACCOUNTS: 'domestic=8400, member_state:2000=8331' })).toEqual([])
  expect(refused({ DATEV_REVENUE_ACCOUNTS: revenue })).toEqual(['DATEV_REVENUE_ACCOUNTS'])
  expect(refused({ DATEV_REVENUE_ACCOUNTS: revenue, DATEV_ACCOUNT_LENGTH: '5' })).toEqual([])
  expect(refused({ DATEV_CLEARING_ACCOUNT: '13600' })).toEqual([])
  expect(refused({ DATEV_CLEARING_ACCOUNT: '136000' })).toEqual(['DATEV_CLEARING_ACCOUNT'])
})

test('the defaults in .env.example match the code', () => {
  const defaults = named.filter(({ name, value, optional }) => optional && value && !/WEBHOOK_IPS|TEMPORAL_/.test(name))
  const faults = faultsOf(Object.fromEntries(defaults.map(({ name, value }) => [name, value])))
  for (const { name } of defaults) expect(faults.join('\n')).not.toContain(name)
})

test('a configuration error has the setting’s name, and not its value', () => {
  const text = faultsOf({ NODE_ENV: 'production', FIELD_KEYS: 'secret-value', DATABASE_URL: 'secret-value' }).join('\n')
  expect(text).toMatch(/FIELD_KEYS/)
  expect(text).not.toContain('secret-value')
  // A key the wrong way round is where its id should be.
  const key = 'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce'
  for (const FIELD_KEYS of [key, `${key}:k1`, `k1:${key.slice(1)},${key}:k2`])
    expect(faultsOf({ FIELD_KEYS }).join('\n')).not.toContain(key)
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
