/** An issuer's signing keys, published as a JWK set and rotated on request. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export interface TokenTimes {
  /** negative for an expired token; `undefined` omits `exp` */
  expiresInSeconds?: number | undefined
}

export interface Signer {
  jwks(): Promise<{ keys: JWK[] }>
  /** Makes a new key for the next tokens. The old keys stay published, and their tokens valid. */
  rotate(): Promise<void>
  sign(claims: Record<string, unknown>, times?: TokenTimes): Promise<string>
  /** Signs with a key that is not published. */
  forge(claims: Record<string, unknown>, times?: TokenTimes): Promise<string>
}

/**
 * The keys of each issuer in their order, which the process's later signers use too, and the key of its forger: making
 * an RSA key takes a tenth of a second of processor time or more. The first is made for the first token or the first
 * reading of the keys: nobody signs in while a stack starts.
 */
const made = new Map<string, ReturnType<typeof generateKeyPair>>()

function keyPairOf(id: string): ReturnType<typeof generateKeyPair> {
  const pair = made.get(id) ?? generateKeyPair('RS256')
  made.set(id, pair)
  return pair
}

/** Creates a signer. @param name the beginning of every key id */
export function createSigner(name: string): Signer {
  const published: ReturnType<typeof newKey>[] = []

  async function newKey(kid: string) {
    const { privateKey, publicKey } = await keyPairOf(kid)
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } }
  }

  function publish() {
    const key = newKey(`${name}-${published.length + 1}`)
    published.push(key)
    return key
  }

  const current = () => published.at(-1) ?? publish()

  const signWith = async (
    claims: Record<string, unknown>,
    { expiresInSeconds }: TokenTimes,
    other?: CryptoKey,
  ): Promise<string> => {
    const { kid, privateKey } = await current()
    const now = Math.floor(Date.now() / 1000)
    const token = new SignJWT({ iat: now, ...claims }).setProtectedHeader({ alg: 'RS256', kid })
    if (expiresInSeconds !== undefined) token.setExpirationTime(now + expiresInSeconds)
    return await token.sign(other ?? privateKey)
  }

  return {
    async jwks() {
      await current()
      return { keys: (await Promise.all(published)).map(({ jwk }) => jwk) }
    },
    async rotate() {
      await current()
      await publish()
    },
    sign: (claims, times = {}) => signWith(claims, times),
    async forge(claims, times = {}) {
      return await signWith(claims, times, (await keyPairOf(`${name}-forged`)).privateKey)
    },
  }
}
