/** How settings are written. */
import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { type OperatorRole, operatorRoles } from '../../policy/operators/operator-roles.ts'
import { dayIn } from '../calendar.ts'

/** digits alone: `Number` would read a space as 0, and `0x1f` and `1e3` as well */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most))
/** a TCP port; 0 takes a free one */
export const port = whole(0, 65_535)

const addressOf = (scheme: RegExp, form: string, needsHost = true) =>
  z.string().refine((text) => isAddress(text, scheme, needsHost), `must be ${form}`)
const inNames = '(in a password # is %23, and % is %25)'
export const url = addressOf(/^https?:$/, 'an address that begins with https://')
/** Without a host it leads to a socket of this machine. */
export const databaseUrl = addressOf(
  /^postgres(?:ql)?:$/,
  `postgres://user:password@host:5432/database ${inNames}`,
  false,
)
export const smtpUrl = addressOf(/^smtps?:$/, `smtps://user:password@host:465, or smtp:// and port 587 ${inNames}`)
/** Paths are added to it, and the origin of a request is compared with it. */
export const origin = url.pipe(
  z
    .string()
    .refine((text) => isOrigin(new URL(text)), 'must end after the host, without a path')
    .transform((text) => new URL(text).origin),
)

/** `one,two`, as a list without the empty ones */
export const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  )
  .refine((items) => items.length > 0, 'must name at least one')
export const addresses = list.refine(
  (items) => items.every((item) => isIP(item) !== 0),
  'must be IP addresses, separated by commas',
)
/** a secret that is a part of a path */
export const pathSecret = z
  .string()
  .regex(/^[^\s/?#%\\]{24,}$/, 'must be 24 signs or more without /, ?, #, % (openssl rand -hex 24)')
/** `AMA eSIM <hello@example.com>`, or the address alone */
export const sender = z
  .string()
  .regex(/^(?:[^<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must be an address, or a name and <address>')
export const domain = z.string().regex(/^[a-z\d-]+(?:\.[a-z\d-]+)*$/i, 'must be a domain')
/** what begins with one of these prefixes, by which Stripe tells its keys apart */
export const beginningWith = (...prefixes: string[]) =>
  z
    .string()
    .refine((text) => prefixes.some((prefix) => text.startsWith(prefix)), `must begin with ${prefixes.join(' or ')}`)
/** `true` or `false` */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
/** PEM in one line, with `\n` written out, or in several */
export const pem = z.string().transform((text) => text.replaceAll('\\n', '\n'))
/** PKCS #8, PKCS #1 or SEC 1 in PEM, of the kind with which its party signs */
export const rsaKey = pem.refine((text) => kindOfKey(text) === 'rsa', 'must be a private key in PEM, of RSA')
export const ecKey = pem.refine(
  (text) => kindOfKey(text) === 'prime256v1',
  'must be a private key in PEM, of the curve P-256',
)
/** a key of 256 bits */
export const key32 = z
  .base64()
  .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes in base64')
/** `id:base64,id:base64`: the first key encrypts new data, all of them decrypt. */
export const keyring = z
  .string()
  .regex(/^[\w.-]+:[A-Za-z0-9+/=]+(,[\w.-]+:[A-Za-z0-9+/=]+)*$/, 'must be id:base64,id:base64')
  .transform((text, context) => {
    const keys = new Map<string, Buffer>()
    for (const [at, entry] of text.split(',').entries()) {
      const [id = '', encoded = ''] = entry.split(/:(.*)/s)
      const bytes = Buffer.from(encoded, 'base64')
      // The id is not named: in `key:id`, the wrong way round, it is the key.
      if (bytes.length !== 32)
        context.addIssue({ code: 'custom', message: `key number ${at + 1} must be id:key, of 32 bytes in base64` })
      // Of two keys of one id the first one would be lost, and with it what it has encrypted.
      if (keys.has(id)) context.addIssue({ code: 'custom', message: `key number ${at + 1} has the id of another one` })
      keys.set(id, bytes)
    }
    return { activeId: [...keys.keys()][0] ?? '', keys }
  })
/** `value=role,value=role`: the first value that a person has counts. */
export const rolesByValue = list.transform((entries, context) => {
  const roles = new Map<string, OperatorRole>()
  for (const entry of entries) {
    const [, value = '', given = ''] = /^(.+)=(\w+)$/.exec(entry) ?? []
    const role = operatorRoles.find((each) => each === given)
    if (role) roles.set(value, role)
    else context.addIssue({ code: 'custom', message: `must be value=role, with a role of ${operatorRoles.join(', ')}` })
  }
  return roles
})
export const timeZone = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin')
/** `domestic=8400,member_state:2000=8331`: by VAT scope, or by scope and rate in hundredths of a percent. */
export const byVat = (value: RegExp) =>
  list.transform((entries, context) => {
    const found = new Map<string, string>()
    for (const entry of entries) {
      const [name = '', given = ''] = entry.split('=')
      if (/^(domestic|member_state|outside_eu)(:\d{1,4})?$/.test(name) && value.test(given)) found.set(name, given)
      else
        context.addIssue({ code: 'custom', message: 'must be scope=number or scope:rate=number, separated by commas' })
    }
    return found
  })

/** @returns the name of the curve, or of another kind; undefined for what is no private key */
function kindOfKey(text: string): string | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(text)
    return asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType
  } catch {
    return undefined
  }
}

/** `host:443` would be an address of the scheme `host`. */
function isAddress(text: string, scheme: RegExp, needsHost: boolean): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  try {
    decodeURIComponent(username + password)
  } catch {
    return false
  }
  return scheme.test(protocol) && (hostname !== '' || !needsHost)
}

const isOrigin = ({ username, pathname, search, hash }: URL): boolean =>
  username === '' && pathname === '/' && search === '' && hash === ''

function isTimeZone(name: string): boolean {
  try {
    return dayIn(name, new Date(0)) !== ''
  } catch {
    return false
  }
}
