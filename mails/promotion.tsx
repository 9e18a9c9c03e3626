/** U4: the only mail that advertises, sent to those who asked for it. */
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

/** stands for the link in the one rendering that all recipients share */
const placeholder = 'https://unsubscribe.invalid/token'

/**
 * Renders once and answers a function that makes each recipient's mail, for the link to leave is all that differs.
 * That function takes the unsubscribe page with the recipient's token, and throws on anything but a plain http(s) URL.
 */
export function renderPromotion(props: PromotionProps): (unsubscribeUrl: string) => RenderedMail {
  const shared = renderMail(props.subject, <Promotion {...props} />)
  return (unsubscribeUrl) => {
    // nothing that HTML would read as anything but itself, so that it needs no escaping
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
