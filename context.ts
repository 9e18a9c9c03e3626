/** Builds the context of a process: database, ciphers, outside parties. A test can replace any field. */
import type { Client } from '@temporalio/client'
import type { Config } from './config.ts'
import { connectDatabase, type TimeLimits } from './db/connection/database.ts'
import { createDataKeys } from './db/crypto/data-keys.ts'
import { createFieldCipher } from './db/crypto/field-cipher.ts'
import { createSigner } from './db/crypto/signer.ts'
import { createCallReports } from './db/operation/call-reports.ts'
import type { EsimProviderId } from './policy/outside-parties.ts'
import { createAiralo } from './providers/airalo/airalo.ts'
import { withAlarm } from './providers/alarm.ts'
import { createApple } from './providers/apple.ts'
import type { CallWatch } from './providers/call-watch.ts'
import type { EsimProvider } from './providers/esim.ts'
import { createEsimAccess } from './providers/esim-access/esim-access.ts'
import { createEventReceivers } from './providers/event-receiver.ts'
import type { FirebaseSettings } from './providers/firebase/app.ts'
import { createFirebaseIdTokens } from './providers/firebase/id-token.ts'
import { createPush } from './providers/firebase/push.ts'
import { createFirebaseUsers } from './providers/firebase/users.ts'
import { createGoogle } from './providers/google.ts'
import { createMail } from './providers/mail/mail.ts'
import { createMeasurement } from './providers/measurement.ts'
import { createOperatorSignIn } from './providers/operator-sign-in.ts'
import { createStripe } from './providers/stripe/stripe.ts'
import { createLog, type Log } from './shared/log.ts'
import { createMetrics } from './shared/metrics.ts'

/** For all calls to eSIM providers; an order that takes longer has an unknown outcome. */
const esimTimeoutMs = 15_000

export type Context = ReturnType<typeof buildContext> & { close(): Promise<void> }

/** The context of the API, with a Temporal client. */
export type ApiContext = Context & { temporal: Client }

/** The context of the worker, whose activities start and signal other runs. */
export type WorkerContext = ApiContext

export interface ContextOptions {
  /** fields to use instead of those that would be built */
  overrides?: Partial<ReturnType<typeof buildContext>>
  /** the process's name in PostgreSQL (`application_name`) */
  name?: string
  /** instead of the setting's */
  maxConnections?: number
  /** time limits of the database; those of the API by default */
  limits?: TimeLimits
  /** for each request to an outside party, milliseconds, instead of each adapter's own limit: a test waits for no real one */
  replyTimeoutMs?: number | undefined
  log?: Log
}

/** Builds the context of a process. Connections are opened at their first use. */
export function createContext(config: Config, options: ContextOptions = {}): Context {
  const context = { ...buildContext(config, options), ...options.overrides }
  return {
    ...context,
    async close() {
      const { push, firebaseUsers, mail, eventReceivers, calls, sql } = context
      await Promise.all([push.close(), firebaseUsers.close(), mail.close(), eventReceivers.close()])
      await calls.idle()
      await sql.end({ timeout: 5 })
    },
  }
}

