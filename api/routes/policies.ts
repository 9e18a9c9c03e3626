/**
 * N1 and N2, a material change of the policy is posted and mailed: everyone can read the versions; operators post and
 * withdraw them.
 */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { findPolicy, listPolicies, type Policy, versionForNewcomers } from '../../db/policies.ts'
import { countNotices, listUnreached } from '../../db/policy-deliveries.ts'
import { periods } from '../../policy/periods.ts'
import { isoOrNull, plusDays } from '../../shared/calendar.ts'
import { actAndRecord, entryOn } from '../acts/recorded-acts.ts'
import { actorOf } from '../http/caller.ts'
import { cutPage, decodeCursor, pageQuery } from '../http/cursor.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { defineRoute, html, type Route } from '../http/route.ts'
import { layoutHeaders } from '../pages/layout.tsx'
import { renderPolicies, renderPolicy } from '../pages/policies.tsx'
import { createPolicyClient } from '../runs/policy-client.ts'
import { actReason } from '../views/operator-words.ts'
import { newPolicy, policyDetails, policyNotices, policySummary, policyVersion } from '../views/policy-fields.ts'

const everybody = ['public', 'service', 'operator', 'person', 'newcomer'] as const
const versionParams = z.strictObject({ version: policyVersion })
const details = { description: 'The version', schema: policyDetails } as const
const summaries = z.object({ items: z.array(policySummary) }).meta({ id: 'Policies' })
const position = z.tuple([z.uuid()])
/** Short, since an operator may withdraw a version. */
const pageHeaders = layoutHeaders({ maxAgeSeconds: 60 })

export function policyRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const client = createPolicyClient(api)

  /** @throws Problem not_found, also for a draft */
  async function posted(version: string): Promise<Policy> {
    const policy = await findPolicy(sql, version)
    if (!policy?.posted_at) throw new Problem('not_found')
    return policy
  }

  async function view(policy: Policy) {
    return { ...summaryOf(policy, await versionForNewcomers(sql)), text: policy.body }
  }

  return [
    defineRoute({
      method: 'get',
      path: '/privacy',
      tag: 'policies',
      summary: 'The privacy policy: the version in force, a coming one and all earlier ones',
      promises: ['N1'],
      callers: everybody,
      responses: { 200: html },
      async handle({ page }) {
        return { status: 200, headers: pageHeaders, raw: renderPolicies(await listPolicies(sql), page()) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/privacy/{version}',
      tag: 'policies',
      summary: 'One version of the privacy policy',
      promises: ['N1'],
      callers: everybody,
      params: versionParams,
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ params, page }) {
        const policy = await posted(params.version)
        return { status: 200, headers: pageHeaders, raw: renderPolicy(policy, page()) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/policies',
      tag: 'policies',
      summary: 'The versions of the privacy policy',
      promises: ['N1'],
      callers: everybody,
      responses: { 200: { description: 'All posted versions, the newest first', schema: summaries } },
      async handle() {
        const [all, forNewcomers] = await Promise.all([listPolicies(sql), versionForNewcomers(sql)])
        const items = all.map((policy) => summaryOf(policy, forNewcomers))
        // A sign-up names the version that it accepts: one from a stale copy would be refused.
        return { status: 200, headers: { 'Cache-Control': 'no-cache' }, body: { items } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/policies/{version}',
      tag: 'policies',
      summary: 'One version, with its text',
      promises: ['N1'],
      callers: everybody,
      params: versionParams,
      responses: { 200: details },
      problems: ['not_found'],
      async handle({ params }) {
        return { status: 200, body: await view(await posted(params.version)) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/policies',
      tag: 'policies',
      summary: 'Post a new version, and announce a material one by mail',
      description:
        'A material change is mailed to every account. It takes effect at the earliest 30 days after the last of these mails, and not before its date. If that is later than announced, the date moves and every account gets another mail. Only one version can be coming at a time.',
      promises: ['N1', 'N2'],
      callers: ['operator'],
      idempotencyKey: 'optional',
      largeBody: 'texts',
      body: newPolicy,
      responses: { 201: details },
      problems: ['policy_version_taken', 'policy_state_conflict'],
      async handle({ body, caller, idempotency }) {
        const { version, title, text, changes, material } = body
        const effectiveAt = new Date(body.effectiveAt)
        // A version that exists was checked when it was first posted.
        if (!(await findPolicy(sql, version))) assertFarEnough(effectiveAt, material)
        const draft = { version, title, body: text, changes, material, effective_at: effectiveAt }
        const policy = await actAndRecord(api, caller, idempotency, entryOn('post-policy', version, body), () =>
          client.post(draft, actorOf(caller)),
        )
        const location = { Location: `/v1/policies/${version}` }
        return { status: 201, headers: location, body: await view(policy) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/policies/{version}/withdraw',
      tag: 'policies',
      summary: 'Withdraw a version before it takes effect, with a mail to every account that got its announcement',
      promises: ['N1', 'N2'],
      callers: ['operator'],
      idempotencyKey: 'optional',
      params: versionParams,
      body: actReason.optional(),
      responses: { 200: details },
      problems: ['not_found', 'policy_state_conflict'],
      async handle({ params: { version }, body, caller, idempotency }) {
        orNotFound(await findPolicy(sql, version))
        const policy = await actAndRecord(api, caller, idempotency, entryOn('withdraw-policy', version, body), () =>
          client.withdraw(version),
        )
        return { status: 200, body: await view(policy) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/policies/{version}/notices',
      tag: 'policies',
      summary: 'The notices of a version: counts, and the accounts that mail did not reach',
      promises: ['N2'],
      callers: ['operator'],
      reads: ['policyNotices'],
      params: versionParams,
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'Counts, and a page of accounts', schema: policyNotices } },
      problems: ['not_found'],
      async handle({ params: { version }, query }) {
        const after = decodeCursor(query.cursor, position)?.[0]
        await posted(version)
        const [notices, found] = await Promise.all([
          countNotices(sql, version),
          listUnreached(sql, version, { after, limit: query.limit + 1 }),
        ])
        const { rows: items, nextCursor } = cutPage(found, query.limit, (row) => [row.accountId])
        return { status: 200, body: { notices, unreached: { items, nextCursor } } }
      },
    }),
  ]
}

/** Refuses a date that leaves too little time for the notices. @throws Problem invalid_request */
function assertFarEnough(effectiveAt: Date, material: boolean): void {
  const days = material ? periods.policyNotice.announcedAheadDays : 0
  if (effectiveAt >= plusDays(new Date(), days)) return
  const reason = material ? `must be ${days} days ahead at least` : 'must not be in the past'
  throw new Problem('invalid_request', { errors: [{ field: 'effectiveAt', reason }] })
}

function summaryOf(policy: Policy, forNewcomers: string) {
  const { version, title, material, changes, posted_at, announced_for, effective_at, ended_at } = policy
  return {
    version,
    title,
    state: stateOf(policy),
    material,
    changes,
    postedAt: (posted_at ?? policy.created_at).toISOString(),
    effectiveAt: effective_at.toISOString(),
    movedFrom: announced_for < effective_at ? announced_for.toISOString() : null,
    endedAt: isoOrNull(ended_at),
    forNewcomers: version === forNewcomers,
  }
}

/** Only the operator who posts a draft sees it, in the answer to that request. */
function stateOf({ state }: Policy): 'coming' | 'in_force' | 'superseded' | 'withdrawn' {
  return state === 'posted' || state === 'draft' ? 'coming' : state
}
