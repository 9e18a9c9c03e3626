/**
 * Encrypts the files of the backup folder while they are written: streams of any length in constant memory.
 *
 * A file is a header and chunks. The header is `AMAB`, the format version, and the id of the master key and a salt,
 * each after its length. The file's own key is HKDF-SHA-256 over the master key, the salt, and the header together with
 * the file's purpose. A chunk is up to 64 KiB of AES-256-GCM; its nonce is its number and, for the last one, a mark.
 * Hence a file cannot be altered, reordered, cut off, extended, or passed off as another kind of file. This is the
 * STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (CRYPTO 2015), as the age format uses it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Transform } from 'node:stream'
import type { Keyring } from '../crypto/field-cipher.ts'

export const backupPurposes = ['dump', 'keys', 'ledger'] as const
export type BackupPurpose = (typeof backupPurposes)[number]

/** A file was damaged, or its key is not in the keyring; see `code`. */
export class UnreadableBackup extends Error {
  override readonly name = 'UnreadableBackup'
  readonly code: 'not_a_backup' | 'unknown_key' | 'damaged' | 'truncated' | 'of_an_unknown_form'

  constructor(code: UnreadableBackup['code']) {
    super(`the backup file is ${code.replaceAll('_', ' ')}`)
    this.code = code
  }
}

const magic = Buffer.from('AMAB')
const formatVersion = 1
const saltBytes = 32
const tagBytes = 16
export const chunkBytes = 64 * 1024

/** A transform from plain bytes to a file's bytes, under the active key of the keyring. */
export function encryptBackup(keyring: Keyring, purpose: BackupPurpose): Transform {
  const keyId = Buffer.from(keyring.activeId)
  const salt = randomBytes(saltBytes)
  const header = Buffer.concat([
    magic,
    Buffer.from([formatVersion, keyId.length]),
    keyId,
    Buffer.from([saltBytes]),
    salt,
  ])
  const key = fileKey(masterKey(keyring, keyring.activeId), salt, header, purpose)
  let pending: Buffer = Buffer.alloc(0)
  let index = 0

  const seal = (plain: Buffer, isLast: boolean): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(index, isLast))
    index += 1
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }
  return new Transform({
    construct(done) {
      this.push(header)
      done()
    },
    transform(data: Buffer, _encoding, done) {
      pending = pending.length === 0 ? data : Buffer.concat([pending, data])
      // Only the byte after a full chunk shows that the chunk is not the last.
      let from = 0
      for (; pending.length - from > chunkBytes; from += chunkBytes) {
        this.push(seal(pending.subarray(from, from + chunkBytes), false))
      }
      pending = Buffer.from(pending.subarray(from))
      done()
    },
    flush(done) {
      this.push(seal(pending, true))
      done()
    },
  })
}

/** A transform from a file's bytes to plain bytes, each chunk after its verification. Fails with UnreadableBackup. */
export function decryptBackup(keyring: Keyring, purpose: BackupPurpose): Transform {
  let pending: Buffer = Buffer.alloc(0)
  let key: Buffer | undefined
  let index = 0

  const open = (sealed: Buffer, isLast: boolean): Buffer => {
    if (!key || sealed.length < tagBytes) throw new UnreadableBackup('truncated')
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(index, isLast), { authTagLength: tagBytes })
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
    index += 1
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()])
    } catch {
      throw new UnreadableBackup(isLast ? 'truncated' : 'damaged')
    }
  }
  const guarded = (done: (error?: Error) => void, work: () => void): void => {
    try {
      work()
      done()
    } catch (error) {
      done(error instanceof Error ? error : new UnreadableBackup('damaged'))
    }
  }
  return new Transform({
    transform(data: Buffer, _encoding, done) {
      guarded(done, () => {
        pending = pending.length === 0 ? data : Buffer.concat([pending, data])
        if (!key) {
          const header = readHeader(pending)
          if (!header) return
          key = fileKey(masterKey(keyring, header.keyId), header.salt, header.bytes, purpose)
          pending = Buffer.from(pending.subarray(header.bytes.length))
        }
        const whole = chunkBytes + tagBytes
        let from = 0
        for (; pending.length - from > whole; from += whole)
          this.push(open(pending.subarray(from, from + whole), false))
        pending = Buffer.from(pending.subarray(from))
      })
    },
    flush(done) {
      guarded(done, () => {
        this.push(open(pending, true))
      })
    },
  })
}

/** More than any header has. */
export const headerAtMostBytes = 512

/**
 * The id of the key that opens a file. @param beginning of the file
 * @throws UnreadableBackup
 */
export function keyIdOf(beginning: Buffer): string {
  const header = readHeader(beginning)
  if (!header) throw new UnreadableBackup('truncated')
  return header.keyId
}

/** Undefined while the header is not complete. */
function readHeader(bytes: Buffer): { bytes: Buffer; keyId: string; salt: Buffer } | undefined {
  const known = Math.min(bytes.length, magic.length)
  if (!bytes.subarray(0, known).equals(magic.subarray(0, known))) throw new UnreadableBackup('not_a_backup')
  const version = bytes[magic.length]
  const idLength = bytes[magic.length + 1]
  if (version !== undefined && version !== formatVersion) throw new UnreadableBackup('not_a_backup')
  if (idLength === undefined) return undefined
  const saltAt = magic.length + 2 + idLength + 1
  const end = saltAt + saltBytes
  if (bytes.length < end) return undefined
  if (bytes[saltAt - 1] !== saltBytes) throw new UnreadableBackup('not_a_backup')
  return {
    bytes: Buffer.from(bytes.subarray(0, end)),
    keyId: bytes.subarray(magic.length + 2, saltAt - 1).toString('utf8'),
    salt: Buffer.from(bytes.subarray(saltAt, end)),
  }
}

function masterKey(keyring: Keyring, id: string): Buffer {
  const key = keyring.keys.get(id)
  if (!key) throw new UnreadableBackup('unknown_key')
  return key
}

function fileKey(master: Buffer, salt: Buffer, header: Buffer, purpose: BackupPurpose): Buffer {
  const info = Buffer.concat([Buffer.from(`ama-esim backup ${purpose}\0`), header])
  return Buffer.from(hkdfSync('sha256', master, salt, info, 32))
}

function nonce(index: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64BE(BigInt(index), 3)
  bytes.writeUInt8(isLast ? 1 : 0, 11)
  return bytes
}
