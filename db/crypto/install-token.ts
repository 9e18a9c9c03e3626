import { createHmac } from 'node:crypto'
import type { Database } from '../connection/database.ts'
import type { OrderRow } from '../order/orders.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './column-encryption.ts'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/** The address of an order's install page, which contains a secret; null before delivery. */
export async function installUrl(
  context: ColumnEncryption & { sql: Database; config: { PUBLIC_URL: string } },
  order: Pick<OrderRow, 'account_id' | 'install_token'>,
): Promise<string | null> {
  const { sql, cipher, config } = context
  const key = order.install_token && (await findDataKey(sql, context, order.account_id))
  if (!key || !order.install_token) return null
  const token = tableEncryption(cipher, key, 'orders').open('install_token', order.install_token)
  return new URL(`/i/${token}`, config.PUBLIC_URL).href
}

/**
 * The columns with the secret in the address of an order's install page. It is computed from the account's data key, so
 * that a mailed address works after a restore of a backup from before the delivery.
 */
export function installTokenColumns(cipher: FieldCipher, key: DataKey, orderId: string) {
  const secret = createHmac('sha256', key.key).update(`install-token\0${orderId}`).digest()
  const token = secret.subarray(0, 24).toString('base64url')
  return {
    install_token: tableEncryption(cipher, key, 'orders').seal('install_token', token),
    install_token_index: cipher.blindIndex('orders.install_token', token),
  }
}