function buildContext(config: Config, options: ContextOptions) {
  const { name, maxConnections, limits, replyTimeoutMs: timeoutMs } = options
  const cipher = createFieldCipher(config.FIELD_KEYS, Buffer.from(config.INDEX_KEY, 'base64'))
  const log = options.log ?? createLog({ level: config.LOG_LEVEL })
  const metrics = createMetrics()
  const sql = connectDatabase(config.DATABASE_URL, {
    ...(name !== undefined && { name }),
    maxConnections: maxConnections ?? config.DATABASE_CONNECTIONS,
    ...(limits && { limits }),
  })
  const calls = createCallReports({ sql, log, metrics })
  const watch: CallWatch = calls
  const watched = <Adapter extends object>(adapter: Adapter): Adapter => withAlarm(adapter, calls.needsOperator)
  const firebase = { ...firebaseSettings(config), timeoutMs, watch }
  const esimProviders: Readonly<Record<EsimProviderId, EsimProvider>> = {
    'esim-access': watched(
      createEsimAccess({
        baseUrl: config.ESIM_ACCESS_URL,
        accessCode: config.ESIM_ACCESS_CODE,
        secretKey: config.ESIM_ACCESS_SECRET,
        timeoutMs: timeoutMs ?? esimTimeoutMs,
        watch,
      }),
    ),
    airalo: watched(
      createAiralo({
        baseUrl: config.AIRALO_URL,
        clientId: config.AIRALO_CLIENT_ID,
        clientSecret: config.AIRALO_CLIENT_SECRET,
        timeoutMs: timeoutMs ?? esimTimeoutMs,
        watch,
      }),
    ),
  }
  return {
    config,
    log,
    metrics,
    sql,
    /** what this process learns about outside parties by calling them */
    calls,
    cipher,
    dataKeys: createDataKeys(cipher),
    signer: createSigner(config.SIGNING_KEYS),
    stripe: watched(
      createStripe({
        secretKey: config.STRIPE_SECRET_KEY,
        webhookSecret: config.STRIPE_WEBHOOK_SECRET,
        publishableKey: config.STRIPE_PUBLISHABLE_KEY,
        apiBase: config.STRIPE_API_URL,
        redactionApiVersion: config.STRIPE_REDACTION_API_VERSION,
        timeoutMs,
        watch,
      }),
    ),
    esimProviders,
    apple: watched(
      createApple({
        baseUrl: config.APPLE_URL,
        teamId: config.APPLE_TEAM_ID,
        keyId: config.APPLE_KEY_ID,
        privateKeyPem: config.APPLE_PRIVATE_KEY,
        clientIds: config.APPLE_CLIENT_IDS,
        timeoutMs,
        watch,
      }),
    ),
    google: watched(
      createGoogle({
        clientIds: config.GOOGLE_CLIENT_IDS,
        certsUrl: config.GOOGLE_CERTS_URL,
        riscCertsUrl: config.GOOGLE_RISC_CERTS_URL,
        revokeUrl: config.GOOGLE_REVOKE_URL,
        timeoutMs,
        watch,
      }),
    ),
    firebaseIdToken: createFirebaseIdTokens({
      projectId: config.FIREBASE_PROJECT_ID,
      jwksUrl: config.FIREBASE_CERTS_URL,
      timeoutMs,
      watch,
    }),
    firebaseUsers: watched(createFirebaseUsers(firebase)),
    push: watched(createPush(firebase)),
    mail: watched(
      createMail({
        url: config.SMTP_URL,
        from: config.MAIL_FROM,
        envelopeDomain: config.MAIL_BOUNCE_DOMAIN,
        rateLimit: config.MAIL_RATE_PER_SECOND,
        ...(timeoutMs !== undefined && { socketTimeoutMs: timeoutMs }),
        watch,
      }),
    ),
    measurement: watched(
      createMeasurement({ ...measurementSettings(config), ...(timeoutMs !== undefined && { timeoutMs }), watch }),
    ),
    operatorSignIn: operatorSignInOf(config, timeoutMs),
    eventReceivers: createEventReceivers({
      internal: config.NODE_ENV !== 'production',
      ...(timeoutMs !== undefined && { timeoutMs }),
    }),
  }
}

function firebaseSettings(config: Config): FirebaseSettings {
  const [host, port] = config.FIREBASE_CONNECT_TO?.split(':') ?? []
  return {
    projectId: config.FIREBASE_PROJECT_ID,
    serviceAccount: { clientEmail: config.FIREBASE_CLIENT_EMAIL, privateKey: config.FIREBASE_PRIVATE_KEY },
    ...(host !== undefined && {
      connectTo: { host, port: Number(port), ca: config.FIREBASE_CONNECT_CA ?? '' },
    }),
  }
}

/** @returns undefined when the settings name no OpenID provider */
function operatorSignInOf(config: Config, timeoutMs: number | undefined) {
  const { OPERATOR_OPENID_ISSUER_URL: issuerUrl, OPERATOR_OPENID_CLIENT_ID: clientId } = config
  const { OPERATOR_OPENID_CLIENT_SECRET: clientSecret, OPERATOR_OPENID_SCOPE: scope } = config
  if (!issuerUrl || !clientId || !clientSecret) return undefined
  const redirectUrl = new URL('/console/sign-in/openid/callback', config.PUBLIC_URL).href
  return createOperatorSignIn({ issuerUrl, clientId, clientSecret, scope, redirectUrl, timeoutMs })
}

function measurementSettings(config: Config): Parameters<typeof createMeasurement>[0] {
  const { META_API_VERSION, META_DATASET_ID, META_ACCESS_TOKEN, GA_FIREBASE_APP_ID, GA_API_SECRET } = config
  return {
    // A local-first activity runs within the workflow task, for which signals and updates of the order wait.
    timeoutMs: 3_000,
    meta:
      META_API_VERSION && META_DATASET_ID && META_ACCESS_TOKEN
        ? {
            baseUrl: config.META_URL,
            apiVersion: META_API_VERSION,
            datasetId: META_DATASET_ID,
            accessToken: META_ACCESS_TOKEN,
          }
        : undefined,
    googleAnalytics:
      GA_FIREBASE_APP_ID && GA_API_SECRET
        ? { baseUrl: config.GA_URL, firebaseAppId: GA_FIREBASE_APP_ID, apiSecret: GA_API_SECRET }
        : undefined,
  }
}
