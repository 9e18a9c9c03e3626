/** Apple's `consent-revoked`: the link and its token go, the account stays, and its owner is told. */
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow'
import * as retry from './retry.ts'
import type { SignInEndedActivities, SignInEndedInput } from './sign-in-ended.contract.ts'

const quick = proxyLocalActivities<SignInEndedActivities>(retry.quick)
const notify = proxyActivities<SignInEndedActivities>(retry.notify)

export async function signInEnded(input: SignInEndedInput): Promise<void> {
  if (await quick.unlinkApple(input)) await notify.sendAppleUnlinked({ ...input, asOf: new Date().toISOString() })
}
