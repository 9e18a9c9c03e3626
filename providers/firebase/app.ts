/**
 * A connection to Google's APIs as a service account: for the Firebase SDK, and for calls whose replies the SDK hides.
 */
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import { type App, deleteApp, initializeApp } from 'firebase-admin/app'
import { gaxios, JWT } from 'google-auth-library'
import { z } from 'zod'
import { propertyOf, textPropertyOf } from '../../shared/keys-of.ts'
import { assertOutsideTransaction } from '../../shared/transaction-scope.ts'
import { type CallWatch, reportFailure } from '../call-watch.ts'
import { serviceAccountCodes } from '../codes/google.ts'
import { codeFrom, documented, foreign, isForeign, lookUp, undocumented } from '../codes/meaning.ts'
import { foreignCode, ProviderFailure } from '../failure.ts'
import { connectionFault, guardRequests, replyTooLarge } from '../http-request.ts'
import { waitAskedFor } from '../sent-time.ts'

export interface FirebaseSettings {
  projectId: string
  /** `privateKey`: PKCS #8 in PEM */
  serviceAccount: { clientEmail: string; privateKey: string }
  /** for development: a server that replaces every Google host, and its certificate (PEM) */
  connectTo?: { host: string; port: number; ca: string }
  /** for each request, in milliseconds; default 15 s */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export interface RawReply {
  status: number
  body: unknown
  retryAfterMs: number | undefined
}

/** Google's error object (google.rpc.Status), and the older form of FCM's. */
const refusal = z.object({ error: z.union([z.looseObject({}), z.string()]) })
const scopes = ['https://www.googleapis.com/auth/firebase.messaging', 'https://www.googleapis.com/auth/identitytoolkit']
const defaultTimeoutMs = 15_000
/** Ends an idle connection long before Google does: a push on a connection that has just been closed would be lost. */
const idleMs = 60_000

/** Opens a connection; a process may have several. @param provider the name of the outside party in failures */
export function openFirebase(provider: string, settings: FirebaseSettings) {
  const { projectId, serviceAccount, connectTo, timeoutMs = defaultTimeoutMs, watch } = settings
  // The SDK's hosts are constants, but an agent's host and port override those of a request.
  const agent = guardRequests(new Agent({ keepAlive: true, maxSockets: 50, timeout: idleMs, ...connectTo }))
  const client = new JWT({
    email: serviceAccount.clientEmail,
    key: serviceAccount.privateKey,
    scopes,
    // Temporal retries: the library's own repetitions would outlast an attempt of ours.
    transporterOptions: { agent, timeout: timeoutMs, retryConfig: { retry: 0, noResponseRetries: 0 } },
  })

  async function accessToken(): Promise<{ access_token: string; expires_in: number }> {
    // A token is kept for an hour: having one is no answer of Google's.
    const { token } = await client.getAccessToken().catch((error: unknown) => {
      const failure = tokenFailure(provider, error)
      reportFailure(watch, provider, failure)
      throw failure
    })
    const expiresIn = ((client.credentials.expiry_date ?? 0) - Date.now()) / 1000
    return { access_token: token ?? '', expires_in: Math.max(0, Math.floor(expiresIn)) }
  }

  const app: App = initializeApp(
    { projectId, credential: { getAccessToken: accessToken }, httpAgent: agent },
    `ama-esim-${provider}-${randomUUID()}`,
  )

  return {
    app,
    projectId,

    /**
     * Gets an access token, cached for an hour, so that a failure to get one is not mistaken for a failure to send.
     * @throws ProviderFailure `misconfigured` when Google refuses our key, `unavailable` for what passes or is in no
     * table
     */
    async authorise(): Promise<void> {
      assertOutsideTransaction(provider)
      await accessToken()
    },

    /** Posts JSON; it resolves with any reply of Google's. @throws ProviderFailure without one */
    async post(url: string, data: object): Promise<RawReply> {
      assertOutsideTransaction(provider)
      const reply = await client
        .request<unknown>({ url, method: 'POST', data, agent, validateStatus: () => true, retry: false })
        .catch((error: unknown) => {
          if (error instanceof ProviderFailure) throw error
          const { code } = connectionFault(error)
          const failure = new ProviderFailure(provider, 'unavailable', code === replyTooLarge ? code : 'no_reply')
          reportFailure(watch, provider, failure)
          throw failure
        })
      const { status, data: body } = reply
      const { retryAfterMs } = waitAskedFor(reply.headers.get('retry-after'))
      if (isForeign(status, refusal.safeParse(body).success)) {
        const failure = foreign(provider, status, true, retryAfterMs === undefined ? {} : { retryAfterMs })
        reportFailure(watch, provider, failure)
        throw failure
      }
      if (status === 429 || status >= 500) watch?.failed(provider, `http_${status}`)
      else watch?.answered(provider)
      return { status, body, retryAfterMs }
    },

    async close(): Promise<void> {
      await deleteApp(app)
      agent.destroy()
    },
  }
}

function tokenFailure(provider: string, error: unknown): ProviderFailure {
  if (!(error instanceof gaxios.GaxiosError))
    // A key that cannot be read has a code of Node's. Without one the library has found no token in the reply.
    return propertyOf(error, 'code') === undefined
      ? new ProviderFailure(provider, 'unavailable', 'token_endpoint_unreadable')
      : new ProviderFailure(provider, 'misconfigured', 'unreadable_private_key')
  const status = error.response?.status
  if (status === undefined) return new ProviderFailure(provider, 'unavailable', 'token_endpoint_unreachable')
  if (status === 429 || status >= 500)
    return new ProviderFailure(provider, 'unavailable', `token_endpoint_http_${status}`)
  const given = propertyOf(error.response?.data, 'error')
  // Without a token nothing was changed.
  if (isForeign(status, given !== undefined))
    return new ProviderFailure(provider, 'unavailable', `token_${foreignCode}${status}`, { needsOperator: true })
  const meaning = typeof given === 'string' ? lookUp(serviceAccountCodes, given) : undefined
  return meaning
    ? documented(provider, meaning, false)
    : undocumented(provider, `token_${codeFrom(given, `endpoint_http_${status}`)}`, false)
}

/** The failure for an SDK error of the transport; undefined for an error that the API answered. */
export function transportFailure(provider: string, error: unknown): ProviderFailure | undefined {
  const code = errorCode(error)
  if (code === 'app/network-timeout') return new ProviderFailure(provider, 'unknown_outcome', 'timeout')
  if (code !== 'app/network-error') return undefined
  // The SDK gives the cause only in its message.
  const { code: cause, sent } = connectionFault({
    code: /Error code: (\w+)/.exec(String(propertyOf(error, 'message')))?.[1],
  })
  return new ProviderFailure(provider, sent ? 'unknown_outcome' : 'unavailable', cause)
}

/** The SDK's error code: `messaging/...`, `auth/...` or `app/...`. */
export const errorCode = (error: unknown): string => textPropertyOf(error, 'code') ?? ''
