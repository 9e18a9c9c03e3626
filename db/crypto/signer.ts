/**
 * Signs statements with Ed25519, in the format of OpenSSH: `ssh-keygen -Y verify` is on Windows, macOS and Linux
 * without an installation. https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { Keyring } from './field-cipher.ts'

export interface PublicKey {
  id: string
  /** 32 bytes */
  publicKey: Buffer
}

/** Whom a verifier asks for: `ssh-keygen -Y verify -I`. */
export const signerName = 'ama-esim'
/**
 * The namespace of our signatures: `ssh-keygen -Y verify -n`. Its length makes that of a signature divisible by 3: no
 * bit of the base64 text is without a meaning.
 */
export const signatureNamespace = 'receipt@ama-esim'

/** @param keyring Ed25519 seeds of 32 bytes; the active one signs */
export function createSigner({ activeId, keys }: Keyring) {
  const privateKeys = new Map([...keys].map(([id, seed]) => [id, privateKeyOf(seed)]))
  const publicKeys: PublicKey[] = [...privateKeys].map(([id, key]) => ({ id, publicKey: publicKeyOf(key) }))
  const active = publicKeys.find(({ id }) => id === activeId)
  const activePrivate = privateKeys.get(activeId)
  if (!active || !activePrivate) throw new Error('the keyring of the signer is empty')

  return {
    keyId: activeId,
    publicKeys,
    /** @returns the text of a `.sig` file */
    sign(text: string): string {
      const digest = createHash('sha512').update(text, 'utf8').digest()
      const preamble = [Buffer.from('SSHSIG')]
      const meant = [field(signatureNamespace), field(''), field('sha512')]
      const signature = sign(null, Buffer.concat([...preamble, ...meant, field(digest)]), activePrivate)
      const version = Buffer.from([0, 0, 0, 1])
      const signed = Buffer.concat([field('ssh-ed25519'), field(signature)])
      return armored(Buffer.concat([...preamble, version, field(sshKeyOf(active.publicKey)), ...meant, field(signed)]))
    },
  }
}

/** A line of an `allowed_signers` file (ssh-keygen(1)). */
export const allowedSigner = ({ id, publicKey }: PublicKey): string =>
  `${signerName} namespaces="${signatureNamespace}" ssh-ed25519 ${sshKeyOf(publicKey).toString('base64')} ${id}`

/** The header of a PKCS #8 private key whose seed follows (RFC 8410). */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex')

const privateKeyOf = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: 'der', type: 'pkcs8' })

const publicKeyOf = (key: KeyObject): Buffer =>
  Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')

const sshKeyOf = (publicKey: Buffer): Buffer => Buffer.concat([field('ssh-ed25519'), field(publicKey)])

/** A string of SSH's wire format: its length, then its bytes (RFC 4251, section 5). */
function field(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function armored(blob: Buffer): string {
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n')
}
