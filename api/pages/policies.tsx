/**
 * N1, a material change of the policy is posted: pages with the version in force, a coming one and all earlier ones.
 */
import type { ReactNode } from 'react'
import type { Policy } from '../../db/policies.ts'
import type { Texts } from '../../messages/texts.ts'
import { type PageContext, renderLayout } from './layout.tsx'
import { Markdown } from './markdown.tsx'

/** The policy itself is in English; its frame is in the reader's language. */
const ofPolicy = 'en'

/** @param policies all posted versions, the newest first */
export function renderPolicies(policies: readonly Policy[], page: PageContext): string {
  const { texts } = page
  const { t, day } = texts
  const inForce = policies.find(({ state }) => state === 'in_force')
  const coming = policies.find(({ state }) => state === 'posted')
  const past = policies.filter(({ state }) => state === 'superseded' || state === 'withdrawn')
  return renderLayout({
    ...page,
    title: inForce?.title ?? t('page.policy.title'),
    titleLanguage: inForce && ofPolicy,
    children: (
      <>
        {coming ? <Coming texts={texts} policy={coming} /> : null}
        {inForce ? (
          <>
            <p>{t('page.policy.current', { version: inForce.version, day: day(inForce.effective_at) })}</p>
            <div lang={ofPolicy}>
              <Markdown text={inForce.body} />
            </div>
          </>
        ) : null}
        {past.length > 0 ? (
          <section>
            <h2>{t('page.policy.earlier')}</h2>
            <ul>
              {past.map((policy) => (
                <li key={policy.version}>
                  <VersionLink policy={policy}>{policy.version}</VersionLink>, {lifeOf(texts, policy)}
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
export function renderPolicy(policy: Policy, page: PageContext): string {
  const { texts } = page
  const { t } = texts
  return renderLayout({
    ...page,
    title: policy.title,
    titleLanguage: ofPolicy,
    children: (
      <>
        <p>
          {t('page.policy.version', { version: policy.version, life: lifeOf(texts, policy) })}{' '}
          <a href="/privacy">{t('page.policy.all')}</a>
        </p>
        {policy.changes.length > 0 ? <Changes texts={texts} of={policy} /> : null}
        <div lang={ofPolicy}>
          <Markdown text={policy.body} />
        </div>
      </>
    ),
  })
}

function Coming({ texts, policy }: { texts: Texts; policy: Policy }) {
  const { version, effective_at: effectiveAt, announced_for: announcedFor } = policy
  const day = texts.day(effectiveAt)
  const link = (words: ReactNode) => <VersionLink policy={policy}>{words}</VersionLink>
  return (
    <section className="card" id="coming">
      <h2>{texts.t('page.policy.coming', { day })}</h2>
      <p>
        {hasMoved(policy)
          ? texts.rich('page.policy.comingMoved', { version, day, announced: texts.day(announcedFor), link })
          : texts.rich('page.policy.comingText', { version, day, link })}
      </p>
      <Changes texts={texts} of={policy} />
    </section>
  )
}

function Changes({ texts, of: { changes } }: { texts: Texts; of: Policy }) {
  return (
    <>
      <p>{texts.t('page.policy.changes')}</p>
      <ul lang={ofPolicy}>
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

const hasMoved = ({ announced_for: announced, effective_at: effective }: Policy): boolean => announced < effective

function lifeOf({ t, day: dayOf }: Texts, policy: Policy): string {
  const { state, effective_at: effective, ended_at: ended } = policy
  const day = dayOf(effective)
  if (state === 'in_force') return t('page.policy.life.inForce', { day })
  if (state === 'withdrawn')
    return ended ? t('page.policy.life.withdrawn', { day: dayOf(ended) }) : t('page.policy.life.withdrawnOnce')
  if (state === 'superseded')
    return ended
      ? t('page.policy.life.superseded', { from: day, to: dayOf(ended) })
      : t('page.policy.life.supersededOnce', { from: day })
  return hasMoved(policy)
    ? t('page.policy.life.comingMoved', { day, announced: dayOf(policy.announced_for) })
    : t('page.policy.life.coming', { day })
}
