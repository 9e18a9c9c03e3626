/** How settings are written. */
import { createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import { type OperatorRole, operatorRoles } from '../../policy/operators/operator-roles.ts'

/** any address with a scheme */
export const url = z.url()
/** a TCP port; 0 takes a free one */
export const port = z.coerce.number().int().min(0).max(65_535)
/** `one,two`, as a list without the empty ones */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)
/** `true` or `false` */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
/** PEM in one line, with `\n` written out, or in several */
export const pem = z.string().transform((text) => text.replaceAll('\\n', '\n'))
/** PKCS #8, PKCS #1 or SEC 1 in PEM */
export const privateKey = pem.refine(isPrivateKey, 'must be a private key in PEM')
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

function isPrivateKey(text: string): boolean {
  try {
    createPrivateKey(text)
    return true
  } catch {
    return false
  }
}
