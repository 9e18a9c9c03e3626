/** N1: pages with the version of the privacy policy in force, a coming one and all earlier ones. */
import type { ReactNode } from 'react'
import type { Policy } from '../../db/policies.ts'
import { day } from '../../mails/format.ts'
import { renderLayout } from './layout.tsx'
import { Markdown } from './markdown.tsx'

/** @param policies all posted versions, the newest first */
export function renderPolicies(policies: readonly Policy[], supportMail: string): string {
  const inForce = policies.find(({ state }) => state === 'in_force')
  const coming = policies.find(({ state }) => state === 'posted')
  const past = policies.filter(({ state }) => state === 'superseded' || state === 'withdrawn')
  return renderLayout({
    title: inForce?.title ?? 'Privacy policy',
    supportMail,
    children: (
      <>
        {coming ? <Coming policy={coming} /> : null}
        {inForce ? (
          <>
            <p>
              Version {inForce.version}, in force since {day(inForce.effective_at)}.
            </p>
            <Markdown text={inForce.body} />
          </>
        ) : null}
        {past.length > 0 ? (
          <section>
            <h2>Earlier versions</h2>
            <ul>
              {past.map((policy) => (
                <li key={policy.version}>
                  <VersionLink policy={policy}>{policy.version}</VersionLink>, {lifeOf(policy)}
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </>
    ),
  })
}

/** The page of one version, in any state. */
export function renderPolicy(policy: Policy, supportMail: string): string {
  return renderLayout({
    title: policy.title,
    supportMail,
    children: (
      <>
        <p>
          Version {policy.version}, {lifeOf(policy)}. <a href="/privacy">The policy in force, and all other versions</a>
        </p>
        {policy.changes.length > 0 ? <Changes of={policy} /> : null}
        <Markdown text={policy.body} />
      </>
    ),
  })
}

function Coming({ policy }: { policy: Policy }) {
  const { version, effective_at: effectiveAt } = policy
  return (
    <section className="card" id="coming">
      <h2>Coming on {day(effectiveAt)}</h2>
      <p>
        <VersionLink policy={policy}>Version {version}</VersionLink> takes effect on {day(effectiveAt)}
        {movedNote(policy)}. Until then what stands below holds.
      </p>
      <Changes of={policy} />
    </section>
  )
}

function Changes({ of: { changes } }: { of: Policy }) {
  return (
    <>
      <p>What changes:</p>
      <ul>
        {changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
    </>
  )
}

function VersionLink({ policy, children }: { policy: Policy; children: ReactNode }) {
  return <a href={`/privacy/${encodeURIComponent(policy.version)}`}>{children}</a>
}

function movedNote({ announced_for: announced, effective_at: effective }: Policy): string {
  return announced < effective ? ` (first announced for ${day(announced)}: not everybody could be told in time)` : ''
}

function lifeOf(policy: Policy): string {
  const { state, effective_at: effective, ended_at: ended } = policy
  if (state === 'in_force') return `in force since ${day(effective)}`
  if (state === 'withdrawn') return `withdrawn${ended ? ` on ${day(ended)}` : ''}, never in force`
  if (state === 'superseded') return `in force from ${day(effective)}${ended ? ` to ${day(ended)}` : ''}`
  return `coming on ${day(effective)}${movedNote(policy)}`
}
