/** An issuer's signing keys, published as a JWK set and rotated on request. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export interface TokenTimes {
  /** negative for an expired token; `undefined` omits `exp` */
  expiresInSeconds?: number | undefined
}

export interface Signer {
  jwks(): { keys: JWK[] }
  /** Makes a new key for the next tokens. The old keys stay published, and their tokens valid. */
  rotate(): Promise<void>
  sign(claims: Record<string, unknown>, times?: TokenTimes): Promise<string>
  /** Signs with a key that is not published. */
  forge(claims: Record<string, unknown>, times?: TokenTimes): Promise<string>
}

/**
 * The first key of each issuer, which the process's later signers use too: making an RSA key takes a tenth of a second
 * of processor time or more.
 */
const firstKeys = new Map<string, ReturnType<typeof generateKeyPair>>()

function firstKeyOf(name: string): ReturnType<typeof generateKeyPair> {
  const made = firstKeys.get(name) ?? generateKeyPair('RS256')
  firstKeys.set(name, made)
  return made
}

/** Creates a signer with its first key. @param name the beginning of every key id */
export async function createSigner(name: string): Promise<Signer> {
  const published: { kid: string; privateKey: CryptoKey; jwk: JWK }[] = []
  let current = await newKey(firstKeyOf(name))
  published.push(current)

  async function newKey(made = generateKeyPair('RS256')) {
    const { privateKey, publicKey } = await made
    const kid = `${name}-${published.length + 1}`
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } }
  }

  const signWith = (key: CryptoKey, claims: Record<string, unknown>, { expiresInSeconds }: TokenTimes) => {
    const now = Math.floor(Date.now() / 1000)
    const token = new SignJWT({ iat: now, ...claims }).setProtectedHeader({ alg: 'RS256', kid: current.kid })
    if (expiresInSeconds !== undefined) token.setExpirationTime(now + expiresInSeconds)
    return token.sign(key)
  }

  return {
    jwks: () => ({ keys: published.map(({ jwk }) => jwk) }),
    async rotate() {
      current = await newKey()
      published.push(current)
    },
    sign: (claims, times = {}) => signWith(current.privateKey, claims, times),
    async forge(claims, times = {}) {
      return signWith((await generateKeyPair('RS256')).privateKey, claims, times)
    },
  }
}
