/**
 * N2, and GDPR article 34: a notice that has not reached a person reaches them once they have an address that takes mail.
 * The date on which a version takes effect is not moved by it: its page has announced it to them in time.
 */
import { heartbeat } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { breachMailKind, findBreach, listMissedPeople, raiseUnreached } from '../../db/access/breaches.ts'
import { listComing } from '../../db/policies.ts'
import { idRange, type Repetition } from '../../db/policy-deliveries.ts'
import { reopenSend } from '../../db/sends.ts'
import { textsOf } from '../../messages/texts.ts'
import type { HousekeepingActivities } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { notifyPerson } from '../breach.ts'
import { mailPage } from '../policy-mailing.ts'
import { policyMail } from '../policy-notice.ts'

type Activities = Pick<HousekeepingActivities, 'sendMissedNotices'>

const pageSize = 200

export function createMissedNoticeActivities(context: Context): Activities {
  const { sql } = context

  return {
    async sendMissedNotices({ asOf }) {
      const at = new Date(asOf)
      return { policies: await sendPolicyNotices(at), breaches: await sendBreachNotices(at) }
    },
  }

  async function sendPolicyNotices(at: Date): Promise<number> {
    let count = 0
    for (const policy of await listComing(sql, at)) {
      const { version, state } = policy
      const notice: Repetition = state === 'posted' ? 'again' : 'withdrawn:again'
      const { sent } = await mailPage(context, {
        policy,
        notice: { version, notice },
        range: idRange(0, 1),
        mailIn: (language) => policyMail(context, policy, notice, textsOf(language)),
      })
      count += sent
    }
    return count
  }

  async function sendBreachNotices(at: Date): Promise<number> {
    let count = 0
    for (;;) {
      const people = await listMissedPeople(sql, pageSize)
      for (const person of people) {
        const breach = await findBreach(sql, person.breach_id)
        if (!breach) continue
        const { id: subjectId, account_id: accountId } = person
        await reopenSend(sql, { subjectId, kind: breachMailKind, accountId })
        if ((await notifyPerson(context, breach, person, at)) === 'sent') count += 1
        await raiseUnreached(sql, breach.id, at)
        heartbeat()
      }
      if (people.length < pageSize) return count
    }
  }
}
