/**
 * N1 and N2: a version of the policy is posted and mailed 30 days before it takes effect. Activities of the policy
 * notice.
 */
import type { Context } from '../context.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import * as policies from '../db/policies.ts'
import { countNotNotified, giveUpDeliveries, idRange, lastNotifiedAt, type Notice } from '../db/policy-deliveries.ts'
import { renderPolicyMoved, renderPolicyWithdrawn } from '../mails/policy-change.tsx'
import { renderPolicyNotice } from '../mails/policy-notice.tsx'
import type { RenderedMail } from '../mails/render.ts'
import { type Texts, textsOf } from '../messages/texts.ts'
import { periods } from '../policy/periods.ts'
import { later, plusDays, plusMs, startOfDay } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import type { NextStep, PolicyActivities } from '../workflows/policy-notice.contract.ts'
import { mailPage } from './policy-mailing.ts'

/** small, because a page starts again when its worker crashes */
const recipientsPerPage = 500

export function createPolicyActivities(context: Context): PolicyActivities {
  const { sql } = context

  return {
    async postPolicy({ version, asOf }) {
      const outcome = await sql.begin((tx) => policies.postPolicy(tx, version, new Date(asOf)))
      if (outcome !== 'posted') throw failure('PolicyStateConflict', { code: outcome })
      return { effectiveAt: (await requirePolicy(version)).effective_at.toISOString() }
    },

    async withdrawPolicy({ version, asOf }) {
      await policies.withdrawPolicy(sql, version, new Date(asOf))
      return { state: (await requirePolicy(version)).state }
    },

    async nextPolicyStep({ version, asOf }) {
      const at = new Date(asOf)
      const policy = await requirePolicy(version)
      if (policy.state === 'withdrawn') {
        const mailing = await nextMailing(policy, 'withdrawn')
        if (mailing) return mailing
        await policies.returnNewcomers(sql, version)
        return ended('withdrawn', policy)
      }
      if (policy.state !== 'posted') return ended('in_force', policy)
      return (policy.material && (await nextNotice(policy, at))) || tryBringIntoForce(await requirePolicy(version), at)
    },

    async mailPolicyPage({ version, notice, page, pages }) {
      const policy = await requirePolicy(version)
      const noticeOfVersion = { version, notice }
      return mailPage(context, {
        policy,
        notice: noticeOfVersion,
        range: idRange(page, pages),
        mailIn: (language) => policyMail(context, policy, noticeOfVersion.notice, textsOf(language)),
      })
    },

    async giveUpPolicyMails({ version, notice, asOf }) {
      const givenUp = await giveUpDeliveries(sql, { version, notice })
      if (givenUp === 0) return
      const task = { kind: 'policy_notice_undelivered', subjectId: version, detail: `${givenUp} ${notice}` }
      await raiseOperatorTask(sql, { ...task, at: new Date(asOf) })
    },
  }

  /**
   * First the announcement to all accounts; then, if the date was postponed, the new date to those who got an earlier
   * one.
   */
  async function nextNotice(policy: policies.Policy, at: Date): Promise<NextStep | undefined> {
    const { version } = policy
    const announced = { version, notice: 'announced' } as const
    if ((await countNotNotified(sql, announced)) > 0) {
      await postponeBehind(policy, at)
      return nextMailing(await requirePolicy(version), 'announced')
    }
    await postponeBehind(policy, await lastNotifiedAt(sql, announced))
    const current = await requirePolicy(version)
    return current.moves === 0 ? undefined : nextMailing(current, `moved:${current.moves}`)
  }

  /** Postpones the version to thirty days after the last account was notified, by mail or by the page. */
  async function postponeBehind(policy: policies.Policy, notifiedAt: Date | undefined): Promise<void> {
    const postedAt = policy.posted_at ?? policy.created_at
    const earliest = dayAfter(plusDays(later(notifiedAt ?? postedAt, postedAt), periods.policyNotice.beforeEffectDays))
    await policies.movePolicy(sql, policy.version, earliest)
  }

  async function nextMailing(policy: policies.Policy, notice: Notice): Promise<NextStep | undefined> {
    const notNotified = await countNotNotified(sql, { version: policy.version, notice })
    if (notNotified === 0) return undefined
    const pages = Math.ceil(notNotified / recipientsPerPage)
    return { step: 'mail', notice, pages, effectiveAt: policy.effective_at.toISOString() }
  }

  async function tryBringIntoForce(policy: policies.Policy, at: Date): Promise<NextStep> {
    if (at < policy.effective_at) return { step: 'wait', until: policy.effective_at.toISOString() }
    const { version } = policy
    const inForce = await sql.begin(async (tx) => {
      // An account that signed up to the old version while this one was posted has to be notified first.
      if (policy.material && (await countNotNotified(tx, { version, notice: 'announced' })) > 0) return false
      return policies.bringIntoForce(tx, version, at)
    })
    // Withdrawn meanwhile, or an account is to be notified: the next call finds out which.
    return inForce ? ended('in_force', policy) : { step: 'wait', until: plusMs(at, 1).toISOString() }
  }

  async function requirePolicy(version: string): Promise<policies.Policy> {
    const policy = await policies.findPolicy(sql, version)
    if (!policy) throw failure('PolicyStateConflict', { code: 'unknown' })
    return policy
  }
}

/** The mail of a notice. */
export function policyMail(
  { config }: Pick<Context, 'config'>,
  { version, changes, effective_at: effectiveOn }: policies.Policy,
  notice: Notice,
  texts: Texts,
): RenderedMail {
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }
  const url = `${site.publicUrl}/privacy/${encodeURIComponent(version)}`
  if (notice.startsWith('withdrawn')) return renderPolicyWithdrawn({ site, texts, version })
  if (notice.startsWith('moved')) return renderPolicyMoved({ site, texts, version, effectiveOn, url })
  return renderPolicyNotice({ site, texts, version, effectiveOn, changes, url })
}

/** Mails name a day (UTC), so the version takes effect at the start of the first day after the thirty days. */
const dayAfter = (at: Date): Date => (startOfDay(at) < at ? plusDays(startOfDay(at), 1) : at)

const ended = (status: 'in_force' | 'withdrawn', policy: policies.Policy): NextStep => ({
  step: 'end',
  status,
  effectiveAt: policy.effective_at.toISOString(),
})
