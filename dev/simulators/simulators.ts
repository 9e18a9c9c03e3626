/** The outside parties with their settings, and a simulator for each that is not configured. */
import { join } from 'node:path'
import { tableOf } from '../../shared/keys-of.ts'
import type { startAiralo } from '../../sim/airalo.ts'
import type { startApple } from '../../sim/apple.ts'
import { type AnySimulatorControl, type ControlOf, controlOf } from '../../sim/control.ts'
import type { startEsimAccess } from '../../sim/esim-access.ts'
import type { startFirebase } from '../../sim/firebase.ts'
import type { startGoogle } from '../../sim/google.ts'
import type { startGoogleAnalytics } from '../../sim/google-analytics.ts'
import type { startMailbox } from '../../sim/mailbox.ts'
import type { startMeta } from '../../sim/meta.ts'
import type { startStripe } from '../../sim/stripe.ts'
import type { Secrets } from '../development-secrets.ts'
import { fixedPorts, type PortName } from '../fixed-ports.ts'

export const simulatorNames = [
  'stripe',
  'esimAccess',
  'airalo',
  'apple',
  'google',
  'firebase',
  'mailbox',
  'meta',
  'googleAnalytics',
] as const
export type SimulatorName = (typeof simulatorNames)[number]

/** A configured setting with this prefix means that the real outside party is used. */
const settingPrefixes: Record<SimulatorName, string> = {
  stripe: 'STRIPE_',
  esimAccess: 'ESIM_ACCESS_',
  airalo: 'AIRALO_',
  apple: 'APPLE_',
  google: 'GOOGLE_',
  firebase: 'FIREBASE_',
  mailbox: 'SMTP_URL',
  meta: 'META_',
  googleAnalytics: 'GA_',
}

/** All options of a process of simulators; plain data. */
export interface SimulatorPlan {
  parties: SimulatorName[]
  secrets: Secrets
  /** the target of webhooks */
  apiUrl: string
  ports: 'fixed' | 'free'
  /** `envelopes` leaves out the content of mails, for many thousand mails */
  keepMail: 'all' | 'envelopes'
  /** where Stripe and the eSIM providers keep their books over a restart; without it nowhere */
  folder?: string | undefined
}

export interface RunningSimulators {
  urls: Partial<Record<SimulatorName, string>>
  /** settings for API and worker that lead to the simulators */
  settings: Record<string, string>
  stop(): Promise<void>
}

/** The outside parties without a configured setting. */
export function simulatorsNeeded(configured: Record<string, string | undefined>): SimulatorName[] {
  const names = Object.keys(configured).filter((name) => configured[name])
  const simulated = simulatorNames.filter(
    (simulator) => !names.some((name) => name.startsWith(settingPrefixes[simulator])),
  )
  // Google's simulator issues the ID tokens of Firebase's.
  return simulated.includes('firebase') ? [...new Set([...simulated, 'google' as const])] : simulated
}

/** Starts the simulators in this process. */
export async function startSimulators(plan: SimulatorPlan): Promise<RunningSimulators> {
  const port = (name: PortName): number => (plan.ports === 'fixed' ? fixedPorts[name] : 0)
  const started = await Promise.allSettled(
    plan.parties.map(async (name) => [name, await starters[name](plan, port)] as const),
  )
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stop = async (): Promise<void> => void (await Promise.all(running.map(([, simulator]) => simulator.stop())))
  const refused = started.find((result) => result.status === 'rejected')
  if (refused) {
    await stop()
    throw refused.reason
  }
  return {
    urls: Object.fromEntries(running.map(([name, simulator]) => [name, simulator.url])),
    settings: Object.assign({}, ...running.map(([, simulator]) => simulator.settings)),
    stop,
  }
}

export interface SimulatorControls extends Record<SimulatorName, AnySimulatorControl> {
  stripe: ControlOf<typeof startStripe>
  esimAccess: ControlOf<typeof startEsimAccess>
  airalo: ControlOf<typeof startAiralo>
  apple: ControlOf<typeof startApple>
  google: ControlOf<typeof startGoogle>
  firebase: ControlOf<typeof startFirebase>
  mailbox: ControlOf<typeof startMailbox>
  meta: ControlOf<typeof startMeta>
  googleAnalytics: ControlOf<typeof startGoogleAnalytics>
}

