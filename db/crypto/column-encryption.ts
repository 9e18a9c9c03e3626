import type { Queryable } from '../connection/database.ts'
import type { SealedColumns } from '../connection/schema.ts'
import { DataKeyMissing, type DataKeys, systemKeyId } from './data-keys.ts'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/** The keys for reading and writing encrypted columns. A context is one. */
export interface ColumnEncryption {
  cipher: FieldCipher
  dataKeys: DataKeys
}

/**
 * The account's data key, or undefined when the account is missing or erased. The system's key belongs to no account.
 */
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

/** Encrypts and decrypts the columns of one table under one data key; null stays null. */
export function tableEncryption<Table extends keyof SealedColumns>(cipher: FieldCipher, key: DataKey, table: Table) {
  type Column = SealedColumns[Table]
  return {
    seal: (column: Column, text: string): Buffer => cipher.encrypt(key, `${table}.${column}`, text),
    sealOptional: (column: Column, text: string | null | undefined): Buffer | null =>
      text == null ? null : cipher.encrypt(key, `${table}.${column}`, text),
    open: (column: Column, sealed: Uint8Array): string => cipher.decrypt(key, `${table}.${column}`, sealed),
    openOptional: (column: Column, sealed: Uint8Array | null): string | null =>
      sealed === null ? null : cipher.decrypt(key, `${table}.${column}`, sealed),
  }
}
