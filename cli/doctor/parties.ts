/** The checks of the outside parties: each is asked one question that changes nothing. */
import { randomUUID } from 'node:crypto'
import type { Config } from '../../config.ts'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createApple } from '../../providers/apple.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import type { FirebaseSettings } from '../../providers/firebase/app.ts'
import { createPush } from '../../providers/firebase/push.ts'
import { createFirebaseUsers } from '../../providers/firebase/users.ts'
import { createMail } from '../../providers/mail/mail.ts'
import { createOperatorSignIn } from '../../providers/operator-sign-in.ts'
import { callProvider, jsonOf } from '../../providers/provider-call.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { propertyOf } from '../../shared/keys-of.ts'
import { check } from './check.ts'
import { Fault, type Finding } from './finding.ts'

const timeoutMs = 15_000
const serviceAccount = ['FIREBASE_PROJECT_ID', 'FIREBASE_CLIENT_EMAIL', 'FIREBASE_PRIVATE_KEY'] as const
/** No prepaid balance means that no eSIM can be bought. */
const topUp = 'top the balance up'

/** Asks each outside party once. @param config the settings that are right */
export async function checkParties(config: Partial<Config>): Promise<Finding[]> {
  return await Promise.all([
    check(config, 'Stripe', ['STRIPE_SECRET_KEY', 'STRIPE_PUBLISHABLE_KEY', 'STRIPE_WEBHOOK_SECRET'], askStripe),
    check(config, 'eSIM Access', ['ESIM_ACCESS_URL', 'ESIM_ACCESS_CODE', 'ESIM_ACCESS_SECRET'], (settings) =>
      askBalance(
        createEsimAccess({
          baseUrl: settings.ESIM_ACCESS_URL,
          accessCode: settings.ESIM_ACCESS_CODE,
          secretKey: settings.ESIM_ACCESS_SECRET,
          timeoutMs,
        }),
      ),
    ),
    check(config, 'Airalo', ['AIRALO_URL', 'AIRALO_CLIENT_ID', 'AIRALO_CLIENT_SECRET'], (settings) =>
      askBalance(
        createAiralo({
          baseUrl: settings.AIRALO_URL,
          clientId: settings.AIRALO_CLIENT_ID,
          clientSecret: settings.AIRALO_CLIENT_SECRET,
          timeoutMs,
        }),
      ),
    ),
    check(
      config,
      'Apple',
      ['APPLE_URL', 'APPLE_TEAM_ID', 'APPLE_KEY_ID', 'APPLE_PRIVATE_KEY', 'APPLE_CLIENT_IDS'],
      askApple,
    ),
    check(config, 'Google', ['GOOGLE_CERTS_URL'], ({ GOOGLE_CERTS_URL: url }) => askKeys('google', url)),
    check(config, 'Firebase', serviceAccount, askFirebase),
    check(config, 'Firebase’s push messages', serviceAccount, askPush),
    check(config, 'Firebase’s keys', ['FIREBASE_CERTS_URL'], ({ FIREBASE_CERTS_URL: url }) => askKeys('firebase', url)),
    check(config, 'mail server', ['SMTP_URL', 'MAIL_FROM'], askMail),
    ...(config.META_DATASET_ID === undefined ? [] : [checkMeta(config)]),
    ...(config.OPERATOR_OPENID_ISSUER_URL === undefined ? [] : [checkOpenId(config)]),
  ])
}

async function askStripe(
  settings: Partial<Config> & {
    STRIPE_SECRET_KEY: string
    STRIPE_PUBLISHABLE_KEY: string
    STRIPE_WEBHOOK_SECRET: string
  },
): Promise<string> {
  const {
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_PUBLISHABLE_KEY: publishableKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  } = settings
  const mode = (key: string): string | undefined => /^[sr]?[pk]?k_(live|test)_/.exec(key)?.[1]
  if (mode(secretKey) !== mode(publishableKey))
    throw new Fault('one key is of test mode, the other is not', 'take both keys of the same mode')
  const stripe = createStripe({ secretKey, publishableKey, webhookSecret, apiBase: settings.STRIPE_API_URL })
  const balances = await stripe.balances()
  if (settings.NODE_ENV === 'production' && mode(secretKey) !== 'live')
    throw new Fault('the keys are of test mode: no customer can pay', 'take the keys of live mode')
  return `accepts the key (${mode(secretKey) ?? 'unknown'} mode), balances in ${[...balances.keys()].join(', ') || 'no currency'}`
}

async function askBalance(provider: EsimProvider): Promise<string> {
  const { amountMicros, currency } = await provider.balance()
  if (amountMicros <= 0) throw new Fault('the prepaid balance is empty', topUp)
  return `accepts us, balance ${(amountMicros / 1e6).toFixed(2)} ${currency}`
}

