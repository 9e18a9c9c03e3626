import type { Context } from '../context.ts'
import { unlinkIdentity } from '../db/identities.ts'
import { endSignIns } from '../db/sign-in-events.ts'
import { renderAppleUnlinked } from '../mails/apple-unlinked.tsx'
import type { SignInEndedActivities } from '../workflows/sign-in-ended.contract.ts'
import { sendMail, toAccount } from './sending/send-mail.ts'

export function createSignInEndedActivities(context: Context): SignInEndedActivities {
  const { sql, config } = context

  return {
    unlinkApple: ({ accountId, endedAt }) =>
      sql.begin(async (tx) => {
        const unlinked = await unlinkIdentity(tx, { accountId, provider: 'apple', until: new Date(endedAt) })
        // Also where the person has agreed at Apple again meanwhile: what was signed in before is signed out.
        await endSignIns(tx, accountId, new Date(endedAt))
        return unlinked
      }),

    async sendAppleUnlinked({ accountId, noticeId, asOf }) {
      const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }
      await sendMail(context, {
        send: { subjectId: noticeId, kind: 'mail:apple-unlinked', accountId },
        at: new Date(asOf),
        compose: () => toAccount(context, accountId, (_account, texts) => renderAppleUnlinked({ site, texts })),
      })
    },
  }
}
