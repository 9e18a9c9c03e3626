/**
 * N2, a material change is mailed at least 30 days before: the notice of a new policy. It is the same for all
 * recipients of a language.
 */
import type { Texts } from '../messages/texts.ts'
import { Action, Note, Paragraph, Subtitle, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'
import { colours } from './style.ts'

export interface PolicyNoticeProps {
  site: Site
  texts: Texts
  version: string
  effectiveOn: Date
  /** the changes, one sentence each, in the language of the policy */
  changes: string[]
  /** the coming version */
  url: string
}

export function renderPolicyNotice(props: PolicyNoticeProps): RenderedMail {
  const { site, texts, version, changes } = props
  const { t } = texts
  const subject = t('privacy.policy.subject', { day: texts.day(props.effectiveOn) })
  return renderMail(
    subject,
    <Layout site={site} texts={texts} preview={t('privacy.policy.preview')} reason={t('privacy.policy.reason')}>
      <Title>{subject}</Title>
      <Paragraph>{t('privacy.policy.text', { version })}</Paragraph>
      <ul className="ink" style={list}>
        {changes.map((change) => (
          <li key={change} style={{ margin: '0 0 6px' }}>
            {change}
          </li>
        ))}
      </ul>
      <Action href={props.url}>{t('privacy.policy.readNew')}</Action>
      <Subtitle>{t('privacy.policy.disagree')}</Subtitle>
      <Paragraph>{t('privacy.policy.delete', { url: `${site.publicUrl}/delete-account` })}</Paragraph>
      <Note>{t('privacy.policy.versions', { url: `${site.publicUrl}/privacy` })}</Note>
    </Layout>,
  )
}

const list = { color: colours.ink, fontSize: '15px', lineHeight: '24px', margin: '0 0 18px', paddingLeft: '22px' }
