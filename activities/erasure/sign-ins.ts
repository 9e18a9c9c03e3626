/** G3: everybody can delete their account. Revokes the sign-ins of an erased person at Apple, Google and Firebase. */
import type { Context } from '../../context.ts'
import { isIdentityLinked } from '../../db/identities.ts'
import { endUserWithoutAccount, noteEndedUser } from '../../db/sign-in-events.ts'
import type { StepOutcome } from '../../policy/deletion.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { withFailureTypes } from '../failures.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'revokeApple' | 'revokeGoogle' | 'deleteFirebaseUser'>

const signIn = { unavailable: 'SignInPartyUnavailable', rejected: 'ErasureRefused' } as const

/** The person has signed up again with the same sign-in: revoking it would break the new account. */
const signedUpAgain: StepOutcome = { state: 'done', code: 'signed_up_again' }

export function createDeletionSignInActivities(context: Context): Activities {
  const { sql, apple, google, firebaseUsers } = context

  return {
    async revokeApple(step) {
      return withSecret(context, { ...step, processor: 'apple', part: 'apple' }, async (secret) => {
        const subjectIndex = Buffer.from(secret.subjectIndex, 'hex')
        if (await isIdentityLinked(sql, 'apple', subjectIndex)) return signedUpAgain
        return withFailureTypes(signIn, async () => {
          try {
            await apple.revoke(secret)
            return { state: 'done' }
          } catch (error) {
            // The token is invalid already, and so is the sign-in.
            if (isProviderFailure(error, 'invalid_grant')) return { state: 'done', code: 'already_invalid' }
            // A repeat would be refused again; the person can remove the app at Apple.
            if (isProviderFailure(error) && error.kind === 'rejected') return { state: 'by_hand', code: error.code }
            throw error
          }
        })
      })
    },

    async revokeGoogle(step) {
      return withSecret(context, { ...step, processor: 'google', part: 'google' }, async ({ refreshToken }) => {
        const outcome = await withFailureTypes(signIn, () => google.revoke(refreshToken))
        return { state: 'done', ...(outcome === 'unknown' && { code: 'already_invalid' }) }
      })
    },

    async deleteFirebaseUser(step) {
      return withSecret(context, { ...step, processor: 'firebase', part: 'firebase' }, async ({ uid }) => {
        // No account can be made any more by a sign-in from before.
        if (!(await endUserWithoutAccount(sql, context, { firebaseUid: uid, at: new Date() }))) return signedUpAgain
        const outcome = await withFailureTypes(signIn, () => firebaseUsers.deleteUser(uid))
        // Also by one from meanwhile: whoever signs in from now on is another user.
        await noteEndedUser(sql, context, { firebaseUid: uid, at: new Date() })
        return { state: 'done', ...(outcome === 'unknown' && { code: 'already_gone' }) }
      })
    },
  }
}
