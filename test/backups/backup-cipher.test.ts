import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkBytes, decryptBackup, encryptBackup, UnreadableBackup } from '../../db/backup/backup-cipher.ts'

const keyring = {
  activeId: 'new',
  keys: new Map([
    ['new', randomBytes(32)],
    ['old', randomBytes(32)],
  ]),
}
const headerBytes = 4 + 2 + 3 + 1 + 32
const sealedChunk = chunkBytes + 16

/** Splits bytes into pieces, as a network does. */
const pieces = (bytes: Buffer, size: number) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
    { objectMode: false },
  )
const encrypt = (plain: Buffer, size = 10_000) => buffer(pieces(plain, size).pipe(encryptBackup(keyring, 'dump')))
const decrypt = (sealed: Buffer, size = 10_000, keys = keyring) =>
  new Promise<Buffer>((resolve, reject) => {
    const stream = decryptBackup(keys, 'dump')
    stream.once('error', reject)
    buffer(pieces(sealed, size).pipe(stream)).then(resolve, reject)
  })
const codeOf = async (work: Promise<unknown>) =>
  work.then(
    () => 'readable',
    (error: unknown) => (error instanceof UnreadableBackup ? error.code : String(error)),
  )

describe('an encrypted backup', () => {
  test.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 300_001])(
    'is decrypted to the same %i bytes',
    async (length) => {
      const plain = randomBytes(length)
      const sealed = await encrypt(plain)
      expect(sealed.length).toBe(headerBytes + length + 16 * Math.max(1, Math.ceil(length / chunkBytes)))
      expect((await decrypt(sealed)).equals(plain)).toBe(true)
    },
  )

  test('is decrypted from pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 1, max: 150_000 }),
        fc.integer({ min: 1, max: 150_000 }),
        async (length, pieceIn, pieceOut) => {
          const plain = randomBytes(length)
          const sizes = length > 20_000 ? [pieceIn + 500, pieceOut + 500] : [pieceIn, pieceOut]
          expect((await decrypt(await encrypt(plain, sizes[0]), sizes[1])).equals(plain)).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('differs each time for the same content', async () => {
    const plain = Buffer.alloc(1000)
    expect((await encrypt(plain)).equals(await encrypt(plain))).toBe(false)
  })

  test('can be decrypted with an earlier key', async () => {
    const before = { activeId: 'old', keys: keyring.keys }
    const plain = randomBytes(70_000)
    const sealed = await buffer(pieces(plain, 999).pipe(encryptBackup(before, 'dump')))
    expect((await decrypt(sealed)).equals(plain)).toBe(true)
    const without = { activeId: 'new', keys: new Map([['new', randomBytes(32)]]) }
    expect(await codeOf(decrypt(sealed, 10_000, without))).toBe('unknown_key')
  })
})

describe('decryption of a backup refuses', () => {
  test('a file with any changed bit', async () => {
    const sealed = await encrypt(randomBytes(3 * chunkBytes))
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: sealed.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          const altered = Buffer.from(sealed)
          altered.writeUInt8(altered.readUInt8(at) ^ (1 << bit), at)
          expect(await codeOf(decrypt(altered, 70_000))).not.toBe('readable')
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a file with a missing end', async () => {
    const sealed = await encrypt(randomBytes(3 * chunkBytes))
    const ends = [0, 3, headerBytes - 1, headerBytes, headerBytes + 15, headerBytes + sealedChunk, sealed.length - 1]
    for (const end of ends) expect(await codeOf(decrypt(sealed.subarray(0, end)))).toBe('truncated')
  })

  test('a file with added bytes, or with chunks in another order', async () => {
    const sealed = await encrypt(randomBytes(3 * chunkBytes))
    expect(await codeOf(decrypt(Buffer.concat([sealed, Buffer.alloc(1)])))).not.toBe('readable')
    const [first, second] = [0, 1].map((n) => {
      const at = headerBytes + n * sealedChunk
      return sealed.subarray(at, at + sealedChunk)
    })
    const swapped = Buffer.concat([
      sealed.subarray(0, headerBytes),
      second ?? Buffer.alloc(0),
      first ?? Buffer.alloc(0),
      sealed.subarray(headerBytes + 2 * sealedChunk),
    ])
    expect(await codeOf(decrypt(swapped))).toBe('damaged')
  })

  test('a file of another kind, and a file that is no backup', async () => {
    const keys = await buffer(pieces(Buffer.from('keys'), 4).pipe(encryptBackup(keyring, 'keys')))
    expect(await codeOf(decrypt(keys))).toBe('truncated')
    expect(await codeOf(decrypt(Buffer.from('PGDMP and so on')))).toBe('not_a_backup')
  })

  test('a file whose header is not ours, by what is wrong with it', async () => {
    const sealed = await encrypt(randomBytes(100))
    const withByte = (at: number) => {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      return codeOf(decrypt(altered))
    }
    for (const at of [0, 1, 2, 3]) expect(await withByte(at), `byte ${at} of the mark`).toBe('not_a_backup')
    expect(await withByte(4), 'its version').toBe('not_a_backup')
    expect(await withByte(6), 'the name of its key').toBe('unknown_key')
    expect(await withByte(headerBytes - 33), 'the length of its salt').toBe('not_a_backup')
    expect(await withByte(headerBytes - 1), 'its salt').toBe('truncated')
  })

  test('a file, and says so in words', async () => {
    const error: unknown = await decrypt(Buffer.from('PGDMP')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      name: 'UnreadableBackup',
      code: 'not_a_backup',
      message: 'the backup file is not a backup',
    })
  })
})
