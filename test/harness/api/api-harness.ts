/**
 * The API with a real database and simulators of Apple and Google, without Temporal: for tests of what ends before a
 * run begins. It starts several times as fast as a stack, and takes its own limits, settings and time limits.
 * CONTRIBUTING.md says when to use which.
 */
import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, randomUUID } from 'node:crypto'
import type { DestinationStream } from 'pino'
import type { AnsweringTimes } from '../../../api/http/answering.ts'
import type { Limits } from '../../../api/http/limits.ts'
import { createApi, type ReceivingTimeouts } from '../../../api/server.ts'
import { type Config, ConfigurationError, readConfig } from '../../../config.ts'
import { type ApiContext, createContext } from '../../../context.ts'
import { type ApiKeyKind, createApiKey } from '../../../db/api-keys.ts'
import type { TimeLimits } from '../../../db/connection/database.ts'
import { migrate } from '../../../db/connection/migrate.ts'
import { startPostgres } from '../../../dev/postgres/postgres.ts'
import { createLog } from '../../../shared/log.ts'
import { startApple } from '../../../sim/apple.ts'
import { controlOf } from '../../../sim/control.ts'
import { startGoogle } from '../../../sim/google.ts'
import { connectTemporal } from '../../../temporal/client.ts'
import { undescribedProblems } from '../harness.ts'
import { seededUuid } from '../seed.ts'

/** The fields that tests read. */
export interface AnsweredBody {
  [field: string]: unknown
  id: string
  code: string
  errors: { field: string; reason: string }[]
  items: { code: string }[]
  nextCursor: string | null
}

export interface Answer {
  status: number
  headers: Headers
  /** an empty object if the answer is not JSON */
  body: AnsweredBody
  text: string
}

export type ApiHarness = Awaited<ReturnType<typeof startApiHarness>>

const aKey = () => randomBytes(32).toString('base64')

const inPem = ({ privateKey }: KeyPairKeyObjectResult) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const privateKeys = {
  ec: inPem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  rsa: inPem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
}

/** A value of each setting without a default: nobody answers at their addresses. */
export function placeholders() {
  return {
    NODE_ENV: 'test',
    API_HOST: '127.0.0.1',
    API_PORT: '0',
    HOSTING_REGION: 'de-fsn1',
    PUBLIC_URL: 'https://api.example.com',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing',
    TRUSTED_PROXIES: '1',
    FIELD_KEYS: `k1:${aKey()}`,
    INDEX_KEY: aKey(),
    BACKUP_KEYS: `b1:${aKey()}`,
    SIGNING_KEYS: `s1:${aKey()}`,
    STRIPE_SECRET_KEY: 'sk_test_harness',
    STRIPE_PUBLISHABLE_KEY: 'pk_test_harness',
    STRIPE_WEBHOOK_SECRET: 'whsec_harness',
    ESIM_ACCESS_CODE: 'test',
    ESIM_ACCESS_SECRET: 'test',
    // A UUID with a prefix: it contains letters, whose case a test changes.
    ESIM_ACCESS_WEBHOOK_TOKEN: `test-${randomUUID()}`,
    AIRALO_CLIENT_ID: 'test',
    AIRALO_CLIENT_SECRET: 'test',
    APPLE_TEAM_ID: 'test',
    APPLE_KEY_ID: 'test',
    APPLE_PRIVATE_KEY: privateKeys.ec,
    APPLE_CLIENT_IDS: 'test',
    GOOGLE_CLIENT_IDS: 'test',
    FIREBASE_PROJECT_ID: 'test',
    FIREBASE_CLIENT_EMAIL: 'test@example.com',
    FIREBASE_PRIVATE_KEY: privateKeys.rsa,
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'AMA eSIM <hello@example.com>',
    MAIL_BOUNCE_DOMAIN: 'bounces.example.com',
    SUPPORT_MAIL: 'support@example.com',
  }
}

interface ApiHarnessOptions {
  limits?: Partial<Limits>
  receiving?: Partial<ReceivingTimeouts>
  answering?: Partial<AnsweringTimes>
  env?: Record<string, string>
  database?: { maxConnections: number; limits: TimeLimits }
}

