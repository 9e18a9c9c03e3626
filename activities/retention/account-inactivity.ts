/** R1: accounts unused for three years are erased. Activities that find, warn and erase them. */

import { activityInfo, heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { WorkerContext } from '../../context.ts'
import {
  type Dormant,
  deleteInactivity,
  findInactivity,
  type InactivityRow,
  lastUse,
  listDormant,
  noteNextCheck,
  putInactivity,
} from '../../db/inactivity.ts'
import { renderInactivityWarning } from '../../mails/inactivity-warning.tsx'
import { periods } from '../../policy/periods.ts'
import { dayOf, daysUntil, isoOrNull, later, plusDays, plusYears } from '../../shared/calendar.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { startUnlessOpen } from '../../temporal/runs.ts'
import { accountDeletionType, deletionStart } from '../../workflows/account-deletion.contract.ts'
import {
  accountInactivityType,
  type Inactivity,
  type InactivityActivities,
  type InactivityInput,
  inactivityWorkflowId,
} from '../../workflows/retention/account-inactivity.contract.ts'
import { sendMail, toAccount } from '../sending/send-mail.ts'

const { inactivityYears, openedAheadDays, warningsBeforeDays } = periods.account
const [firstWarningDays] = warningsBeforeDays
const pageSize = 500
const concurrentStarts = 25

export function createInactivityActivities(context: WorkerContext): InactivityActivities {
  const { sql, config, cipher, temporal } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    async openInactivityRuns({ asOf }) {
      const at = new Date(asOf)
      const until = plusYears(plusDays(at, firstWarningDays + openedAheadDays), -inactivityYears)
      let after: Dormant | undefined
      let opened = 0
      for (;;) {
        const page = await listDormant(sql, { until, lostSince: at, after, limit: pageSize })
        await pMap(page, open, { concurrency: concurrentStarts })
        opened += page.length
        heartbeat({ opened })
        after = page.at(-1)
        if (page.length < pageSize) return { opened }
      }
    },

    async beginInactivity({ accountId, asOf }) {
      const lastActiveAt = await lastUse(sql, accountId)
      if (!lastActiveAt) return 'gone'
      const known = await findInactivity(sql, accountId)
      const isUpToDate = known?.last_active_at.getTime() === lastActiveAt.getTime()
      const row = isUpToDate ? known : newRow(lastActiveAt, new Date(asOf))
      const written = await putInactivity(sql, accountId, { ...row, check_by: plusDays(new Date(asOf), 1) })
      return written ? view(row) : 'gone'
    },

    async stillInactive({ accountId, lastActiveAt, checkBy }) {
      const answer = await ask(accountId, lastActiveAt)
      if (answer === 'inactive') await noteNextCheck(sql, accountId, new Date(checkBy))
      return answer
    },

    async sendFirstWarning({ accountId, lastActiveAt }) {
      const at = attemptTime()
      const lastActive = new Date(lastActiveAt)
      const row = { ...newRow(lastActive, at), first_warned_at: at }
      await warn(accountId, lastActive, firstWarningDays, { deletesAt: row.deletes_at, at })
      // Writes nothing when the account was erased meanwhile; the run's next question finds that out.
      await putInactivity(sql, accountId, { ...row, check_by: row.deletes_at })
      return view(row)
    },

    async sendLaterWarning({ accountId, lastActiveAt, daysBefore, deletesAt }) {
      await warn(accountId, new Date(lastActiveAt), daysBefore, { deletesAt: new Date(deletesAt), at: attemptTime() })
    },

    async deleteUnused({ accountId, lastActiveAt }) {
      const answer = await ask(accountId, lastActiveAt)
      if (answer !== 'inactive') return answer
      const accountRef = cipher.accountRef(accountId)
      // A deletion of this account may have completed already.
      await startUnlessOpen(temporal, {
        type: accountDeletionType,
        ...deletionStart({ accountRef, reason: 'inactivity' }, config.TEMPORAL_TASK_QUEUE),
      })
      return 'deleting'
    },
  }

  async function ask(accountId: string, lastActiveAt: string): Promise<'inactive' | 'active' | 'gone'> {
    const used = await lastUse(sql, accountId)
    if (!used) return 'gone'
    if (used <= new Date(lastActiveAt)) return 'inactive'
    await deleteInactivity(sql, accountId)
    return 'active'
  }

  async function open({ id, last_active_at: lastActiveAt }: Dormant): Promise<void> {
    const dueAt = plusDays(plusYears(lastActiveAt, inactivityYears), -firstWarningDays)
    await startUnlessOpen(temporal, {
      type: accountInactivityType,
      workflowId: inactivityWorkflowId(id),
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      args: [{ accountId: id } satisfies InactivityInput],
      typedSearchAttributes: initialSearchAttributes(
        { status: 'waiting', waitingFor: 'the first warning', dueAt },
        cipher.accountRef(id),
      ),
      staticSummary: 'An account that nobody uses',
    })
  }

  async function warn(
    accountId: string,
    lastActiveAt: Date,
    daysBefore: number,
    { deletesAt, at }: { deletesAt: Date; at: Date },
  ): Promise<void> {
    // The day of the last use is part of the kind, so a person who comes back is warned again the next time.
    const kind = `mail:inactivity:${daysBefore}:${dayOf(lastActiveAt)}`
    const compose = () =>
      toAccount(context, accountId, ({ firstName }, texts) =>
        renderInactivityWarning({
          site,
          texts,
          firstName,
          daysLeft: daysUntil(deletesAt, at),
          deletionDate: deletesAt,
          keepUrl: `${site.publicUrl}/account`,
        }),
      )
    await sendMail(context, { send: { subjectId: accountId, kind, accountId }, at, compose })
  }
}

/** The deletion date is three years after the last use, or sixty days after the first warning if that is later. */
function newRow(lastActiveAt: Date, warnedAt: Date): InactivityRow {
  return {
    last_active_at: lastActiveAt,
    first_warned_at: null,
    deletes_at: later(plusYears(lastActiveAt, inactivityYears), plusDays(warnedAt, firstWarningDays)),
  }
}

const view = (row: InactivityRow): Inactivity => ({
  lastActiveAt: row.last_active_at.toISOString(),
  firstWarnedAt: isoOrNull(row.first_warned_at),
  deletesAt: row.deletes_at.toISOString(),
})

/** The scheduled time of an attempt, in the workflow's time, which tests can skip. */
const attemptTime = (): Date => new Date(activityInfo().currentAttemptScheduledTimestampMs)
