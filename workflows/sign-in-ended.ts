/**
 * Apple's event `consent-revoked`: ends the sign-ins, deletes the link to the Apple Account and its token, and mails the
 * person.
 */
import { proxyActivities } from '@temporalio/workflow'
import { proxyLocalFirst } from './run/local-first.ts'
import * as retry from './run/retry.ts'
import { showStatusDetails } from './run/run-status.ts'
import type { SignInEndedActivities, SignInEndedInput } from './sign-in-ended.contract.ts'

const localFirst = proxyLocalFirst<SignInEndedActivities>()
const notify = proxyActivities<SignInEndedActivities>(retry.message)

export async function signInEnded(input: SignInEndedInput): Promise<void> {
  showStatusDetails({ status: 'unlinking', waitingFor: 'the database and the mail server', dueAt: null })
  if (await localFirst.unlinkApple(input)) await notify.sendAppleUnlinked({ ...input, asOf: new Date().toISOString() })
}
