/**
 * S1: sensitive data is encrypted at rest. An encrypted value opens under its own key, account and column only, and a
 * signature names its key.
 */
import { createHash, createHmac, randomBytes, verify } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { findDataKey, tableEncryption } from '../../db/crypto/column-encryption.ts'
import { createDataKeys, DataKeyMissing, systemKeyId } from '../../db/crypto/data-keys.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import { hashOf, newSecret } from '../../db/crypto/one-time.ts'
import { allowedSigner, createSigner, signatureNamespace, signerName } from '../../db/crypto/signer.ts'
import { accountOfUnsubscribeToken, unsubscribeToken } from '../../db/crypto/unsubscribe-token.ts'

/** A pool that never connects. */
const idle = connectDatabase('postgres://127.0.0.1:9/none')
afterAll(() => idle.end())

const indexKey = randomBytes(32)
const [keyA, keyB] = [randomBytes(32), randomBytes(32)]
const cipherWith = (activeId: string, keys: Record<string, Buffer>) =>
  createFieldCipher({ activeId, keys: new Map(Object.entries(keys)) }, indexKey)
const cipher = cipherWith('a', { a: keyA })
const account = 'b0e7a1f0-0000-4000-8000-000000000001'

describe('a data key', () => {
  const { accountId, key, kekId, wrapped } = cipher.newDataKey(account)

  test('has 256 random bits and names the key that wraps it', () => {
    expect([accountId, key.length, kekId, cipher.activeKekId]).toEqual([account, 32, 'a', 'a'])
    expect(cipher.newDataKey(account).key).not.toEqual(key)
  })

  test('unwraps for its account only', () => {
    expect(cipher.unwrap(account, { kekId, wrapped })).toEqual({ accountId: account, key })
    expect(() => cipher.unwrap('another', { kekId, wrapped })).toThrow()
  })

  test('does not unwrap without its key-encryption key, and says which is missing', () => {
    expect(() => cipherWith('b', { b: keyB }).unwrap(account, { kekId, wrapped })).toThrow(
      'no key-encryption key a in the keyring',
    )
    expect(() => cipherWith('b', { b: keyB, a: keyB }).unwrap(account, { kekId, wrapped })).toThrow()
  })

  test('stays the same when it is wrapped under another key', () => {
    const both = cipherWith('b', { a: keyA, b: keyB })
    const again = both.rewrap(account, { kekId, wrapped })
    expect(again.kekId).toBe('b')
    expect(cipherWith('b', { b: keyB }).unwrap(account, again).key).toEqual(key)
    expect(() => both.unwrap('another', again)).toThrow()
  })
})

describe('an encrypted column', () => {
  const key = cipher.newDataKey(account)
  const sealed = cipher.encrypt(key, 'accounts.email', 'Änne@example.com')

  test('opens in its column, for its account, under its key', () => {
    expect(cipher.decrypt(key, 'accounts.email', sealed)).toBe('Änne@example.com')
    expect(() => cipher.decrypt(key, 'accounts.phone', sealed)).toThrow()
    expect(() => cipher.decrypt({ ...key, accountId: 'another' }, 'accounts.email', sealed)).toThrow()
    expect(() => cipher.decrypt({ ...key, key: keyB }, 'accounts.email', sealed)).toThrow()
  })

  test('has a version, 12 bytes of its own and a tag of 16, and no two are the same', () => {
    expect(sealed[0]).toBe(1)
    expect(sealed.length).toBe(1 + 12 + 16 + Buffer.byteLength('Änne@example.com'))
    expect(cipher.encrypt(key, 'accounts.email', 'Änne@example.com').subarray(1, 13)).not.toEqual(
      sealed.subarray(1, 13),
    )
  })

  test('does not open when one bit of any byte is changed, and says so for an unknown version', () => {
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(() => cipher.decrypt(key, 'accounts.email', changed), `byte ${index}`).toThrow()
    }
    const newer = Buffer.concat([Buffer.from([2]), sealed.subarray(1)])
    expect(() => cipher.decrypt(key, 'accounts.email', newer)).toThrow('sealed value of unknown format 2')
  })

  test('of a table has the table’s name, and null stays null', () => {
    const fields = tableEncryption(cipher, key, 'accounts')
    expect(cipher.decrypt(key, 'accounts.phone', fields.seal('phone', '+49'))).toBe('+49')
    expect(fields.open('email', sealed)).toBe('Änne@example.com')
    expect([fields.sealOptional('phone', null), fields.sealOptional('phone', undefined)]).toEqual([null, null])
    expect(fields.openOptional('phone', null)).toBeNull()
    const optional = fields.sealOptional('phone', '')
    expect(optional && cipher.decrypt(key, 'accounts.phone', optional)).toBe('')
    expect(optional && fields.openOptional('phone', optional)).toBe('')
  })
})

test('blind indexes, references and fingerprints are keyed, and differ by their purpose', () => {
  const keyed = (text: string) => createHmac('sha256', indexKey).update(text).digest()
  expect(cipher.blindIndex('accounts.email', 'x')).toEqual(keyed('index:accounts.email\0x'))
  expect(cipher.fingerprint('request', 'x')).toEqual(keyed('request\0x'))
  expect(cipher.accountRef('x')).toBe(keyed('account-ref\0x').subarray(0, 15).toString('base64url'))
  expect(cipher.accountRef('x')).toHaveLength(20)
})

