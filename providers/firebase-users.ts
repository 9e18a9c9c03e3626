/** Accounts at Firebase Authentication. */
import { getAuth } from 'firebase-admin/auth'
import { ProviderFailure } from './failure.ts'
import { errorCode, type FirebaseSettings, openFirebase, transportFailure } from './firebase-app.ts'

const provider = 'firebase'
const ourFault = ['insufficient-permission', 'project-not-found', 'configuration-not-found', 'invalid-credential']

/** Throws ProviderFailure; every call may be repeated. */
export function createFirebaseUsers(settings: FirebaseSettings) {
  const firebase = openFirebase(provider, settings)
  const auth = getAuth(firebase.app)

  return {
    /** For good. `unknown`: there is no such account, so there is nothing left to do. */
    async deleteUser(uid: string): Promise<'deleted' | 'unknown'> {
      await firebase.authorise()
      try {
        await auth.deleteUser(uid)
        return 'deleted'
      } catch (error) {
        const code = errorCode(error).replace(/^\w+\//, '')
        if (code === 'user-not-found') return 'unknown'
        if (code === 'invalid-uid') throw new ProviderFailure(provider, 'rejected', 'invalid_uid')
        if (ourFault.includes(code)) throw new ProviderFailure(provider, 'misconfigured', code.replaceAll('-', '_'))
        throw transportFailure(provider, error) ?? new ProviderFailure(provider, 'unknown_outcome', 'unexpected_reply')
      }
    },
    close: () => firebase.close(),
  }
}

export type FirebaseUsers = ReturnType<typeof createFirebaseUsers>
