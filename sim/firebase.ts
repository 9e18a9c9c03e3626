/**
 * A simulator of fcm.googleapis.com, identitytoolkit.googleapis.com and oauth2.googleapis.com behind one TLS port; the
 * path selects the service. The client library's hosts are constants: a client needs an https.Agent that connects to
 * this server and trusts `ca`.
 *
 * Actions: `token` ({ token?, behaviour, times?, retryAfter? }; default: every token, an unlimited number of times),
 * `user` ({ uid, email?, providers? }; default: no address, and no provider), `revoke-access` (refuses the bearer tokens issued so far).
 */
import { randomUUID } from 'node:crypto'
import type { Request, Response, Router } from 'express'
import { fieldsIn } from './fields.ts'
import { createAccessTokens, newServiceAccount, type ServiceAccount } from './firebase/access-tokens.ts'
import { type Behaviour, isBehaviour, refusal, refuse, refuseField } from './firebase/fcm-replies.ts'
import { startTlsFront } from './firebase/tls-front.ts'
import { type RunningSimulator, rawBody, startSimulator } from './simulator.ts'

export interface FirebaseOptions {
  /** port of the control API, plain HTTP; Google's APIs answer there as well */
  port?: number
  /** TLS port of Google's APIs */
  tlsPort?: number
  projectId?: string
  /** by default a key is made and returned */
  serviceAccount?: ServiceAccount
}

export interface FirebaseState {
  delivered: DeliveredPush[]
  /** messages that were only validated */
  dryRuns: number
  users: string[]
  /** of users who have one, by uid */
  addresses: Record<string, { email: string; verified: boolean }>
  deletedUsers: string[]
  accessTokensIssued: number
}

export interface DeliveredPush {
  at: string
  messageId: string
  token: string
  message: {
    notification?: { title: string; body: string }
    data?: Record<string, string>
    apns?: { headers: Record<string, string> }
    android?: { collapseKey: string }
  }
}

export interface RunningFirebase extends RunningSimulator<FirebaseState> {
  projectId: string
  serviceAccount: ServiceAccount
  tlsPort: number
  /** the certificate that clients must trust, PEM */
  ca: string
}

interface TokenRule {
  behaviour: Behaviour
  left: number
  retryAfter: number | undefined
}

interface User {
  email: string | undefined
  emailVerified: boolean
  providers: string[]
}

const everyToken = '*'
const payloadLimitBytes = 4096
/** Real ones have about 160 characters; those of tests have fewer. */
const shortestToken = 7
const messageFields = ['token', 'notification', 'data', 'android', 'apns', 'webpush', 'fcm_options']

