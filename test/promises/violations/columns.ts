/** Violations of promises about which data there is, and that it is encrypted. */
import { randomBytes, randomUUID } from 'node:crypto'
import { insertAccount, type NewAccount } from '../../../db/accounts.ts'
import { createFieldCipher, type FieldCipher } from '../../../db/crypto/field-cipher.ts'
import { insertFact } from '../../../db/order/books.ts'
import { deleteOrderFacts } from '../../../db/order/books-retention.ts'
import { personalData } from '../../../policy/personal-data.ts'
import { currentPolicyVersion } from '../../../policy/versions.ts'
import { dayOf } from '../../../shared/calendar.ts'
import { loseAccount } from '../../harness/lost.ts'
import type { Fixture, Planted, Violation } from '../fixture.ts'
import { order, schema, setting, unsealed, unsent } from '../planting.ts'

const onlyColumns =
  'The database refuses plain text in the column, and no setting turns encryption off: only another schema can break it.'

const domainLoosened = schema(
  'unsealed_columns',
  'The domain of encrypted columns loses its check',
  'alter domain sealed drop constraint sealed_is_ciphertext',
  'alter domain sealed add constraint sealed_is_ciphertext check (get_byte(value, 0) = 1 and octet_length(value) >= 29)',
)
const phoneByItself = schema(
  'demanded_columns',
  'The database fills in a phone number where none is given',
  "alter table accounts alter column phone set default decode(repeat('01', 40), 'hex')",
  'alter table accounts alter column phone drop default',
)

const clearAddress = (table: string, column: string, what: string): Violation =>
  schema(
    'clear_ip_columns',
    what,
    `alter table ${table} alter column ${column} type text using encode(${column}, 'hex')`,
    `alter table ${table} alter column ${column} type sealed using decode(${column}, 'hex')`,
  )
const newAddressColumn = (table: string, what: string): Violation =>
  schema(
    'clear_ip_columns',
    what,
    `alter table ${table} add column last_ip text`,
    `alter table ${table} drop column last_ip`,
  )

const flipKey = ({ sql, accountId }: Fixture) =>
  sql`update data_keys set wrapped_key = set_byte(wrapped_key, 20, 255 - get_byte(wrapped_key, 20)) where account_id = ${accountId}`
const damagedKey: Violation = {
  kind: 'data',
  what: 'A byte of an account’s data key is damaged',
  figure: 'unreadable_accounts',
  plant: flipKey,
  mend: flipKey,
}
const foreignKey: Violation = {
  kind: 'data',
  what: 'An account has the data key of another',
  figure: 'unreadable_accounts',
  plant: swapKeys,
  mend: swapKeys,
}
function swapKeys({ sql, people: [one = '', other = ''] }: Fixture) {
  return sql`update data_keys k set wrapped_key = o.wrapped_key from data_keys o
    where (k.account_id, o.account_id) in ((${one}, ${other}), (${other}, ${one}))`
}

const wrongKeyring: Violation = {
  kind: 'setting',
  what: 'FIELD_KEYS has another key under the id of the one in use',
  figure: 'unreadable_accounts',
  plant: async (fixture) => {
    const { activeKekId } = fixture.api.cipher
    const keyring = { activeId: activeKekId, keys: new Map([[activeKekId, randomBytes(32)]]) }
    fixture.change({ cipher: createFieldCipher(keyring, randomBytes(32)) })
  },
  mend: async (fixture) => fixture.changeBack(),
}

const otherAccountId = randomUUID()

/** A sign-up stores an account by the function that stores all of them, with a fault. */
function faultySignUp(
  what: string,
  fault: (fixture: Fixture) => { cipher?: FieldCipher; account?: Partial<NewAccount> },
): Violation {
  return {
    kind: 'code',
    what,
    figure: 'unreadable_accounts',
    plant(fixture) {
      const { cipher = fixture.api.cipher, account } = fault(fixture)
      const person: NewAccount = {
        id: otherAccountId,
        email: `${otherAccountId}@people.example`,
        firstName: 'Fi',
        lastName: 'La',
        phone: null,
        signUpIp: null,
        firebaseUid: null,
        policyVersion: currentPolicyVersion,
        at: fixture.asOf,
        ...account,
      }
      return fixture.sql.begin((tx) => insertAccount(tx, { cipher, dataKeys: fixture.api.dataKeys }, person))
    },
    mend: ({ sql }) => loseAccount(sql, otherAccountId),
  }
}

