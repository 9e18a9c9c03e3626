import type { Queryable } from '../connection/database.ts'
import { DataKeyMissing, type DataKeys, systemKeyId } from './data-keys.ts'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/** What it takes to write and read sealed columns. The context is one. */
export interface ColumnEncryption {
  cipher: FieldCipher
  dataKeys: DataKeys
}

/** The account's data key, or undefined when there is no such account (any more). The system's is no account's. */
export async function findDataKey(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
): Promise<DataKey | undefined> {
  if (accountId === systemKeyId) return undefined
  try {
    return await encryption.dataKeys.get(sql, accountId)
  } catch (error) {
    if (error instanceof DataKeyMissing) return undefined
    throw error
  }
}

/** Seals and opens one table's columns under one data key; null stays null. */
export function tableEncryption(cipher: FieldCipher, key: DataKey, table: string) {
  return {
    seal: (column: string, text: string): Buffer => cipher.encrypt(key, `${table}.${column}`, text),
    sealOptional: (column: string, text: string | null | undefined): Buffer | null =>
      text == null ? null : cipher.encrypt(key, `${table}.${column}`, text),
    open: (column: string, sealed: Uint8Array): string => cipher.decrypt(key, `${table}.${column}`, sealed),
    openOptional: (column: string, sealed: Uint8Array | null): string | null =>
      sealed === null ? null : cipher.decrypt(key, `${table}.${column}`, sealed),
  }
}
