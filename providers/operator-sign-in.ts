/**
 * Signs operators in at the company's own OpenID provider: the authorization code flow with PKCE (OpenID Connect Core
 * 1.0).
 */
import type {
  ClientAuth,
  Configuration,
  CustomFetchOptions,
  TokenEndpointResponse,
  TokenEndpointResponseHelpers,
} from 'openid-client'
import { propertyOf } from '../shared/keys-of.ts'
import { asOneLine, isVisible } from '../shared/text/one-line.ts'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { ProviderFailure } from './failure.ts'
import { connectionFault, sendRequest } from './http-request.ts'
import { createTokenVerifier, type TokenVerifier } from './id-token.ts'

export interface OperatorSignInSettings {
  issuerUrl: string
  clientId: string
  clientSecret: string
  scope: string
  /** where the provider sends the operator back to */
  redirectUrl: string
  /** for each request, in milliseconds; default 5 s */
  timeoutMs?: number | undefined
}

/** Values that bind an answer of the provider to the browser that has asked for it. */
export interface SignInAttempt {
  state: string
  nonce: string
  /** of PKCE (RFC 7636) */
  verifier: string
}

/** A person, as the provider describes them. */
export interface OpenIdPerson {
  issuer: string
  subject: string
  /** what to call them */
  name: string
  email: string | undefined
  /** all claims, of the ID token and of the userinfo endpoint */
  claims: Readonly<Record<string, unknown>>
  /** by which the provider can be asked about the person again, where it gives one */
  refreshToken: string | undefined
  /** the provider's name of the person's session there, where it names one */
  session: string | undefined
}

/** The sessions that a logout token ends: those of its subject, or the one that it names. */
export interface OpenIdLogout {
  issuer: string
  subject: string | undefined
  session: string | undefined
  /** the same for each delivery of one token */
  tokenId: string
  at: Date
}

/** Code of the failure when the provider does not confirm the person any more (RFC 6749, section 5.2). */
export const noLongerGranted = 'invalid_grant'

export type OperatorSignIn = ReturnType<typeof createOperatorSignIn>

const provider = 'openid'
/** Loaded when it is needed: most processes sign no operator in. */
const loadLibrary = () => import('openid-client')
const defaultTimeoutMs = 5_000
/** How long the provider's metadata is used before it is read again. */
const freshForMs = 60 * 60_000

