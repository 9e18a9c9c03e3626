import type { FieldCipher } from '../../../db/crypto/field-cipher.ts'

/**
 * A keyed hash of the order's id, stored with the payment at Stripe. It shows that a payment without an order was made
 * by this installation, and not by another one, or another application, that uses the same Stripe account.
 */
export const paymentMark = (cipher: FieldCipher, orderId: string): string =>
  cipher.fingerprint('payment', orderId).subarray(0, 18).toString('base64url')
