/**
 * The opaque token of an unsubscribe link (RFC 8058): the account's id, encrypted under a separate key. It is not
 * stored, so an erasure has nothing to delete.
 */
import type { DataKey, FieldCipher } from './field-cipher.ts'

const column = 'unsubscribe.token'
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const keyOf = (cipher: FieldCipher): DataKey => ({
  accountId: 'unsubscribe',
  key: cipher.fingerprint('unsubscribe-key', ''),
})

/** A token in base64url; each call returns another one. */
export const unsubscribeToken = (cipher: FieldCipher, accountId: string): string =>
  cipher.encrypt(keyOf(cipher), column, accountId).toString('base64url')

/** The account of a token, or undefined for a token that was not made here. */
export function accountOfUnsubscribeToken(cipher: FieldCipher, token: string): string | undefined {
  try {
    const accountId = cipher.decrypt(keyOf(cipher), column, Buffer.from(token, 'base64url'))
    return uuid.test(accountId) ? accountId : undefined
  } catch {
    return undefined
  }
}