describe('the data key of an account', () => {
  const key = cipher.newDataKey(account)
  const finding = (get: () => Promise<typeof key>) => (accountId: string) =>
    findDataKey(idle, { cipher, dataKeys: { ...createDataKeys(cipher), get } }, accountId)

  test('is found, and undefined when it is missing; the system’s belongs to no account', async () => {
    expect(await finding(async () => key)(account)).toBe(key)
    expect(await finding(async () => key)(systemKeyId)).toBeUndefined()
    const missing = finding(() => Promise.reject(new DataKeyMissing(account)))
    expect(await missing(account)).toBeUndefined()
  })

  test('is an error when it cannot be read, and not missing', async () => {
    const unreadable = finding(() => Promise.reject(new Error('no connection')))
    await expect(unreadable(account)).rejects.toThrow('no connection')
  })
})

test('a secret of a mailed link has 256 bits, and only its hash is kept', () => {
  const secret = newSecret()
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(newSecret()).not.toBe(secret)
  expect(hashOf(secret)).toEqual(createHash('sha256').update(secret).digest())
})

describe('an unsubscribe link', () => {
  const token = unsubscribeToken(cipher, account)

  test('leads to its account, and each link is another one', () => {
    expect(accountOfUnsubscribeToken(cipher, token)).toBe(account)
    expect(unsubscribeToken(cipher, account)).not.toBe(token)
  })

  test('of another installation, of something else than an account, or without a form leads nowhere', () => {
    const other = createFieldCipher({ activeId: 'a', keys: new Map([['a', keyA]]) }, randomBytes(32))
    expect(accountOfUnsubscribeToken(other, token)).toBeUndefined()
    for (const id of [`${account}0`, `x${account}`, account.replaceAll('-', ''), 'no id', '']) {
      expect(accountOfUnsubscribeToken(cipher, unsubscribeToken(cipher, id)), id).toBeUndefined()
    }
    expect(accountOfUnsubscribeToken(cipher, 'nonsense')).toBeUndefined()
    expect(accountOfUnsubscribeToken(cipher, '')).toBeUndefined()
  })

  test('is sealed for this purpose', () => {
    const key = { accountId: 'unsubscribe', key: cipher.fingerprint('unsubscribe-key', '') }
    expect(cipher.decrypt(key, 'unsubscribe.token', Buffer.from(token, 'base64url'))).toBe(account)
  })
})

describe('a signature', () => {
  const seed = Buffer.alloc(32, 7)
  const signer = createSigner({
    activeId: 's2',
    keys: new Map([
      ['s1', Buffer.alloc(32, 3)],
      ['s2', seed],
    ]),
  })
  const text = 'The account was erased.\n'

  test('is that of Ed25519 in the form of OpenSSH', () => {
    const lines = signer.sign(text).split('\n')
    expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual([
      '-----BEGIN SSH SIGNATURE-----',
      '-----END SSH SIGNATURE-----',
      '',
    ])
    expect(lines.slice(1, -3).every((line) => line.length === 70)).toBe(true)
    const blob = Buffer.from(lines.slice(1, -2).join(''), 'base64')
    const fields: Buffer[] = []
    for (let at = 10; at < blob.length; ) {
      const length = blob.readUInt32BE(at)
      fields.push(blob.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    expect(blob.subarray(0, 10)).toEqual(Buffer.from('SSHSIG\0\0\0\x01'))
    const [publicKey, namespace, reserved, hash, signature] = fields
    expect([namespace, reserved, hash].map(String)).toEqual(['receipt@ama-esim', '', 'sha512'])
    const raw = signer.publicKeys.find(({ id }) => id === 's2')?.publicKey ?? Buffer.alloc(0)
    const wire = (...parts: Buffer[]) =>
      Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]))
    expect(publicKey).toEqual(wire(Buffer.from('ssh-ed25519'), raw))
    expect(signature?.subarray(0, 19)).toEqual(
      Buffer.concat([wire(Buffer.from('ssh-ed25519')), Buffer.from([0, 0, 0, 64])]),
    )
    const signed = Buffer.concat([
      Buffer.from('SSHSIG'),
      wire(
        Buffer.from('receipt@ama-esim'),
        Buffer.alloc(0),
        Buffer.from('sha512'),
        createHash('sha512').update(text).digest(),
      ),
    ])
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
    expect(verify(null, signed, { key: jwk, format: 'jwk' }, signature?.subarray(-64) ?? Buffer.alloc(0))).toBe(true)
  })

  test('names its key, of which everybody gets the public part', () => {
    expect([signer.keyId, signerName, signatureNamespace]).toEqual(['s2', 'ama-esim', 'receipt@ama-esim'])
    expect(signer.publicKeys.map(({ id, publicKey }) => [id, publicKey.length])).toEqual([
      ['s1', 32],
      ['s2', 32],
    ])
    const [, second] = signer.publicKeys
    expect(second && allowedSigner(second)).toMatch(
      /^ama-esim namespaces="receipt@ama-esim" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[\w+/]+=* s2$/,
    )
  })

  test('needs a key', () => {
    expect(() => createSigner({ activeId: 's1', keys: new Map() })).toThrow('the keyring of the signer is empty')
  })
})
