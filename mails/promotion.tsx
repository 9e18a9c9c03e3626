/** U4: advertising, only for people who opted in. */
import { Action, Anchor, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface PromotionProps {
  site: Site
  subject: string
  /** plain text */
  paragraphs: string[]
  action?: { label: string; url: string }
}

/** replaced by each recipient's link in the shared rendering */
const placeholder = 'https://unsubscribe.invalid/token'

/**
 * Renders a campaign's mail once, since mails differ only in the unsubscribe link.
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

function Promotion({ site, subject, paragraphs, action }: PromotionProps) {
  return (
    <Layout
      site={site}
      preview={paragraphs[0] ?? ''}
      reason={
        <>
          You get this mail because you asked for our offers. <Anchor href={placeholder}>Unsubscribe</Anchor> with one
          tap.
        </>
      }
    >
      <Title>{subject}</Title>
      {paragraphs.map((text) => (
        <Paragraph key={text}>{text}</Paragraph>
      ))}
      {action ? <Action href={action.url}>{action.label}</Action> : null}
    </Layout>
  )
}
