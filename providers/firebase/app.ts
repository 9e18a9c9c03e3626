/** A connection to Google's APIs as one service account: for the Firebase SDK, and for calls the SDK hides too much of. */
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import { type App, deleteApp, initializeApp } from 'firebase-admin/app'
import { gaxios, JWT } from 'google-auth-library'
import { assertOutsideTransaction } from '../../shared/transaction-scope.ts'
import { ProviderFailure } from '../failure.ts'
import { connectionFault } from '../http-request.ts'

export interface FirebaseSettings {
  projectId: string
  /** `privateKey`: PKCS #8 in PEM */
  serviceAccount: { clientEmail: string; privateKey: string }
  /** development: a server that stands in for every Google host, and the certificate (PEM) that it shows */
  connectTo?: { host: string; port: number; ca: string }
}

export interface RawReply {
  status: number
  body: unknown
  retryAfterMs: number | undefined
}

const scopes = ['https://www.googleapis.com/auth/firebase.messaging', 'https://www.googleapis.com/auth/identitytoolkit']
const requestTimeoutMs = 15_000

/** Several may be open in one process. `provider` names the party in failures. */
export function openFirebase(provider: string, { projectId, serviceAccount, connectTo }: FirebaseSettings) {
  // the SDK's hosts are constants; an agent's own host and port win over a request's
  const agent = new Agent({ keepAlive: true, maxSockets: 50, ...connectTo })
  const client = new JWT({
    email: serviceAccount.clientEmail,
    key: serviceAccount.privateKey,
    scopes,
    transporterOptions: { agent, timeout: requestTimeoutMs },
  })

  async function accessToken(): Promise<{ access_token: string; expires_in: number }> {
    const { token } = await client.getAccessToken().catch((error: unknown) => {
      throw tokenFailure(provider, error)
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
     * Makes sure of an access token (an hour's, cached), so that a failure to get one can be told from a failure to
     * send. Throws ProviderFailure: `misconfigured` where Google refuses our key, else `unavailable`.
     */
    async authorise(): Promise<void> {
      assertOutsideTransaction(provider)
      await accessToken()
    },

    /** POSTs JSON and answers whatever comes. Throws ProviderFailure `unavailable` where nothing came. */
    async post(url: string, data: object): Promise<RawReply> {
      assertOutsideTransaction(provider)
      const reply = await client
        .request<unknown>({ url, method: 'POST', data, agent, validateStatus: () => true, retry: false })
        .catch((error: unknown) => {
          throw error instanceof ProviderFailure ? error : new ProviderFailure(provider, 'unavailable', 'no_reply')
        })
      const seconds = Number(reply.headers.get('retry-after'))
      return { status: reply.status, body: reply.data, retryAfterMs: seconds > 0 ? seconds * 1000 : undefined }
    },

    async close(): Promise<void> {
      await deleteApp(app)
      agent.destroy()
    },
  }
}

export type Firebase = ReturnType<typeof openFirebase>

function tokenFailure(provider: string, error: unknown): ProviderFailure {
  if (!(error instanceof gaxios.GaxiosError))
    return new ProviderFailure(provider, 'misconfigured', 'unreadable_private_key')
  const status = error.response?.status
  if (status === undefined) return new ProviderFailure(provider, 'unavailable', 'token_endpoint_unreachable')
  if (status === 429 || status >= 500)
    return new ProviderFailure(provider, 'unavailable', `token_endpoint_http_${status}`)
  return new ProviderFailure(provider, 'misconfigured', 'service_account_refused')
}

/** The failure that an error of the SDK stands for where the transport is at fault; undefined for the API's own answers. */
export function transportFailure(provider: string, error: unknown): ProviderFailure | undefined {
  const code = errorCode(error)
  if (code === 'app/network-timeout') return new ProviderFailure(provider, 'unknown_outcome', 'timeout')
  if (code !== 'app/network-error') return undefined
  // the SDK passes the cause on as text only
  const { code: cause, sent } = connectionFault({ code: /Error code: (\w+)/.exec((error as Error).message)?.[1] })
  return new ProviderFailure(provider, sent ? 'unknown_outcome' : 'unavailable', cause)
}

/** The SDK's `messaging/...`, `auth/...` or `app/...`. */
export function errorCode(error: unknown): string {
  const code = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
