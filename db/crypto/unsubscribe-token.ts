/**
 * The opaque token of an unsubscribe link (RFC 8058): the account's id, encrypted under a key of its own. Nothing is
 * stored, so nothing is left of it when the account is erased.
 */
import type { DataKey, FieldCipher } from './field-cipher.ts'

const column = 'unsubscribe.token'
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const keyOf = (cipher: FieldCipher): DataKey => ({
  accountId: 'unsubscribe',
  key: cipher.fingerprint('unsubscribe-key', ''),
})

/** Base64url; another one each time. */
export const unsubscribeToken = (cipher: FieldCipher, accountId: string): string =>
  cipher.encrypt(keyOf(cipher), column, accountId).toString('base64url')

/** The account a token was made for, or undefined when it is none of ours. */
export function accountOfUnsubscribeToken(cipher: FieldCipher, token: string): string | undefined {
  try {
    const accountId = cipher.decrypt(keyOf(cipher), column, Buffer.from(token, 'base64url'))
    return uuid.test(accountId) ? accountId : undefined
  } catch {
    // Whatever does not decrypt was not made here.
    return undefined
  }
}