const wrongColumn = faultySignUp('A sign-up encrypts a field under the name of another', ({ api: { cipher } }) => ({
  cipher: { ...cipher, encrypt: (key, column, text) => cipher.encrypt(key, `${column}s`, text) },
}))
const noName = faultySignUp('A sign-up stores an account without a name', () => ({ account: { firstName: '' } }))
const noPhone = faultySignUp('A sign-up stores a phone number of nothing where none is given', () => ({
  account: { phone: '' },
}))
const noAddress = faultySignUp('A sign-up stores something else as the address', () => ({
  account: { email: otherAccountId },
}))

/** The export has no field for a column. */
function leftOut(column: string, what: string): Violation {
  const entry = personalData[column]
  return {
    kind: 'code',
    what,
    figure: 'unexported_columns',
    plant: async () => Object.assign(personalData, { [column]: { ...entry, export: 'no.such.field' } }),
    mend: async () => Object.assign(personalData, { [column]: entry }),
  }
}

const forgottenEntry: Violation = {
  kind: 'code',
  what: 'The list of columns loses the entry of one',
  figure: 'unknown_columns',
  plant: async () => Reflect.deleteProperty(personalData, 'packages.name'),
  mend: async () => Object.assign(personalData, { 'packages.name': packageName }),
}
const packageName = personalData['packages.name']

const purgedTooEarly: Violation = {
  kind: 'code',
  what: 'The purge of the books takes the days of this week',
  figure: 'unbooked_orders',
  async plant({ sql, ago, insertOrder }) {
    const facts = { packageName: 'x', destination: 'DE', quantity: 1, grossMinor: 100, currency: 'EUR' }
    const factId = await sql.begin((tx) => insertFact(tx, facts, dayOf(ago(1))))
    await insertOrder({ created_at: ago(1), paid_at: ago(1), fact_id: factId })
    await deleteOrderFacts(sql, [ago(0), ago(1), ago(2)], 100)
  },
  mend: (fixture) => fixture.deleteOrders(),
}

