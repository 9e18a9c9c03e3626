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
 * The first key of each issuer, which the process's later signers use too: making an RSA key takes a tenth of a second
 * of processor time or more. It is made for the first token or the first reading of the keys: nobody signs in while a
 * stack starts.
 */
const firstKeys = new Map<string, ReturnType<typeof generateKeyPair>>()

function firstKeyOf(name: string): ReturnType<typeof generateKeyPair> {
  const made = firstKeys.get(name) ?? generateKeyPair('RS256')
  firstKeys.set(name, made)
  return made
}

/** Creates a signer. @param name the beginning of every key id */
export function createSigner(name: string): Signer {
  const published: ReturnType<typeof newKey>[] = []

  async function newKey(kid: string, made: ReturnType<typeof generateKeyPair>) {
    const { privateKey, publicKey } = await made
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } }
  }

  function publish(made: ReturnType<typeof generateKeyPair>) {
    const key = newKey(`${name}-${published.length + 1}`, made)
    published.push(key)
    return key
  }

  const current = () => published.at(-1) ?? publish(firstKeyOf(name))

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
      await publish(generateKeyPair('RS256'))
    },
    sign: (claims, times = {}) => signWith(claims, times),
    async forge(claims, times = {}) {
      return await signWith(claims, times, (await generateKeyPair('RS256')).privateKey)
    },
  }
}