/** Starts the server with a new certificate. */
export async function startFirebase(options: FirebaseOptions = {}): Promise<RunningFirebase> {
  const projectId = options.projectId ?? 'ama-esim-sandbox'
  const serviceAccount = options.serviceAccount ?? newServiceAccount(projectId)
  const accessTokens = createAccessTokens(serviceAccount)

  const rules = new Map<string, TokenRule>()
  const users = new Map<string, User>()
  let delivered: DeliveredPush[] = []
  let deletedUsers: string[] = []
  let dryRuns = 0

  const simulator = await startSimulator(
    {
      name: 'firebase',
      refusal,
      routes,
      state: () => ({
        delivered,
        dryRuns,
        users: [...users.keys()],
        addresses: Object.fromEntries(
          [...users].flatMap(([uid, { email, emailVerified }]) =>
            email === undefined ? [] : [[uid, { email, verified: emailVerified }]],
          ),
        ),
        deletedUsers,
        accessTokensIssued: accessTokens.issued(),
      }),
      reset() {
        rules.clear()
        users.clear()
        delivered = []
        deletedUsers = []
        dryRuns = 0
        accessTokens.reset()
      },
      actions: {
        token({ token = everyToken, behaviour, times, retryAfter }) {
          if (!isBehaviour(behaviour)) throw new Error('unknown behaviour')
          rules.set(String(token), {
            behaviour,
            left: times === undefined ? Number.POSITIVE_INFINITY : Number(times),
            retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
          })
        },
        user: ({ uid, email, providers }) =>
          void users.set(String(uid), {
            email: email === undefined ? undefined : String(email).toLowerCase(),
            emailVerified: false,
            providers: Array.isArray(providers) ? providers.map(String) : [],
          }),
        'revoke-access': () => accessTokens.revokeAll(),
      },
    },
    options.port,
  )
  const hosts = ['fcm.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com']
  const front = await startTlsFront(simulator.port, hosts, options.tlsPort)
  return {
    ...simulator,
    projectId,
    serviceAccount,
    tlsPort: front.port,
    ca: front.ca,
    stop: async () => {
      await Promise.all([front.stop(), simulator.stop()])
    },
  }

  function routes(router: Router): void {
    accessTokens.routes(router)
    router.use((request, response, next) => {
      const judged = accessTokens.judge(request)
      if (judged === 'right') next()
      else refuse(response, judged)
    })
    router.post('/v1/projects/:project/messages\\:send', sendMessage)
    router.post('/v1/projects/:project/accounts\\:delete', deleteAccount)
    router.post('/v1/projects/:project/accounts\\:lookup', lookUpAccounts)
    router.post('/v1/projects/:project/accounts\\:update', updateAccount)
  }

  function sendMessage(request: Request, response: Response) {
    if (request.params.project !== projectId) return refuse(response, 'bare-404')
    const { message, validate_only: dryRun } = JSON.parse(rawBody(request))
    const wrong = wrongField(message)
    if (wrong) return refuseField(response, wrong)
    if (Buffer.byteLength(JSON.stringify([message.notification, message.data])) > payloadLimitBytes) {
      return refuse(response, 'too-big')
    }
    if (dryRun) dryRuns += 1
    if (message.token.length < shortestToken) return refuse(response, 'invalid')

    const rule = [message.token, everyToken]
      .map((key) => rules.get(key))
      .find((found) => found && obeys(found, message))
    if (rule) rule.left -= 1
    if (rule && rule.behaviour !== 'ok') return refuse(response, rule.behaviour, rule.retryAfter)

    const messageId = `projects/${projectId}/messages/${dryRun ? 'fake_message_id' : randomUUID()}`
    if (!dryRun) delivered.push({ at: new Date().toISOString(), messageId, token: message.token, message })
    response.json({ name: messageId })
  }

  function deleteAccount(request: Request, response: Response) {
    const { localId } = JSON.parse(rawBody(request))
    if (request.params.project !== projectId) return refuse(response, 'bare-403')
    if (!users.delete(localId)) return refuseUser(response, 'USER_NOT_FOUND')
    deletedUsers.push(localId)
    response.json({ kind: 'identitytoolkit#DeleteAccountResponse' })
  }

  /** Users who are not there are left out of the answer. */
  function lookUpAccounts(request: Request, response: Response) {
    const { localId } = JSON.parse(rawBody(request))
    if (request.params.project !== projectId) return refuse(response, 'bare-403')
    const found = [localId].flat().flatMap((id: string) => {
      const user = users.get(id)
      if (!user) return []
      const { email, emailVerified, providers } = user
      return [{ localId: id, email, emailVerified, providerUserInfo: providers.map((providerId) => ({ providerId })) }]
    })
    response.json({ kind: 'identitytoolkit#GetAccountInfoResponse', ...(found.length > 0 && { users: found }) })
  }

  function updateAccount(request: Request, response: Response) {
    const { localId, email, emailVerified } = JSON.parse(rawBody(request))
    if (request.params.project !== projectId) return refuse(response, 'bare-403')
    const user = users.get(localId)
    if (!user) return refuseUser(response, 'USER_NOT_FOUND')
    const wanted = String(email).toLowerCase()
    const hasIt = [...users].some(([uid, other]) => uid !== localId && other.email === wanted)
    if (hasIt) return refuseUser(response, 'EMAIL_EXISTS')
    Object.assign(user, { email: wanted, emailVerified: emailVerified === true })
    response.json({ kind: 'identitytoolkit#SetAccountInfoResponse', localId, email: wanted })
  }
}

function refuseUser(response: Response, message: string): void {
  const errors = [{ message, domain: 'global', reason: 'invalid' }]
  response.status(400).json({ error: { code: 400, message, errors } })
}

/** Whether a rule applies to a message: faults of the content apply only to messages with content. */
function obeys({ behaviour, left }: TokenRule, message: object): boolean {
  const aboutContent = behaviour === 'invalid-field' || behaviour === 'too-big'
  return left > 0 && (!aboutContent || Object.keys(message).length > 1)
}

/** The first field that is not in the v1 schema or has a wrong type. */
function wrongField(message: unknown): string | undefined {
  const sent = fieldsIn(message)
  if (!sent) return 'message'
  const unknown = Object.keys(sent).find((field) => !messageFields.includes(field))
  if (unknown) return `message.${unknown}`
  if (typeof sent.token !== 'string' || sent.token === '') return 'message.token'
  const index = Object.values(sent.data ?? {}).findIndex((value) => typeof value !== 'string')
  return index < 0 ? undefined : `message.data[${index}].value`
}
