/** U4, promotions go only to those who asked for them: advertising. */
import type { Texts } from '../messages/texts.ts'
import { Action, Anchor, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface PromotionProps {
  site: Site
  texts: Texts
  subject: string
  /** plain text */
  paragraphs: string[]
  action?: { label: string; url: string }
}

/** replaced by each recipient's link in the shared rendering */
const placeholder = 'https://unsubscribe.invalid/token'

/**
 * Renders a campaign's mail once for a language, since its mails differ only in the unsubscribe link.
 * @returns a function that inserts a recipient's link. It throws on anything but a plain http(s) URL.
 */
export function renderPromotion(props: PromotionProps): (unsubscribeUrl: string) => RenderedMail {
  const shared = renderMail(props.subject, <Promotion {...props} />)
  return (unsubscribeUrl) => {
    // Only characters that need no escaping in HTML.
    if (!/^https?:\/\/[\w.:-]+\/[\w./~-]*$/.test(unsubscribeUrl)) throw new Error('not a plain unsubscribe URL')
    return {
      subject: shared.subject,
      html: shared.html.replaceAll(placeholder, unsubscribeUrl),
      text: shared.text.replaceAll(placeholder, unsubscribeUrl),
    }
  }
}

function Promotion({ site, texts, subject, paragraphs, action }: PromotionProps) {
  return (
    <Layout
      site={site}
      texts={texts}
      preview={paragraphs[0] ?? ''}
      reason={texts.rich('privacy.promotion.reason', { link: (words) => <Anchor href={placeholder}>{words}</Anchor> })}
    >
      <Title>{subject}</Title>
      {paragraphs.map((text) => (
        <Paragraph key={text}>{text}</Paragraph>
      ))}
      {action ? <Action href={action.url}>{action.label}</Action> : null}
    </Layout>
  )
}