/** Clients of the simulators' control API. Using one of a configured outside party throws. */
export function simulatorControls(urls: RunningSimulators['urls']): SimulatorControls {
  const controls: SimulatorControls = Object.create(null)
  for (const name of simulatorNames) {
    const url = urls[name]
    const control = url === undefined ? undefined : controlOf({ url })
    Object.defineProperty(controls, name, {
      enumerable: control !== undefined,
      get() {
        if (!control) throw new Error(`${name} is not simulated here: its settings are configured`)
        return control
      },
    })
  }
  return controls
}

interface StartedSimulator {
  url: string
  settings: Record<string, string>
  stop(): Promise<void>
}

type Starter = (plan: SimulatorPlan, port: (name: PortName) => number) => Promise<StartedSimulator>

/** the simulated account has access to any preview version */
const redactionVersion = '2026-06-24.preview'
const googleProject = 'ama-esim-sandbox'
const metaDataset = '1029384756'
const metaVersion = 'v24.0'
const analyticsApp = '1:1029384756:ios:a1b2c3d4'

// Each simulator is loaded only when it is needed.
const starters: Record<SimulatorName, Starter> = {
  async stripe({ secrets, apiUrl, folder }, port) {
    const { startStripe } = await import('../../sim/stripe.ts')
    const settings = pick(secrets, ['STRIPE_SECRET_KEY', 'STRIPE_PUBLISHABLE_KEY', 'STRIPE_WEBHOOK_SECRET'])
    const simulator = await startStripe({
      port: port('stripe'),
      file: folder && join(folder, 'stripe'),
      secretKey: settings.STRIPE_SECRET_KEY,
      publishableKey: settings.STRIPE_PUBLISHABLE_KEY,
      webhookSecret: settings.STRIPE_WEBHOOK_SECRET,
      webhookUrl: `${apiUrl}/v1/webhooks/stripe`,
    })
    return {
      ...simulator,
      settings: { ...settings, STRIPE_API_URL: simulator.url, STRIPE_REDACTION_API_VERSION: redactionVersion },
    }
  },

  async esimAccess({ secrets, apiUrl, folder }, port) {
    const { startEsimAccess } = await import('../../sim/esim-access.ts')
    const settings = pick(secrets, ['ESIM_ACCESS_CODE', 'ESIM_ACCESS_SECRET', 'ESIM_ACCESS_WEBHOOK_TOKEN'])
    const simulator = await startEsimAccess({
      port: port('esimAccess'),
      file: folder && join(folder, 'esim-access'),
      accessCode: settings.ESIM_ACCESS_CODE,
      secretKey: settings.ESIM_ACCESS_SECRET,
      webhookUrl: `${apiUrl}/v1/webhooks/esim-access/${settings.ESIM_ACCESS_WEBHOOK_TOKEN}`,
    })
    return { ...simulator, settings: { ...settings, ESIM_ACCESS_URL: `${simulator.url}/api/v1/open` } }
  },

  async airalo({ secrets, apiUrl, folder }, port) {
    const { startAiralo } = await import('../../sim/airalo.ts')
    const settings = pick(secrets, ['AIRALO_CLIENT_ID', 'AIRALO_CLIENT_SECRET'])
    const simulator = await startAiralo({
      port: port('airalo'),
      file: folder && join(folder, 'airalo'),
      clientId: settings.AIRALO_CLIENT_ID,
      clientSecret: settings.AIRALO_CLIENT_SECRET,
      webhookUrl: `${apiUrl}/v1/webhooks/airalo`,
    })
    return { ...simulator, settings: { ...settings, AIRALO_URL: `${simulator.url}/v2` } }
  },

  async apple({ secrets, apiUrl }, port) {
    const { startApple } = await import('../../sim/apple.ts')
    const settings = pick(secrets, ['APPLE_PRIVATE_KEY'])
    const simulator = await startApple({
      port: port('apple'),
      privateKeyPem: settings.APPLE_PRIVATE_KEY,
      webhookUrl: `${apiUrl}/v1/webhooks/apple`,
    })
    return {
      ...simulator,
      settings: {
        ...settings,
        APPLE_URL: simulator.url,
        APPLE_TEAM_ID: simulator.teamId,
        APPLE_KEY_ID: simulator.keyId,
        APPLE_CLIENT_IDS: simulator.clientIds.join(','),
      },
    }
  },

  async google({ apiUrl, parties }, port) {
    const { startGoogle } = await import('../../sim/google.ts')
    const simulator = await startGoogle({
      port: port('google'),
      projectId: googleProject,
      webhookUrl: `${apiUrl}/v1/webhooks/google`,
    })
    return {
      ...simulator,
      settings: {
        GOOGLE_CLIENT_IDS: simulator.clientIds.join(','),
        GOOGLE_CERTS_URL: simulator.certsUrl,
        GOOGLE_RISC_CERTS_URL: simulator.certsUrl,
        GOOGLE_REVOKE_URL: simulator.revokeUrl,
        ...(parties.includes('firebase') && { FIREBASE_CERTS_URL: simulator.firebaseCertsUrl }),
      },
    }
  },

  async firebase({ secrets }, port) {
    const { startFirebase } = await import('../../sim/firebase.ts')
    const settings = pick(secrets, ['FIREBASE_PRIVATE_KEY'])
    const clientEmail = `backend@${googleProject}.iam.gserviceaccount.com`
    const simulator = await startFirebase({
      port: port('firebase'),
      tlsPort: port('firebaseTls'),
      projectId: googleProject,
      serviceAccount: { clientEmail, privateKey: settings.FIREBASE_PRIVATE_KEY },
    })
    return {
      ...simulator,
      settings: {
        ...settings,
        FIREBASE_PROJECT_ID: googleProject,
        FIREBASE_CLIENT_EMAIL: clientEmail,
        FIREBASE_CONNECT_TO: `127.0.0.1:${simulator.tlsPort}`,
        FIREBASE_CONNECT_CA: simulator.ca,
      },
    }
  },

  async mailbox({ keepMail }, port) {
    const { startMailbox } = await import('../../sim/mailbox.ts')
    const simulator = await startMailbox({ port: port('mailbox'), smtpPort: port('smtp'), keep: keepMail })
    return { ...simulator, settings: { SMTP_URL: simulator.smtpUrl } }
  },

  async meta({ secrets }, port) {
    const { startMeta } = await import('../../sim/meta.ts')
    const settings = pick(secrets, ['META_ACCESS_TOKEN'])
    const simulator = await startMeta({
      port: port('meta'),
      datasetId: metaDataset,
      accessToken: settings.META_ACCESS_TOKEN,
    })
    return {
      ...simulator,
      settings: {
        ...settings,
        META_URL: simulator.url,
        META_API_VERSION: metaVersion,
        META_DATASET_ID: metaDataset,
      },
    }
  },

  async googleAnalytics({ secrets }, port) {
    const { startGoogleAnalytics } = await import('../../sim/google-analytics.ts')
    const settings = pick(secrets, ['GA_API_SECRET'])
    const simulator = await startGoogleAnalytics({
      port: port('googleAnalytics'),
      firebaseAppId: analyticsApp,
      apiSecret: settings.GA_API_SECRET,
    })
    return { ...simulator, settings: { ...settings, GA_URL: simulator.url, GA_FIREBASE_APP_ID: analyticsApp } }
  },
}

/** @throws when nothing makes one of the secrets */
function pick<Name extends string>(secrets: Secrets, names: Name[]): Record<Name, string> {
  return tableOf(names, (name) => {
    const secret = secrets[name]
    if (secret === undefined) throw new Error(`add a recipe for ${name} to dev/development-secrets.ts`)
    return secret
  })
}
