/**
 * Client libraries that others published for Airalo and for Sign in with Apple, against our simulators. They are no
 * dependency of ours: `npm install --no-save airalo-sdk@1.2.2 apple-signin-auth@2.1.0` runs these tests. Apple's own
 * library in the registry is about in-app purchases, which are not used here.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startAiralo } from '../../sim/airalo.ts'
import { startApple } from '../../sim/apple.ts'
import { controlOf } from '../../sim/control.ts'
import { startTlsFront } from '../../sim/firebase/tls-front.ts'
import { lacks } from '../harness/optional/optional.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const require = createRequire(import.meta.url)

/** A library that is installed. */
const library = <Library>(name: string): Library => require(name)

// biome-ignore lint/suspicious/noExplicitAny: the libraries' own types are not there
type Untyped = any

interface AiraloSdk {
  Airalo: new (credentials: Record<string, string>) => Untyped
}

test.skipIf(lacks('airalo-sdk'))(
  'Airalo’s own client library works with the Airalo simulator (skipped without airalo-sdk)',
  async () => {
    const cache = await mkdtemp(join(tmpdir(), 'airalo-'))
    onTestFinished(() => rm(cache, { recursive: true }))
    process.env.AIRALO_SDK_CACHE_PATH = cache
    const { Airalo } = library<AiraloSdk>('airalo-sdk')

    const credentials = { client_id: 'planted-client', client_secret: 'planted-secret' }
    const { client_id: clientId, client_secret: clientSecret } = credentials
    const simulator = await startAiralo({ clientId, clientSecret, webhookUrl: '' })
    const sim = controlOf(simulator)
    const front = await startTlsFront(simulator.port, [])
    onTestFinished(() => Promise.all([front.stop(), simulator.stop()]).then(() => undefined))

    // The library knows production's host alone, and its switch for certificates is shadowed by a field of the same
    // name.
    const client = new Airalo(credentials)
    client.config.getUrl = () => `https://127.0.0.1:${front.port}/v2/`
    client.httpClient.ignoreSSL = true
    await client.initialize()

    const { data: packages } = await client.getAllPackages(true)
    const { package_id: packageId } = packages.find(({ type }: { type: string }) => type === 'sim')
    const { data: order, meta } = await client.order(packageId, 2, 'of a trip / planted')
    expect(meta).toEqual({ message: 'success' })
    expect(order).toMatchObject({ package_id: packageId, quantity: '2', description: 'of a trip / planted' })
    expect((await sim.state()).orders).toHaveLength(1)
    const [{ iccid, qrcode, lpa, matching_id: matchingId }] = order.sims
    expect(qrcode).toBe(`LPA:1$${lpa}$${matchingId}`)

    await sim.do('use', { iccid, bytes: 1_048_576 })
    const { data: usage } = await client.getSimUsage(iccid)
    expect(usage).toMatchObject({ status: 'ACTIVE', remaining: usage.total - 1 })
    const [topUp] = (await client.getSimTopups(iccid)).data
    const { data: toppedUp } = await client.topup(topUp.id, iccid, 'of a trip')
    expect(toppedUp).toMatchObject({ package_id: topUp.id })
    const history = (await client.getSimPackageHistory(iccid)).data
    expect(history.map((each: { package: { id: string } }) => each.package.id)).toEqual([packageId, topUp.id])
    expect((await client.getSimInstructions(iccid, 'de')).data.instructions.language).toBe('DE')

    const accepted = await client.orderAsync(packageId, 1, `${simulator.url}/nowhere`, 'later')
    expect(accepted.data.request_id).toHaveLength(25)
    await expect(client.order('no-such-package', 1)).rejects.toThrow('422')
    await sim.do('tokens')
    await expect(client.getSimPackageHistory('8900000000000000000')).rejects.toThrow('401')
  },
)

interface AppleSignIn {
  getClientSecret(options: Record<string, string>): string
  getAuthorizationToken(code: string, options: Record<string, string>): Promise<Untyped>
  refreshAuthorizationToken(token: string, options: Record<string, string>): Promise<Untyped>
  revokeAuthorizationToken(token: string, options: Record<string, string>): Promise<unknown>
  verifyIdToken(token: string, options: Record<string, string>): Promise<Record<string, unknown>>
  verifyWebhookToken(token: string, options: Record<string, string>): Promise<Record<string, unknown>>
  _setFetch(fetch: (url: string, init: RequestInit) => Promise<Response>): void
}

test.skipIf(lacks('apple-signin-auth'))(
  'a public client library of Sign in with Apple works with the Apple simulator (skipped without apple-signin-auth)',
  async () => {
    const apple = library<AppleSignIn>('apple-signin-auth')
    const receiver = await startWebhookReceiver()
    const clientID = 'app.ama-esim.ios'
    const simulator = await startApple({ clientIds: [clientID], webhookUrl: receiver.url })
    const sim = controlOf(simulator)
    onTestFinished(() => Promise.all([simulator.stop(), receiver.stop()]).then(() => undefined))
    apple._setFetch((url, init) => fetch(url.replace('https://appleid.apple.com', simulator.url), init))

    const clientSecret = apple.getClientSecret({
      clientID,
      teamID: simulator.teamId,
      keyIdentifier: simulator.keyId,
      privateKey: simulator.privateKeyPem,
    })
    const client = { clientID, clientSecret, redirectUri: '' }
    const { sub, code, idToken } = await sim.do('sign-in', { private: true, nonce: 'planted' })
    expect(await apple.verifyIdToken(idToken, { audience: clientID, nonce: 'planted' })).toMatchObject({
      sub,
      is_private_email: 'true',
    })

    const tokens = await apple.getAuthorizationToken(code, client)
    expect(await apple.verifyIdToken(tokens.id_token, { audience: clientID })).toMatchObject({ sub })
    const refreshed = await apple.refreshAuthorizationToken(tokens.refresh_token, client)
    expect(await apple.verifyIdToken(refreshed.id_token, { audience: clientID })).toMatchObject({ sub })
    expect(await apple.getAuthorizationToken(code, client)).toEqual({ error: 'invalid_grant' })

    const revocation = { ...client, tokenTypeHint: 'refresh_token' }
    // Apple answers with an empty body, also to a token that is revoked already.
    for (const _time of [1, 2]) expect(await apple.revokeAuthorizationToken(tokens.refresh_token, revocation)).toBe('')
    expect((await sim.state()).grants[0]?.revokedAt).not.toBeNull()
    expect(await apple.refreshAuthorizationToken(tokens.refresh_token, client)).toEqual({ error: 'invalid_grant' })

    await sim.do('notify', { type: 'email-disabled', sub })
    const [notification] = await receiver.atLeast(1)
    const { payload } = JSON.parse(String(notification?.body))
    expect(await apple.verifyWebhookToken(payload, { audience: clientID })).toMatchObject({
      events: { type: 'email-disabled', sub, is_private_email: 'true' },
    })
  },
)
