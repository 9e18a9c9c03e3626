/** N1, N2: posting a version, telling everybody, moving its date, and bringing it into force. */
import type { Context } from '../context.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import * as policies from '../db/policies.ts'
import { countNotNotified, giveUpDeliveries, idRange, lastNotifiedAt, type Notice } from '../db/policy-deliveries.ts'
import { renderPolicyMoved, renderPolicyWithdrawn } from '../mails/policy-change.tsx'
import { renderPolicyNotice } from '../mails/policy-notice.tsx'
import type { RenderedMail } from '../mails/render.ts'
import { periods } from '../policy/periods.ts'
import { later, plusDays, plusMs, startOfDay } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import type { NextStep, PolicyActivities } from '../workflows/policy-notice.contract.ts'
import { mailPage } from './policy-mailing.ts'

/** as many as an activity should lose when its worker dies */
const recipientsPerPage = 500

export function createPolicyActivities(context: Context): PolicyActivities {
  const { sql, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    async postPolicy({ version, asOf }) {
      const outcome = await sql.begin((tx) => policies.postPolicy(tx, version, new Date(asOf)))
      if (outcome !== 'posted') throw failure('PolicyStateConflict', { code: outcome })
      return { effectiveAt: (await known(version)).effective_at.toISOString() }
    },

    async withdrawPolicy({ version, asOf }) {
      await policies.withdrawPolicy(sql, version, new Date(asOf))
      return { state: (await known(version)).state }
    },

    async nextPolicyStep({ version, asOf }) {
      const at = new Date(asOf)
      const policy = await known(version)
      if (policy.state === 'withdrawn') {
        const untold = await nextMailing(policy, 'withdrawn')
        if (untold) return untold
        await policies.returnNewcomers(sql, version)
        return ended('withdrawn', policy)
      }
      if (policy.state !== 'posted') return ended('in_force', policy)
      return (policy.material && (await nextNotice(policy, at))) || effect(await known(version), at)
    },

    async mailPolicyPage({ version, notice, page, pages }) {
      const policy = await known(version)
      const told = { version, notice: notice as Notice }
      return mailPage(context, { policy, told, range: idRange(page, pages), mail: mailOf(policy, told.notice) })
    },

    async giveUpPolicyMails({ version, notice, asOf }) {
      const given = await giveUpDeliveries(sql, { version, notice: notice as Notice })
      if (given === 0) return
      const task = { kind: 'policy_notice_undelivered', subjectId: version, detail: `${given} ${notice}` }
      await raiseOperatorTask(sql, { ...task, at: new Date(asOf) })
    },
  }

  /** Everybody is told that it comes; then, should its date have moved, those who were told an earlier one. */
  async function nextNotice(policy: policies.Policy, at: Date): Promise<NextStep | undefined> {
    const { version } = policy
    const announced = { version, notice: 'announced' } as const
    if ((await countNotNotified(sql, announced)) > 0) {
      await moveBehind(policy, at)
      return nextMailing(await known(version), 'announced')
    }
    await moveBehind(policy, await lastNotifiedAt(sql, announced))
    const settled = await known(version)
    return settled.moves === 0 ? undefined : nextMailing(settled, `moved:${settled.moves}`)
  }

  /** It takes effect thirty days after whoever is told last, by mail or by the page, and not before. */
  async function moveBehind(policy: policies.Policy, toldAt: Date | undefined): Promise<void> {
    const postedAt = policy.posted_at ?? policy.created_at
    const earliest = dayAfter(plusDays(later(toldAt ?? postedAt, postedAt), periods.policyNotice.beforeEffectDays))
    await policies.movePolicy(sql, policy.version, earliest)
  }

  async function nextMailing(policy: policies.Policy, notice: Notice): Promise<NextStep | undefined> {
    const untold = await countNotNotified(sql, { version: policy.version, notice })
    if (untold === 0) return undefined
    const pages = Math.ceil(untold / recipientsPerPage)
    return { step: 'mail', notice, pages, effectiveAt: policy.effective_at.toISOString() }
  }

  async function effect(policy: policies.Policy, at: Date): Promise<NextStep> {
    if (at < policy.effective_at) return { step: 'wait', until: policy.effective_at.toISOString() }
    const { version } = policy
    const inForce = await sql.begin(async (tx) => {
      // Whoever signed up at the moment it was posted, and not to it, is told first.
      if (policy.material && (await countNotNotified(tx, { version, notice: 'announced' })) > 0) return false
      return policies.bringIntoForce(tx, version, at)
    })
    // It was withdrawn at this moment, or somebody is to be told: the next look says which.
    return inForce ? ended('in_force', policy) : { step: 'wait', until: plusMs(at, 1).toISOString() }
  }

  async function known(version: string): Promise<policies.Policy> {
    const policy = await policies.findPolicy(sql, version)
    if (!policy) throw failure('PolicyStateConflict', { code: 'unknown' })
    return policy
  }

  function mailOf(policy: policies.Policy, notice: Notice): RenderedMail {
    const { version, changes, effective_at: effectiveOn } = policy
    const url = `${site.publicUrl}/privacy/${encodeURIComponent(version)}`
    if (notice === 'withdrawn') return renderPolicyWithdrawn({ site, version })
    if (notice === 'announced') return renderPolicyNotice({ site, version, effectiveOn, changes, url })
    return renderPolicyMoved({ site, version, effectiveOn, url })
  }
}

/** Mails name a day: it begins when the thirty days are over everywhere within it. */
const dayAfter = (at: Date): Date => (startOfDay(at) < at ? plusDays(startOfDay(at), 1) : at)

const ended = (status: 'in_force' | 'withdrawn', policy: policies.Policy): NextStep => ({
  step: 'end',
  status,
  effectiveAt: policy.effective_at.toISOString(),
})
