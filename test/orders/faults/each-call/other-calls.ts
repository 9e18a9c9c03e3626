/** Each call to the parties of sign-in, messages and measurement. */
import { randomUUID } from 'node:crypto'
import type { Harness } from '../../../harness/harness.ts'
import { type Call, shared } from './call.ts'

export function signInCalls({ sims, context, config }: Harness) {
  const appleState = shared(() => sims.apple.state())
  const googleState = shared(() => sims.google.state())
  const clientId = config.APPLE_CLIENT_IDS[0] ?? ''
  const apple = {
    verifyIdToken: {
      keeps: true,
      async arrange() {
        const { idToken } = await sims.apple.do('sign-in')
        return { attempt: (ports) => ports.apple.verifyIdToken(idToken) }
      },
    },
    exchangeCode: {
      keeps: true,
      // The code, and the keys for the token that it brings.
      requests: 2,
      async arrange() {
        const { sub } = await sims.apple.do('sign-in')
        return {
          // A code is good for one exchange: after a failure the app signs the person in again.
          async attempt(ports) {
            const { code } = await sims.apple.do('sign-in', { sub })
            const { subject } = await ports.apple.exchangeCode(code, clientId)
            if (subject !== sub) throw new Error('it is somebody else’s')
          },
        }
      },
    },
    revoke: {
      async arrange() {
        const { sub, code } = await sims.apple.do('sign-in')
        const { refreshToken } = await context.apple.exchangeCode(code, clientId)
        return {
          attempt: (ports) => ports.apple.revoke({ refreshToken, clientId }),
          effects: async () =>
            (await appleState()).grants.filter((grant) => grant.sub === sub && grant.revokedAt !== null).length,
        }
      },
    },
  } satisfies Record<string, Call>
  const google = {
    verifyIdToken: {
      keeps: true,
      async arrange() {
        const { idToken } = await sims.google.do('sign-in')
        return { attempt: (ports) => ports.google.verifyIdToken(idToken) }
      },
    },
    revoke: {
      async arrange() {
        const { refreshToken = '' } = await sims.google.do('sign-in', { offline: true })
        return {
          attempt: (ports) => ports.google.revoke(refreshToken),
          effects: async () =>
            (await googleState()).refreshTokens.filter(({ token, revokedAt }) => token === refreshToken && revokedAt)
              .length,
        }
      },
    },
  } satisfies Record<string, Call>
  const firebaseIdToken = {
    verifyFirebaseIdToken: {
      keeps: true,
      async arrange() {
        const { idToken } = await sims.google.do('firebase-sign-in', {})
        return { attempt: (ports) => ports.firebaseIdToken.verifyFirebaseIdToken(idToken) }
      },
    },
  } satisfies Record<string, Call>
  return { apple, google, firebaseIdToken }
}

const googleTells = {
  faults: ['malformed'],
  why: 'Google Analytics does not say whether it has taken an event',
} as const

export function messageCalls({ sims }: Harness) {
  const firebaseState = shared(() => sims.firebase.state())
  const metaState = shared(() => sims.meta.state())
  const analyticsState = shared(() => sims.googleAnalytics.state())
  const purchase = () => ({
    eventId: randomUUID(),
    eventTime: new Date(),
    value: 5,
    currency: 'EUR',
    metaExternalIdHash: 'a'.repeat(64),
    gaAppInstanceId: randomUUID().replaceAll('-', ''),
    consent: { adUserData: true, adPersonalization: false },
  })
  const heldBy = async (state: () => Promise<{ events: unknown[] }>, id: string): Promise<number> =>
    (await state()).events.filter((event) => JSON.stringify(event).includes(id)).length
  const firebaseUsers = {
    deleteUser: {
      byToken: true,
      // A bare 404 is not about the user: our project's name may be wrong.
      refusedBy: ['answers 404'],
      async arrange() {
        const uid = randomUUID()
        await sims.firebase.do('user', { uid })
        return {
          attempt: (ports) => ports.firebaseUsers.deleteUser(uid),
          effects: async () => (await firebaseState()).deletedUsers.filter((each) => each === uid).length,
        }
      },
    },
    moveAddress: {
      refusedBy: ['answers 404'],
      async arrange() {
        const uid = randomUUID()
        const [from, to] = [`${uid}@old.example`, `${uid}@new.example`]
        await sims.firebase.do('user', { uid, email: from, providers: ['password'] })
        return {
          attempt: (ports) => ports.firebaseUsers.moveAddress(uid, { from: [from], to }),
          effects: async () => Number((await firebaseState()).addresses[uid]?.email === to),
        }
      },
    },
  } satisfies Record<string, Call>
  const push = {
    send: {
      once: true,
      byToken: true,
      async arrange() {
        const token = `token-${randomUUID()}`
        const message = {
          token,
          title: 'Ready',
          body: 'Your eSIM is ready.',
          data: { orderId: randomUUID() },
          collapseKey: randomUUID(),
          platform: 'ios' as const,
        }
        return {
          attempt: (ports) => ports.push.send(message),
          effects: async () => (await firebaseState()).delivered.filter((each) => each.token === token).length,
        }
      },
    },
  } satisfies Record<string, Call>
  const measurement = {
    sendToMeta: {
      once: true,
      async arrange() {
        const its = purchase()
        return {
          attempt: (ports) => ports.measurement.sendToMeta(its, new Date()),
          effects: () => heldBy(metaState, its.eventId),
        }
      },
    },
    sendToGoogleAnalytics: {
      once: true,
      goesOnAfter: googleTells,
      async arrange() {
        const its = purchase()
        return {
          attempt: (ports) => ports.measurement.sendToGoogleAnalytics(its, new Date()),
          effects: () => heldBy(analyticsState, its.eventId),
        }
      },
    },
    sendPurchase: {
      once: true,
      // To Meta and to Google.
      requests: 2,
      goesOnAfter: googleTells,
      async arrange() {
        const its = purchase()
        return {
          attempt: (ports) => ports.measurement.sendPurchase(its, new Date()),
          // Meta drops the second event with one id; Google would count it.
          effects: () => heldBy(analyticsState, its.eventId),
        }
      },
    },
  } satisfies Record<string, Call>
  return { firebaseUsers, push, measurement }
}
