/**
 * Accounts hold what the policy names and nothing else (C1, C2, C3, C5, C6, C7), can be used (U1), and are shown,
 * corrected and exported (G1, G2, G5).
 */
import { milliseconds } from '../../../policy/periods.ts'
import { createFinder } from './finder.ts'
import {
  type AccountExport,
  type Acknowledgements,
  type Finding,
  living,
  type Oracle,
  type Person,
  subjectsOf,
} from './record.ts'

const { day: dayMs } = milliseconds

/** The fields of an exported account: the privacy policy names no others. */
const accountFields = [
  'id',
  'email',
  'mailState',
  'firstName',
  'lastName',
  'phone',
  'signUpIp',
  'lastLoginIp',
  'firebaseUid',
  'policyVersion',
  'language',
  'consents',
  'createdAt',
  'lastActiveAt',
]

const exports = (said: Acknowledgements): { person: Person; exported: AccountExport }[] =>
  said.people.flatMap((person) => (person.exported ? [{ person, exported: person.exported }] : []))

const differs = (subject: string, what: string, is: unknown, wanted: unknown): Finding[] =>
  is === wanted ? [] : [{ subject, what: `${what} is ${JSON.stringify(is)}, acknowledged ${JSON.stringify(wanted)}` }]

/** C1: name and address as they were given, and no field that the policy does not name. */
export const accountsHoldWhatWasGiven: Oracle = (_books, said) =>
  exports(said).flatMap(({ person, exported: { account } }) => [
    ...Object.keys(account)
      .filter((field) => !accountFields.includes(field))
      .map((field) => ({ subject: person.name, what: `keeps ${field}` })),
    ...differs(person.name, 'the exported phone number', account.phone ?? null, person.phone),
    // A first name may have been corrected after the export.
    ...(['email', 'lastName', 'firstName'] as const)
      .filter((field) => field !== 'firstName' || !person.corrected)
      .flatMap((field) => differs(person.name, `the exported ${field}`, account[field], person[field])),
  ])

/** C2: a phone number only where one was given. */
export const phonesAreOptional: Oracle = (_books, said) =>
  living(said).flatMap(({ name, seen, phone }) =>
    seen.status === 200 ? differs(name, 'phone', seen.phone ?? null, phone) : [],
  )

/** C3: every acknowledged order is in an export, with package, date, destination and amount. */
export const purchasesAreKept: Oracle = (_books, said) =>
  exports(said).flatMap(({ person, exported }) =>
    said.orders
      .filter(({ accountId }) => accountId === person.accountId)
      .flatMap((order) => {
        const kept = exported.orders.find(({ id }) => id === order.orderId)
        if (!kept) return [{ subject: order.name, what: 'is not in the export' }]
        const isWhole = kept.destination !== '' && Math.abs(Date.parse(kept.createdAt) - order.begunAt) < dayMs
        return [
          ...differs(order.name, 'the amount', kept.amountMinor, order.grossMinor),
          ...differs(order.name, 'the package', kept.packageCode, order.packageCode),
          ...(isWhole ? [] : [{ subject: order.name, what: 'has no destination in the export, or another date' }]),
        ]
      }),
  )

/**
 * C5: devices as they were registered, a token until FCM calls it unregistered. How they are encrypted is not seen from
 * outside.
 */
export const devicesAreKept: Oracle = (_books, said) =>
  exports(said).flatMap(({ person: { name, deviceId, pushToken, tokenIsStale }, exported: { devices } }) => {
    const own = devices.find((device) => device.deviceId === deviceId)
    const isKept = own?.pushToken === pushToken || (own?.pushToken === null && tokenIsStale)
    return [
      ...(own ? [] : [{ subject: name, what: 'the export lacks the device' }]),
      ...(!own || isKept ? [] : [{ subject: name, what: 'the export has another push token' }]),
      ...(devices.length > (own ? 1 : 0)
        ? [{ subject: name, what: 'the export has a device that was not registered' }]
        : []),
    ]
  })