/** A code that does not exist: Apple looks at our key and client id before it. */
async function askApple(
  settings: Record<'APPLE_URL' | 'APPLE_TEAM_ID' | 'APPLE_KEY_ID' | 'APPLE_PRIVATE_KEY', string> & {
    APPLE_CLIENT_IDS: string[]
  },
): Promise<string> {
  const clientIds = settings.APPLE_CLIENT_IDS
  const [clientId = ''] = clientIds
  const apple = createApple({
    baseUrl: settings.APPLE_URL,
    teamId: settings.APPLE_TEAM_ID,
    keyId: settings.APPLE_KEY_ID,
    privateKeyPem: settings.APPLE_PRIVATE_KEY,
    clientIds,
  })
  const refused = await apple.exchangeCode(`doctor-${randomUUID()}`, clientId).catch((error: unknown) => error)
  if (isProviderFailure(refused) && refused.kind === 'rejected') return `knows our key, and the client id ${clientId}`
  throw refused instanceof Error ? refused : new Error('accepted a code that does not exist')
}

/**
 * Reads its metadata, and makes an address to sign in at; whether it accepts the client is seen at the first sign-in.
 */
const checkOpenId = (config: Partial<Config>): Promise<Finding> =>
  check(
    config,
    'OpenID provider',
    ['OPERATOR_OPENID_ISSUER_URL', 'OPERATOR_OPENID_CLIENT_ID', 'OPERATOR_OPENID_CLIENT_SECRET', 'PUBLIC_URL'],
    async (settings) => {
      const address = await createOperatorSignIn({
        issuerUrl: settings.OPERATOR_OPENID_ISSUER_URL,
        clientId: settings.OPERATOR_OPENID_CLIENT_ID,
        clientSecret: settings.OPERATOR_OPENID_CLIENT_SECRET,
        scope: 'openid',
        redirectUrl: settings.PUBLIC_URL,
      }).addressFor({ state: 's', nonce: 'n', verifier: randomUUID() + randomUUID() })
      return `operators sign in at ${new URL(address).origin}`
    },
  )

async function askKeys(provider: string, url: string): Promise<string> {
  const { status, text } = await callProvider({ provider, method: 'GET', url, timeoutMs, changes: false })
  const keys = propertyOf(jsonOf(text), 'keys')
  if (status !== 200 || !Array.isArray(keys) || keys.length === 0)
    throw new ProviderFailure(provider, 'misconfigured', `no keys at the address (http_${status})`)
  return `publishes ${keys.length} keys`
}

type ServiceAccount = Partial<Config> & Record<(typeof serviceAccount)[number], string>

function firebaseOf(settings: ServiceAccount): FirebaseSettings {
  const [host, port] = settings.FIREBASE_CONNECT_TO?.split(':') ?? []
  return {
    projectId: settings.FIREBASE_PROJECT_ID,
    serviceAccount: { clientEmail: settings.FIREBASE_CLIENT_EMAIL, privateKey: settings.FIREBASE_PRIVATE_KEY },
    ...(host !== undefined && { connectTo: { host, port: Number(port), ca: settings.FIREBASE_CONNECT_CA ?? '' } }),
  }
}

/** Sends to a token that does not exist: FCM looks at the service account and its project before the token. */
async function askPush(settings: ServiceAccount): Promise<string> {
  const push = createPush(firebaseOf(settings))
  const nobody = { token: 'doctor', title: '', body: '', data: {}, collapseKey: 'doctor', platform: 'android' } as const
  try {
    const { outcome } = await push.send(nobody)
    if (outcome === 'sent') throw new Error('took a message for a token that does not exist')
    return 'the service account may send; nothing was sent'
  } finally {
    await push.close()
  }
}

/** Looks up and deletes a user who does not exist: it shows that the service account may. */
async function askFirebase(settings: ServiceAccount): Promise<string> {
  const users = createFirebaseUsers(firebaseOf(settings))
  const nobody = `doctor-${randomUUID()}`
  try {
    await users.moveAddress(nobody, { from: ['doctor@old.invalid'], to: 'doctor@new.invalid' })
    await users.deleteUser(nobody)
    return 'the service account may look up and delete users'
  } finally {
    await users.close()
  }
}

async function askMail(settings: Record<'SMTP_URL' | 'MAIL_FROM', string>): Promise<string> {
  const mail = createMail({ url: settings.SMTP_URL, from: settings.MAIL_FROM })
  try {
    await mail.verify()
    return 'accepts our sign-in; no mail was sent'
  } finally {
    await mail.close()
  }
}

/** Events without an event: the Graph API looks at the token first, and refuses them. */
function checkMeta(config: Partial<Config>): Promise<Finding> {
  const names = ['META_URL', 'META_API_VERSION', 'META_DATASET_ID', 'META_ACCESS_TOKEN'] as const
  return check(config, 'Meta', names, async (settings) => {
    const { status, text } = await callProvider({
      provider: 'meta',
      method: 'POST',
      url: new URL(`/${settings.META_API_VERSION}/${settings.META_DATASET_ID}/events`, settings.META_URL),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data: [], access_token: settings.META_ACCESS_TOKEN }),
      timeoutMs,
      changes: false,
    })
    const code = propertyOf(propertyOf(jsonOf(text), 'error'), 'code')
    if (status === 400 && code === 100) return 'accepts the access token'
    throw new ProviderFailure('meta', 'misconfigured', code === undefined ? `http_${status}` : `graph_${String(code)}`)
  })
}