/** Starts API, database and simulators; default: with limits that no test reaches. */
export async function startApiHarness(options: ApiHarnessOptions = {}) {
  const [postgres, apple, google] = await Promise.all([startPostgres(), startApple(), startGoogle()])
  await migrate(postgres.url)

  const env = {
    ...placeholders(),
    DATABASE_URL: postgres.url,
    APPLE_URL: apple.url,
    APPLE_TEAM_ID: apple.teamId,
    APPLE_KEY_ID: apple.keyId,
    APPLE_PRIVATE_KEY: apple.privateKeyPem,
    APPLE_CLIENT_IDS: apple.clientIds.join(','),
    GOOGLE_CLIENT_IDS: google.clientIds.join(','),
    GOOGLE_CERTS_URL: google.certsUrl,
    GOOGLE_RISC_CERTS_URL: google.certsUrl,
    GOOGLE_REVOKE_URL: google.revokeUrl,
    FIREBASE_PROJECT_ID: google.projectId,
    FIREBASE_CERTS_URL: google.firebaseCertsUrl,
    ...options.env,
  }
  const config = configOf(env)
  const logged: string[] = []
  const destination: DestinationStream = { write: (line) => void logged.push(line) }
  const log = createLog({ level: 'info' }, destination)
  const context = createContext(config, { name: 'test', log, ...options.database })
  const temporal = connectTemporal(config, { TEMPORAL_ADDRESS: '127.0.0.1:9' })
  const api: ApiContext = { ...context, temporal }
  const plenty = 1_000_000
  const limits = {
    service: plenty,
    operator: plenty,
    person: plenty,
    newcomer: plenty,
    public: plenty,
    webhook: plenty,
    failedAuthentications: plenty,
    ...options.limits,
  }
  const { document, routes, listen } = createApi(api, {
    limits,
    ...(options.receiving && { receiving: options.receiving }),
    ...(options.answering && { answering: options.answering }),
  })
  const running = await listen(0)

  return {
    api,
    env,
    document,
    routes,
    logged,
    postgres,
    running,
    apple: controlOf(apple),
    google: controlOf(google),
    url: running.url,
    /** The token of a new key. */
    key: async (kind: ApiKeyKind): Promise<string> =>
      (await createApiKey(context.sql, { kind, label: 'test', at: new Date() })).token,
    /** A Firebase ID token, by default of a person who has just signed in. */
    firebaseToken: async (input: Record<string, unknown> = {}): Promise<{ uid: string; token: string }> => {
      const { uid, idToken } = await controlOf(google).do('firebase-sign-in', input)
      return { uid, token: idToken }
    },
    call: (method: string, path: string, request: Call = {}) => call(running.url, method, path, request),
    async stop(): Promise<void> {
      await running.stop({ drainMs: 1_000 })
      await temporal.connection.close()
      await context.close()
      await Promise.all([postgres.stop(), apple.stop(), google.stop()])
      const [fault] = undescribedProblems(logged)
      if (fault) throw fault
    },
  }
}

interface Call {
  token?: string | undefined
  /** sent as JSON; a string is sent unchanged */
  body?: unknown
  headers?: Record<string, string>
}

/** @throws ConfigurationError, and where this harness has its settings */
function configOf(env: Record<string, string>): Config {
  try {
    return readConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    error.message += '\nA new setting without a default has a value in test/harness/api/api-harness.ts.'
    throw error
  }
}

async function call(url: string, method: string, path: string, { token, body, headers }: Call): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} }
}

/** Unique sign-up data. */
export function newPerson() {
  const id = seededUuid()
  return {
    email: `${id}@Example.com`,
    firstName: `Fi ${id.slice(0, 8)}`,
    lastName: `La ${id.slice(9, 13)}`,
    phone: `+4915${String(BigInt(`0x${id.slice(24)}`))
      .slice(0, 9)
      .padEnd(9, '0')}`,
  }
}
