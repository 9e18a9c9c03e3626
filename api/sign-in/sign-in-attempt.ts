/**
 * Sign-ins at the OpenID provider that have begun. Their secrets are in a cookie, and what the provider is sent is made
 * from them: only the browser that has begun one can end it, once, and nothing is stored.
 */
import type { Context } from '../../context.ts'
import { newSecret } from '../../db/crypto/one-time.ts'
import { periods } from '../../policy/periods.ts'
import type { SignInAttempt } from '../../providers/operator-sign-in.ts'
import { cookieIn, cookieOf } from './cookies.ts'

/** An operator may begin in several tabs. */
const mostAtOnce = 3
/** A secret, and when it was made: what is sent is made from both, so a browser cannot make it younger. */
const entryFormat = /^[\w-]{43}([0-9a-z]{1,9})$/

const name = 'ama-operator-sign-in'

type Environment = Pick<Context, 'cipher' | 'config'>

/**
 * @param header the `Cookie` header of the browser
 * @returns the attempt, and the `Set-Cookie` value that the browser needs to end it
 */
export function beginAttempt(
  environment: Environment,
  header: string | undefined,
  at: Date,
): { attempt: SignInAttempt; cookie: string } {
  const entry = newSecret() + at.getTime().toString(36)
  const others = entriesIn(environment, header, at).slice(1 - mostAtOnce)
  return { attempt: attemptOf(environment, entry), cookie: withEntries(environment, [...others, entry]) }
}

/**
 * Finds the attempt to which an answer of the provider belongs, while it is fresh.
 * @returns the attempt, and the `Set-Cookie` value after which the browser has it no more
 */
export function findAttempt(
  environment: Environment,
  header: string | undefined,
  state: string | undefined,
  at: Date,
): { attempt: SignInAttempt; spent: string } | undefined {
  const entries = entriesIn(environment, header, at)
  for (const entry of entries) {
    const attempt = attemptOf(environment, entry)
    if (attempt.state !== state) continue
    return {
      attempt,
      spent: withEntries(
        environment,
        entries.filter((other) => other !== entry),
      ),
    }
  }
  return undefined
}

function entriesIn({ config }: Environment, header: string | undefined, at: Date): string[] {
  const entries = (cookieIn(header, name, config.PUBLIC_URL) ?? '').split('.').slice(0, mostAtOnce)
  return entries.filter((entry) => {
    const [, begun] = entryFormat.exec(entry) ?? []
    return begun !== undefined && at.getTime() - Number.parseInt(begun, 36) <= periods.operatorSignInMs
  })
}

const withEntries = ({ config }: Environment, entries: readonly string[]): string =>
  cookieOf({
    name,
    value: entries.join('.'),
    maxAgeSeconds: entries.length > 0 ? periods.operatorSignInMs / 1000 : 0,
    // The provider's page leads back: a browser would not send a strict cookie along.
    sameSite: 'lax',
    publicUrl: config.PUBLIC_URL,
  })

function attemptOf({ cipher }: Environment, entry: string): SignInAttempt {
  const part = (purpose: string): string => cipher.fingerprint(`openid-${purpose}`, entry).toString('base64url')
  return { state: part('state'), nonce: part('nonce'), verifier: part('verifier') }
}