/** All functions throw ProviderFailure: `rejected` for what the provider or the answer says, else `unavailable`. */
export function createOperatorSignIn(settings: OperatorSignInSettings) {
  let known: { configuration: Promise<Configuration>; at: number } | undefined
  let verifying: { by: string; verify: TokenVerifier } | undefined

  function configured(): Promise<Configuration> {
    assertOutsideTransaction('The OpenID provider')
    if (!known || Date.now() - known.at >= freshForMs) {
      const reading = { configuration: discover(settings), at: Date.now() }
      known = reading
      reading.configuration.catch(() => {
        if (known === reading) known = undefined
      })
    }
    return known.configuration
  }

  return {
    /** The address at the provider to which the browser goes. */
    async addressFor({ state, nonce, verifier }: SignInAttempt): Promise<string> {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await loadLibrary()
      const url = buildAuthorizationUrl(await configured(), {
        redirect_uri: settings.redirectUrl,
        scope: settings.scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return url.href
    },

    /** Redeems the answer with which the browser came back. @param answer the parameters of its query */
    async personOf(
      answer: Readonly<Record<string, string | undefined>>,
      attempt: SignInAttempt,
    ): Promise<OpenIdPerson> {
      const { authorizationCodeGrant } = await loadLibrary()
      const configuration = await configured()
      const url = new URL(settings.redirectUrl)
      for (const [name, value] of Object.entries(answer)) if (value !== undefined) url.searchParams.set(name, value)
      try {
        const tokens = await authorizationCodeGrant(configuration, url, {
          expectedState: attempt.state,
          expectedNonce: attempt.nonce,
          pkceCodeVerifier: attempt.verifier,
          idTokenExpected: true,
        })
        return await personIn(configuration, tokens)
      } catch (error) {
        throw failureOf(error)
      }
    },

    /**
     * Asks whether a person is still there, and what they may do now.
     * @throws ProviderFailure with the code `noLongerGranted` when the provider says that they are not
     */
    async personNow(refreshToken: string): Promise<OpenIdPerson> {
      const { refreshTokenGrant } = await loadLibrary()
      const configuration = await configured()
      try {
        return await personIn(configuration, await refreshTokenGrant(configuration, refreshToken))
      } catch (error) {
        throw failureOf(error)
      }
    },

    /** Reads a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6). */
    async logoutIn(token: string): Promise<OpenIdLogout> {
      const metadata = (await configured()).serverMetadata()
      const { jwks_uri: jwksUrl, issuer } = metadata
      if (!jwksUrl) throw new ProviderFailure(provider, 'misconfigured', 'no_keys')
      // Step 3: as the signature of an ID token, for which the library takes what the provider announces.
      const announced = metadata.id_token_signing_alg_values_supported ?? ['RS256']
      const algorithms = announced.filter((algorithm) => withKeyPair.test(algorithm))
      const by = [jwksUrl, ...algorithms].join(' ')
      if (verifying?.by !== by) {
        const verify = createTokenVerifier({
          provider,
          jwksUrl,
          issuers: [issuer],
          audiences: [settings.clientId],
          algorithms,
          timeoutMs: settings.timeoutMs,
        })
        verifying = { by, verify }
      }
      const { sub: subject, sid: session, ...rest } = await verifying.verify(token, ['exp', 'iat', 'jti', 'events'])
      const { events, jti: tokenId = '', iat = 0 } = rest
      const isLogout = isRecord(events) && Object.hasOwn(events, logoutEvent) && isRecord(events[logoutEvent])
      const isSession = typeof session === 'string' && session !== ''
      // With a nonce it would be an ID token.
      if (!isLogout || 'nonce' in rest || (session !== undefined && !isSession) || (!isSession && !subject))
        throw new ProviderFailure(provider, 'rejected', 'invalid_token')
      return { issuer, subject, session: isSession ? session : undefined, tokenId, at: new Date(iat * 1000) }
    },
  }
}

/** Not `none`, and not the client's secret: whoever keeps that could sign (RFC 7518, section 3.1, and RFC 8037). */
const withKeyPair = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads the person from the tokens and the userinfo endpoint. An answer to a refresh token may have no ID token. */
async function personIn(
  configuration: Configuration,
  tokens: TokenEndpointResponse & TokenEndpointResponseHelpers,
): Promise<OpenIdPerson> {
  const library = await loadLibrary()
  const token = tokens.claims()
  const { issuer, userinfo_endpoint: endpoint } = configuration.serverMetadata()
  const more = endpoint
    ? await library.fetchUserInfo(configuration, tokens.access_token, token?.sub ?? library.skipSubjectCheck)
    : undefined
  const subject = token?.sub ?? more?.sub
  if (!subject) throw new ProviderFailure(provider, 'rejected', 'no_subject')
  const claims: Record<string, unknown> = { ...more, ...token }
  return {
    issuer: token?.iss ?? issuer,
    subject,
    name: nameIn(claims),
    email: shownText(claims.email, longestEmail),
    claims,
    refreshToken: tokens.refresh_token,
    session: typeof claims.sid === 'string' && claims.sid !== '' ? claims.sid : undefined,
  }
}

const [longestName, longestEmail] = [100, 320]

const nameIn = (claims: Readonly<Record<string, unknown>>): string =>
  [claims.name, claims.email, claims.sub]
    .map((claim) => shownText(claim, longestName))
    .find((text) => text !== undefined) ?? 'unnamed'

/**
 * Persons may choose their names at the provider: what cannot be stored, or reorders the text beside it, is left out.
 * @param longest in characters
 */
function shownText(claim: unknown, longest: number): string | undefined {
  if (typeof claim !== 'string') return undefined
  const shown = asOneLine(claim).trim()
  if (!isVisible(shown)) return undefined
  return [...shown].slice(0, longest).join('') || undefined
}

async function discover(settings: OperatorSignInSettings): Promise<Configuration> {
  const { issuerUrl, clientId, clientSecret, timeoutMs = defaultTimeoutMs } = settings
  const library = await loadLibrary()
  const { allowInsecureRequests, customFetch, discovery, enableNonRepudiationChecks } = library
  const issuer = new URL(issuerUrl)
  // In production the settings refuse an address without TLS.
  const insecure = issuer.protocol === 'http:' ? [allowInsecureRequests] : []
  try {
    return await discovery(issuer, clientId, clientSecret, clientAuthentication(library, clientSecret), {
      execute: [enableNonRepudiationChecks, ...insecure],
      timeout: timeoutMs / 1000,
      [customFetch]: (url: string, options: CustomFetchOptions) => fetchLimited(url, options, timeoutMs),
    })
  } catch (error) {
    throw failureOf(error, 'misconfigured')
  }
}

/** A provider that does not say what it takes, takes basic authentication (OpenID Connect Discovery 1.0, section 3). */
const clientAuthentication =
  ({ ClientSecretBasic, ClientSecretPost }: Awaited<ReturnType<typeof loadLibrary>>, secret: string): ClientAuth =>
  (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const authenticate = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost
    authenticate(secret)(server, ...rest)
  }

/** Replies are limited in size and time, as those of every other party. */
async function fetchLimited(
  url: string,
  { method, body, headers }: CustomFetchOptions,
  timeoutMs: number,
): Promise<Response> {
  const reply = await sendRequest({
    method: method === 'POST' ? 'POST' : 'GET',
    url,
    headers,
    timeoutMs,
    ...((typeof body === 'string' || body instanceof URLSearchParams) && { body }),
  }).catch((error: unknown) => {
    throw new ProviderFailure(provider, 'unavailable', connectionFault(error).code)
  })
  if (reply.status === 429 || reply.status >= 500)
    throw new ProviderFailure(provider, 'unavailable', `http_${reply.status}`)
  const kept = ['content-type', 'www-authenticate'].flatMap((name) => {
    const value = reply.header(name)
    return value === undefined ? [] : [[name, value] satisfies [string, string]]
  })
  return new Response(reply.text, { status: reply.status, headers: kept })
}

/** @param otherwise what an answer means that is not as it should be */
function failureOf(error: unknown, otherwise: 'rejected' | 'misconfigured' = 'rejected'): ProviderFailure {
  for (const each of [error, propertyOf(error, 'cause')]) if (each instanceof ProviderFailure) return each
  const found = [propertyOf(error, 'error'), propertyOf(error, 'code')].find(
    (text) => typeof text === 'string' && /^\w{1,64}$/.test(text),
  )
  return new ProviderFailure(provider, otherwise, typeof found === 'string' ? found.toLowerCase() : 'unreadable_answer')
}