/** C6: the identities as they were linked, and no other. How they are encrypted is not seen from outside. */
export const identitiesAreKept: Oracle = (_books, said) => [
  ...exports(said).flatMap(({ person: { name }, exported: { subjects, linked } }) => [
    ...(lacks(subjects, linked) ? [{ subject: name, what: 'the export lacks a linked identity' }] : []),
    ...(lacks(linked, subjects) ? [{ subject: name, what: 'the export has an identity that was not linked' }] : []),
  ]),
  ...living(said).flatMap((person) => {
    const { name, seen } = person
    if (!seen.subjects) return []
    const linked = subjectsOf(person)
    return [
      ...(lacks(seen.subjects, linked) ? [{ subject: name, what: 'the account lacks a linked identity' }] : []),
      ...(lacks(linked, seen.subjects) ? [{ subject: name, what: 'the account shows an identity of nobody' }] : []),
    ]
  }),
]

const lacks = (those: readonly string[], wanted: readonly string[]): boolean =>
  wanted.some((each) => !those.includes(each))

/** C7: a request with any other field is refused, and its value is found nowhere. */
export const nothingElseIsKept: Oracle = ({ received, mails }, said) => {
  const find = createFinder(said.foreignFields.map((each) => ({ ...each, text: each.value })))
  const kept = exports(said).map(({ exported }) => ({ text: JSON.stringify(exported) }))
  const stored = new Set([received, mails, kept].flat().flatMap(({ text }) => find(text).map(({ value }) => value)))
  return said.foreignFields.flatMap(({ field, value, status }) => [
    ...(status === 400 ? [] : [{ subject: field, what: `answered with ${status}` }]),
    ...(stored.has(value) ? [{ subject: field, what: 'was kept or passed on' }] : []),
  ])
}

/** U1: every acknowledged account is there until it is deleted, and whom Apple or Google has proven gets in. */
export const accountsStay: Oracle = (_books, said) => [
  ...living(said).flatMap(({ name, seen }) => differs(name, 'the account', seen.status, 200)),
  ...said.signIns
    .filter(({ status }) => status >= 300)
    .map(({ name, what, status }) => ({ subject: name, what: `a proven ${what} is answered with ${status}` })),
]

/** G1: a person sees their own data. */
export const peopleSeeTheirData: Oracle = (_books, said) =>
  living(said).flatMap(({ name, seen, email, firstName, lastName, corrected }) => [
    ...differs(name, 'the address shown', seen.email, email),
    ...differs(name, 'the last name shown', seen.lastName, lastName),
    // G2 is about what was corrected.
    ...(corrected ? [] : differs(name, 'the first name shown', seen.firstName, firstName)),
  ])

/** G2: an acknowledged correction is seen. */
export const correctionsHold: Oracle = (_books, said) =>
  living(said)
    .filter(({ corrected }) => corrected)
    .flatMap(({ name, seen, firstName }) => differs(name, 'the corrected name', seen.firstName, firstName))

/** G5: an export validates against its published schema, and is that person's and nobody else's. */
export const exportsAreComplete: Oracle = (_books, said) => {
  const owners = new Map(said.orders.map(({ orderId, accountId }) => [orderId, accountId]))
  return exports(said).flatMap(({ person, exported }) => {
    const isOthers = ({ id }: { id: string }): boolean => (owners.get(id) ?? person.accountId) !== person.accountId
    const isAgain = new Set(exported.orders.map(({ id }) => id)).size < exported.orders.length
    return [
      ...exported.faults.map((fault) => ({ subject: person.name, what: `the export's form: ${fault}` })),
      ...differs(person.name, 'the exported account', exported.account.id, person.accountId),
      ...(exported.orders.some(isOthers)
        ? [{ subject: person.name, what: 'the export has an order of somebody else' }]
        : []),
      ...(isAgain ? [{ subject: person.name, what: 'the export has an order twice' }] : []),
    ]
  })
}
