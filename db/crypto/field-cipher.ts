/**
 * Personal columns are encrypted with AES-256-GCM under their account's data key; data keys are wrapped by a
 * key-encryption key (KEK) of the keyring. Deleting the data-key row makes every remaining copy unreadable.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

/** Key-encryption keys by id, 32 bytes each. New data keys are wrapped by `activeId`; all of them unwrap. */
export interface Keyring {
  activeId: string
  keys: ReadonlyMap<string, Buffer>
}

/** An account's unwrapped data key. `accountId` binds each ciphertext to its account. */
export interface DataKey {
  accountId: string
  key: Buffer
}

export interface WrappedKey {
  kekId: string
  wrapped: Buffer
}

export type FieldCipher = ReturnType<typeof createFieldCipher>

const formatVersion = 1
const ivBytes = 12
const tagBytes = 16

/**
 * Creates the cipher of personal columns.
 * @param indexKey 32 bytes for blind indexes and pseudonyms; with another key no existing row is found
 */
export function createFieldCipher(keyring: Keyring, indexKey: Buffer) {
  const kek = (id: string): Buffer => {
    const key = keyring.keys.get(id)
    if (!key) throw new Error(`no key-encryption key ${id} in the keyring`)
    return key
  }
  const keyed = (purpose: string, value: string): Buffer =>
    createHmac('sha256', indexKey).update(`${purpose}\0${value}`).digest()

  return {
    activeKekId: keyring.activeId,
    keyIds: [...keyring.keys.keys()],

    newDataKey(accountId: string): DataKey & WrappedKey {
      const key = randomBytes(32)
      return {
        accountId,
        key,
        kekId: keyring.activeId,
        wrapped: seal(kek(keyring.activeId), `data-key:${accountId}`, key),
      }
    },
    unwrap(accountId: string, wrapped: WrappedKey): DataKey {
      return { accountId, key: open(kek(wrapped.kekId), `data-key:${accountId}`, wrapped.wrapped) }
    },
    /** The same data key under the active KEK. */
    rewrap(accountId: string, wrapped: WrappedKey): WrappedKey {
      const { key } = this.unwrap(accountId, wrapped)
      return { kekId: keyring.activeId, wrapped: seal(kek(keyring.activeId), `data-key:${accountId}`, key) }
    },

    /** Encrypts a text. @param column `table.column`; in another column or account the ciphertext does not decrypt */
    encrypt(dataKey: DataKey, column: string, text: string): Buffer {
      return seal(dataKey.key, `${dataKey.accountId}:${column}`, Buffer.from(text, 'utf8'))
    },
    decrypt(dataKey: DataKey, column: string, sealed: Uint8Array): string {
      return open(dataKey.key, `${dataKey.accountId}:${column}`, Buffer.from(sealed)).toString('utf8')
    },

    /** The blind index of a value, which finds it in an encrypted column. The caller normalises the value. */
    blindIndex(column: string, value: string): Buffer {
      return keyed(`index:${column}`, value)
    },
    /** The account reference, 20 characters, for places that must not hold the id: search attributes, ledger, logs. */
    accountRef(accountId: string): string {
      return keyed('account-ref', accountId).subarray(0, 15).toString('base64url')
    },
    /** A keyed hash for other purposes, for example request bodies. */
    fingerprint(purpose: string, value: string): Buffer {
      return keyed(purpose, value)
    },
  }
}

function seal(key: Buffer, context: string, plain: Buffer): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.from([formatVersion]), iv, cipher.getAuthTag(), body])
}

function open(key: Buffer, context: string, sealed: Buffer): Buffer {
  if (sealed[0] !== formatVersion) throw new Error(`sealed value of unknown format ${sealed[0]}`)
  const iv = sealed.subarray(1, 1 + ivBytes)
  const tag = sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(tag)
  return Buffer.concat([decipher.update(sealed.subarray(1 + ivBytes + tagBytes)), decipher.final()])
}
