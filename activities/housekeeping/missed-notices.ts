/**
 * N2, and GDPR article 34: a notice that has not reached a person reaches them once they have an address that takes mail.
 * The date on which a version takes effect is not moved by it: its page has announced it to them in time.
 */
import { heartbeat } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import {
  breachMailKind,
  findBreach,
  listMissedPeople,
  type MissedPerson,
  raiseUnreached,
} from '../../db/access/breaches.ts'
import { listComing } from '../../db/policies.ts'
import { idRange, type Repetition } from '../../db/policy-deliveries.ts'
import { giveUpSend, reopenSend } from '../../db/sends.ts'
import { textsOf } from '../../messages/texts.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failure, failureType, valueOrThrow } from '../../shared/failures.ts'
import type { HousekeepingActivities } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { notifyPerson } from '../breach.ts'
import { sinceScheduledMs } from '../failures.ts'
import { mailPage } from '../policy-mailing.ts'
import { policyMail } from '../policy-notice.ts'

type Activities = Pick<HousekeepingActivities, 'sendMissedNotices'>

const pageSize = 200
/** What a mailbox puts off for longer is left to the next day. */
const triedForMs = 12 * milliseconds.hour

interface Notices {
  sent: number
  /** whether some can be sent later */
  left: boolean
}

export function createMissedNoticeActivities(context: Context): Activities {
  const { sql } = context

  return {
    async sendMissedNotices({ asOf }) {
      const at = new Date(asOf)
      // One must not prevent the other.
      const [policies, breaches] = await Promise.allSettled([sendPolicyNotices(at), sendBreachNotices(at)])
      const [ofPolicies, ofBreaches] = [valueOrThrow(policies), valueOrThrow(breaches)]
      if ((ofPolicies.left || ofBreaches.left) && sinceScheduledMs() < triedForMs)
        throw failure('MailUnavailable', { code: 'some_left' })
      return { policies: ofPolicies.sent, breaches: ofBreaches.sent }
    },
  }

  async function sendPolicyNotices(at: Date): Promise<Notices> {
    const notices: Notices = { sent: 0, left: false }
    for (const policy of await listComing(sql, at)) {
      const { version, state } = policy
      const notice: Repetition = state === 'posted' ? 'again' : 'withdrawn:again'
      const page = await unlessMailIsAway(
        mailPage(context, {
          policy,
          notice: { version, notice },
          range: idRange(0, 1),
          mailIn: (language) => policyMail(context, policy, notice, textsOf(language)),
        }),
      )
      notices.sent += page?.sent ?? 0
      if (!page) notices.left = true
    }
    return notices
  }

  async function sendBreachNotices(at: Date): Promise<Notices> {
    const notices: Notices = { sent: 0, left: false }
    const breaches = new Set<string>()
    const toldSince = plusMs(at, -periods.breach.missedPeopleForMs)
    try {
      for (let after: string | undefined; ; ) {
        const people = await listMissedPeople(sql, { toldSince, after, limit: pageSize })
        for (const person of people) {
          breaches.add(person.breach_id)
          const outcome = await tellAgain(person, at)
          if (outcome === 'sent') notices.sent += 1
          if (outcome === 'left') notices.left = true
          heartbeat()
        }
        after = people.at(-1)?.id
        if (people.length < pageSize) return notices
      }
    } finally {
      for (const breachId of breaches) await raiseUnreached(sql, breachId, at)
    }
  }

  /** One mailbox that puts the mail off does not keep it from the others. */
  async function tellAgain(person: MissedPerson, at: Date): Promise<'sent' | 'left' | 'over'> {
    const breach = await findBreach(sql, person.breach_id)
    if (!breach) return 'over'
    const send = { subjectId: person.id, kind: breachMailKind, accountId: person.account_id }
    await reopenSend(sql, send, at)
    const outcome = await unlessMailIsAway(notifyPerson(context, breach, person, at, person.email_index))
    if (outcome) return outcome === 'sent' ? 'sent' : 'over'
    return (await giveUpSend(sql, send, plusMs(at, -periods.breach.repeatTriedForMs))) ? 'over' : 'left'
  }
}

async function unlessMailIsAway<Value>(sending: Promise<Value>): Promise<Value | undefined> {
  try {
    return await sending
  } catch (error) {
    if (failureType(error) !== 'MailUnavailable') throw error
    return undefined
  }
}
