/** GDPR articles 33 and 34: activities of a personal data breach. Texts and people stay in the database. */
import { heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { Context } from '../context.ts'
import {
  type AffectedPerson,
  type Breach,
  breachMailKind,
  changeBreach,
  countBreachAgain,
  findBreach,
  listPeopleToNotify,
  openBreach,
  raiseUnreached,
} from '../db/access/breaches.ts'
import { restoreUndecided } from '../db/backup/restores.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import { renderBreachDue, renderBreachNotice } from '../mails/breach/breach.tsx'
import { failure, failureType } from '../shared/failures.ts'
import {
  type BreachActivities,
  type BreachDecisions,
  type BreachUrgency,
  breachType,
  breachWorkflowId,
} from '../workflows/breach/breach.contract.ts'
import { recordedAt } from './failures.ts'
import { sendMail, toAccount } from './sending/send-mail.ts'

const tasks: Record<BreachUrgency, string> = {
  reminder: 'breach_due',
  escalation: 'breach_escalated',
  late: 'breach_late',
}
const stuck = 'breach_mail_stuck'
const foundLater = 'breach_people_found_later'
const pageSize = 500
/** Few, so that the mail of an order does not wait behind them. */
const concurrentMails = 20

export function createBreachActivities(context: Context): BreachActivities {
  const { sql, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    async openBreach({ breachId }) {
      const found = await openBreach(sql, breachId)
      return found ? { readUntil: found.read_until.toISOString() } : false
    },

    async countBreachAgain({ breachId, asOf }) {
      const counted = await countBreachAgain(sql, breachId)
      // The operator decided by a smaller number. After the decision to notify, the added people are notified without a
      // task.
      if (counted && counted.added > 0 && counted.breach.people_decision === 'not_required')
        await raiseOperatorTask(sql, {
          kind: foundLater,
          subjectId: breachId,
          at: recordedAt(asOf),
          attributes: { people: counted.added },
        })
    },

    async readDecisions({ breachId }) {
      const found = await findBreach(sql, breachId)
      return found ? decisionsOf(found) : null
    },

    async remindOfBreach({ breachId, asOf, urgency, occasion }) {
      const found = await findBreach(sql, breachId)
      if (!found || found.state === 'closed') return
      const at = new Date(asOf)
      // The operator task comes first, because the mail server may be down.
      await raiseOperatorTask(sql, { kind: tasks[urgency], subjectId: breachId, at })
      const isLate = urgency === 'late' && !decisionsOf(found).authoritySettled
      if (isLate) await changeBreach(sql, breachId, { late_at: found.late_at ?? at })
      await sendMail(context, {
        send: { subjectId: breachId, kind: `mail:operators:${occasion}`, accountId: null },
        at,
        compose: async () => ({
          to: config.SUPPORT_MAIL,
          mail: renderBreachDue({
            site,
            breachId,
            urgency,
            dueAt: found.authority_due_at,
            consoleUrl: new URL('/console', config.PUBLIC_URL).href,
          }),
        }),
      })
    },

    async tellPeople({ breachId, asOf }) {
      const found = await findBreach(sql, breachId)
      if (!found) return { told: 0, left: false }
      const people = await listPeopleToNotify(sql, breachId, pageSize)
      let notified = 0
      let later = 0
      await pMap(
        people,
        async (person) => {
          try {
            await notifyPerson(context, found, person, new Date(asOf))
            notified += 1
          } catch (error) {
            if (failureType(error) !== 'MailUnavailable') throw error
            later += 1
          }
          heartbeat({ notified })
        },
        { concurrency: concurrentMails },
      )
      if (later > 0) throw failure('MailUnavailable', { code: 'some_left' })
      return { told: notified, left: people.length === pageSize }
    },

    async recordPeopleTold({ breachId, asOf }) {
      const at = recordedAt(asOf)
      await changeBreach(sql, breachId, { people_told_at: at })
      await raiseUnreached(sql, breachId, at)
      await resolveOperatorTask(sql, { kind: stuck, subjectId: breachId, by: 'told', at })
    },

    reportStuckBreach: ({ breachId, asOf }) =>
      raiseOperatorTask(sql, { kind: stuck, subjectId: breachId, at: new Date(asOf) }),

    reportLostBreach: ({ breachId, authorityDueAt, asOf }) =>
      raiseOperatorTask(sql, {
        kind: restoreUndecided,
        subjectId: breachWorkflowId(breachId),
        detail: breachType,
        at: new Date(asOf),
        dueAt: new Date(authorityDueAt),
      }),

    closeBreach: ({ breachId, asOf }) =>
      sql.begin(async (tx) => {
        const at = new Date(asOf)
        await changeBreach(tx, breachId, { state: 'closed', closed_at: at })
        for (const kind of [...Object.values(tasks), stuck]) {
          await resolveOperatorTask(tx, { kind, subjectId: breachId, by: 'closed', at })
        }
      }),
  }
}

/**
 * Mails a person what was read of them, once.
 * @param again the address to which it goes again
 * @throws MailUnavailable
 */
export async function notifyPerson(
  context: Context,
  breach: Breach,
  person: AffectedPerson,
  at: Date,
  again?: Buffer,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  const { config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }
  return sendMail(context, {
    send: { subjectId: person.id, kind: breachMailKind, accountId: person.account_id },
    at,
    again,
    compose: () =>
      toAccount(context, person.account_id, ({ firstName }, texts) =>
        renderBreachNotice({
          site,
          texts,
          firstName,
          held: person.fields,
          firstAt: person.first_at,
          lastAt: person.last_at,
          nature: breach.nature,
          consequences: breach.consequences,
          measures: breach.measures,
          contact: breach.contact,
        }),
      ),
  })
}

/** The decisions that operators have recorded of a breach, in the form that its run reads. */
export function decisionsOf(breach: Breach): BreachDecisions {
  const { people_decision: decision, people_told_at: notifiedAt } = breach
  return {
    authoritySettled: breach.authority_told_at !== null || breach.authority_not_told_because !== null,
    people: decision === 'tell' && notifiedAt !== null ? 'told' : (decision ?? 'undecided'),
  }
}
