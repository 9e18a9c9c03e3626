/** G2: everybody can correct their data. Activities of a change of address. */
import type { Context } from '../context.ts'
import { findAccount, languageOf } from '../db/accounts.ts'
import { createLinkToken } from '../db/crypto/link-tokens.ts'
import {
  addressesToReplace,
  applyEmailChange,
  confirmSide,
  endEmailChange,
  findEmailChange,
  openEmailChange,
} from '../db/email-changes.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import { sideUnreachable } from '../db/order/unreached.ts'
import { renderEmailChanged, renderEmailChangeNew, renderEmailChangeOld } from '../mails/email-change.tsx'
import { defaultLanguage } from '../messages/languages.ts'
import { textsOf } from '../messages/texts.ts'
import { milliseconds, periods } from '../policy/periods.ts'
import { isProviderFailure } from '../providers/failure.ts'
import type { EmailChangeActivities } from '../workflows/email-change.contract.ts'
import { withFailureTypes } from './failures.ts'
import { sendMail } from './sending/send-mail.ts'

const validHours = periods.emailChangeMs / milliseconds.hour

/** Kind of the operator task: the person has another address with us than the one by which Firebase signs them in. */
const signInNotMoved = 'sign_in_not_moved'
const signIn = { unavailable: 'SignInPartyUnavailable', rejected: 'SignInPartyUnavailable' } as const

/** The code of a refusal that is final. @throws any other error */
function refusalCode(error: unknown): string {
  if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
  return error.code
}

export function createEmailChangeActivities(context: Context): EmailChangeActivities {
  const { sql, config, firebaseUsers } = context
  const textsFor = async (accountId: string) => textsOf((await languageOf(sql, accountId)) ?? defaultLanguage)
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    openEmailChange: ({ changeId }) => openEmailChange(sql, changeId),

    findEmailChange: async ({ changeId }) => (await findEmailChange(sql, context, changeId)) !== undefined,

    async askForConfirmation({ changeId, side, asOf }) {
      const at = new Date(asOf)
      const change = await findEmailChange(sql, context, changeId)
      const to = side === 'old' ? change?.oldEmail : change?.newEmail
      if (!change || !to) return 'gone'
      const { accountId, expiresAt } = change
      const outcome = await sendMail(context, {
        send: { subjectId: changeId, kind: `mail:email_change_${side}`, accountId },
        at,
        async compose() {
          const purpose = `email_change_${side}` as const
          const secret = await createLinkToken(sql, { purpose, accountId, subjectId: changeId, at, expiresAt })
          const url = new URL(`/email-change/${secret}`, config.PUBLIC_URL).href
          const render = side === 'old' ? renderEmailChangeOld : renderEmailChangeNew
          return { to, mail: render({ site, texts: await textsFor(accountId), url, validHours }) }
        },
      })
      return outcome === 'failed' ? 'failed' : 'sent'
    },

    async reportUnreachableSide({ changeId, side, asOf }) {
      const task = { kind: sideUnreachable, subjectId: changeId, detail: side, at: new Date(asOf) }
      await raiseOperatorTask(sql, task)
    },

    async recordConfirmation({ changeId, side, asOf, waivedBy = null }) {
      await confirmSide(sql, changeId, { side, at: new Date(asOf), waivedBy })
    },

    applyEmailChange: ({ changeId, asOf }) => applyEmailChange(sql, context, changeId, new Date(asOf)),

    async moveSignIn({ changeId, asOf }) {
      const change = await findEmailChange(sql, context, changeId)
      if (!change?.oldEmail) return
      const { accountId } = change
      const task = { kind: signInNotMoved, subjectId: accountId, at: new Date(asOf) }
      // A later change may be made meanwhile, whose run moves the address as well: of two that come together the later
      // address counts, whichever request arrives last.
      for (let given: string | undefined, outcome: string | undefined; ; ) {
        const account = await findAccount(sql, context, accountId)
        if (!account?.firebaseUid) return
        const { firebaseUid, email: to } = account
        if (to === given) {
          if (outcome === 'moved') await resolveOperatorTask(sql, { ...task, by: 'email_change' })
          else if (outcome !== 'another' && outcome !== 'unknown')
            await raiseOperatorTask(sql, { ...task, detail: outcome })
          return
        }
        const from = await addressesToReplace(sql, context, accountId)
        outcome = await withFailureTypes(signIn, () =>
          firebaseUsers.moveAddress(firebaseUid, { from, to }).catch(refusalCode),
        )
        given = to
      }
    },

    async tellOldAddress({ changeId, asOf }) {
      const change = await findEmailChange(sql, context, changeId)
      if (!change?.oldEmail) return
      const to = change.oldEmail
      await sendMail(context, {
        send: { subjectId: changeId, kind: 'mail:email_changed', accountId: change.accountId },
        at: new Date(asOf),
        compose: async () => ({ to, mail: renderEmailChanged({ site, texts: await textsFor(change.accountId) }) }),
      })
    },

    async endEmailChange({ changeId, status, asOf }) {
      await endEmailChange(sql, changeId, status, new Date(asOf))
    },
  }
}
