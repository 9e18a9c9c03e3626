/** The adapters of all outside parties at one server of a test, and a call's arguments that each would send. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createApple } from '../../providers/apple.ts'
import type { CallWatch } from '../../providers/call-watch.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { createFirebaseIdTokens } from '../../providers/firebase/id-token.ts'
import { createPush } from '../../providers/firebase/push.ts'
import { createFirebaseUsers } from '../../providers/firebase/users.ts'
import { createGoogle } from '../../providers/google.ts'
import { createMeasurement, type Purchase } from '../../providers/measurement.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'
import { portOf } from '../../shared/process/listen.ts'
import { startTlsFront } from '../../sim/firebase/tls-front.ts'

const hostsOfFirebase = ['fcm.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com']
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** @param listener answers in place of every party but the mail server */
export async function startAdapters(listener: RequestListener, options: { timeoutMs: number; watch?: CallWatch }) {
  const { timeoutMs, watch } = options
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  const url = `http://127.0.0.1:${port}`
  const tls = await startTlsFront(port, hostsOfFirebase)
  const firebase = {
    projectId: 'p',
    serviceAccount: {
      clientEmail: 'x@example.com',
      privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    },
    connectTo: { host: '127.0.0.1', port: tls.port, ca: tls.ca },
    watch,
  }
  const push = createPush(firebase)
  const users = createFirebaseUsers(firebase)

  return {
    push,
    users,
    esimAccess: createEsimAccess({ baseUrl: url, accessCode: 'x', secretKey: 'x', timeoutMs, watch }),
    airalo: createAiralo({ baseUrl: url, clientId: 'x', clientSecret: 'x', timeoutMs, watch }),
    apple: createApple({
      baseUrl: url,
      teamId: 'T',
      keyId: 'K',
      privateKeyPem: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
      clientIds: ['app'],
      watch,
    }),
    google: createGoogle({ clientIds: ['app'], certsUrl: `${url}/certs`, revokeUrl: `${url}/revoke`, watch }),
    idTokens: createFirebaseIdTokens({ projectId: 'p', jwksUrl: `${url}/jwks`, watch }),
    stripe: createStripe({
      secretKey: 'sk_test_x',
      webhookSecret: 'whsec_x',
      publishableKey: 'pk_test_x',
      apiBase: url,
      timeoutMs,
      watch,
    }),
    measurement: createMeasurement({
      meta: { baseUrl: url, apiVersion: 'v1', datasetId: '1', accessToken: 'x' },
      googleAnalytics: { baseUrl: url, firebaseAppId: 'x', apiSecret: 'x' },
      timeoutMs,
      watch,
    }),
    async close(): Promise<void> {
      await Promise.all([push.close(), users.close(), tls.stop()])
      server.closeAllConnections()
      server.close()
    },
  }
}

export const purchase: Purchase = {
  eventId: '8d0d4a54-9c5f-4d4b-8c6e-0d5f3a2b1c0d',
  eventTime: new Date(),
  value: 9.9,
  currency: 'EUR',
  metaExternalIdHash: 'a'.repeat(64),
  gaAppInstanceId: 'x',
  consent: { adUserData: true, adPersonalization: true },
}

/** Well-formed, of a key that nobody has published. */
export const unknownToken = [{ alg: 'RS256', kid: 'k' }, { sub: 's' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')

export const notice = { token: 'token-1', title: 't', body: 'b', data: {}, collapseKey: 'c', platform: 'ios' as const }