export const columnViolations = {
  C1: {
    violations: [unsealed('accounts.email', 'The address is no encrypted column any more'), damagedKey, wrongColumn],
  },
  C2: {
    violations: [
      unsealed('accounts.phone', 'The phone number is no encrypted column any more'),
      phoneByItself,
      noPhone,
    ],
  },
  C3: {
    violations: [
      order('unbooked_orders', 'A paid order has no facts in the books', ({ ago }) => ({
        created_at: ago(0.5),
        paid_at: ago(0.4),
      })),
      purgedTooEarly,
      leftOut('orders.package_name', 'The export has no field for the package of an order'),
    ],
  },
  C4: {
    because: 'The promise names two columns, and the database refuses plain text in both.',
    violations: [
      unsealed('devices.push_token', 'The push token is no encrypted column any more'),
      unsealed('devices.device_id', 'The device identifier is no encrypted column any more'),
      unsent('push', 'due', 'A push message to a device is due since four days'),
    ],
  },
  C5: {
    because: onlyColumns,
    violations: [
      unsealed('devices.app_version', 'The app version is no encrypted column any more'),
      clearAddress('accounts', 'last_login_ip', 'The last sign-in address is text'),
      newAddressColumn('devices', 'A new column has the address of a device as text'),
    ],
  },
  C6: {
    because: onlyColumns,
    violations: [
      unsealed('identities.subject', 'The Apple or Google identifier is no encrypted column any more'),
      unsealed('identities.refresh_token', 'Apple’s token is no encrypted column any more'),
      unsealed('accounts.firebase_uid', 'The Firebase identifier is no encrypted column any more'),
    ],
  },
  C7: {
    because: 'What is kept has a column of its own in a table that is there, or in a new one.',
    violations: [
      schema(
        'unknown_columns',
        'A new column has the location of an account',
        'alter table accounts add column location text',
        'alter table accounts drop column location',
      ),
      schema(
        'unknown_columns',
        'A new table has contacts',
        'create table contacts (account_id uuid, phone text)',
        'drop table contacts',
      ),
      forgottenEntry,
    ],
  },
  U1: { violations: [foreignKey, wrongKeyring, noName] },
  P2: {
    because:
      'Card data has no column: there is nowhere to put it, in no row and by no setting, before the schema has one.',
    violations: [
      schema(
        'card_columns',
        'Orders get a card number',
        'alter table orders add column card_number text',
        'alter table orders drop column card_number',
      ),
      schema(
        'card_columns',
        'Accounts get an IBAN',
        'alter table accounts add column iban text',
        'alter table accounts drop column iban',
      ),
      schema(
        'card_columns',
        'A new table has a security code',
        'create table wallets (id uuid, card_cvc text)',
        'drop table wallets',
      ),
    ],
  },
  P6: {
    because: onlyColumns,
    violations: [
      clearAddress('accounts', 'sign_up_ip', 'The sign-up address is text'),
      newAddressColumn('orders', 'A new column has the address of a buyer as text'),
      newAddressColumn('access_log', 'A new column has the address of each reader as text'),
    ],
  },
  S1: {
    violations: [
      domainLoosened,
      {
        kind: 'setting',
        what: 'FIELD_KEYS has lost a key under which data keys are wrapped',
        figure: 'lost_keys',
        plant: async (fixture) =>
          fixture.change({ config: { FIELD_KEYS: { activeId: 'k9', keys: new Map([['k9', randomBytes(32)]]) } } }),
        mend: async (fixture) => fixture.changeBack(),
      },
      {
        kind: 'data',
        what: 'A key encrypts for longer than a year',
        figure: 'key_age',
        plant: ({ sql, ago }) => sql`update encryption_keys set active_since = ${ago(366)}`,
        mend: ({ sql, asOf }) => sql`update encryption_keys set active_since = ${asOf}`,
      },
    ],
  },
  G1: { violations: [damagedKey, wrongKeyring, noAddress] },
  G5: {
    violations: [
      leftOut('accounts.email', 'The export has no field for the address'),
      {
        kind: 'schema',
        what: 'A new personal column is listed, and has no field in the export',
        figure: 'unexported_columns',
        async plant({ sql }) {
          await sql`alter table accounts add column nickname sealed`
          Object.assign(personalData, {
            'accounts.nickname': { ...personalData['accounts.email'], export: 'account.nickname' },
          })
        },
        async mend({ sql }) {
          await sql`alter table accounts drop column nickname`
          Reflect.deleteProperty(personalData, 'accounts.nickname')
        },
      },
      foreignKey,
    ],
  },
  P7: {
    because: 'Where the servers are is a setting of the operator and nothing else.',
    violations: [
      setting('foreign_regions', 'The servers are in the United States', { HOSTING_REGION: 'us-east-1' }),
      setting('foreign_regions', 'The servers are in the United Kingdom', { HOSTING_REGION: 'gb-lon' }),
      setting('foreign_regions', 'The servers are in Switzerland', { HOSTING_REGION: 'ch-zrh' }),
    ],
  },
  P8: {
    because: 'Hosts are settings: no row and no column leads to another party.',
    violations: [
      setting('unlisted_hosts', 'Purchases are reported to a broker', { META_URL: 'https://broker.example' }),
      setting('unlisted_hosts', 'eSIMs are ordered through a reseller', {
        ESIM_ACCESS_URL: 'https://reseller.example/api',
      }),
      setting('unlisted_hosts', 'In production a relay on the machine answers for Apple', {
        NODE_ENV: 'production',
        APPLE_URL: 'http://127.0.0.1:8080',
      }),
    ],
  },
} satisfies Record<string, Planted>
