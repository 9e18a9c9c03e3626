/** The layout of all mails, with a light and a dark theme. */
import { Body } from '@react-email/body'
import { Container } from '@react-email/container'
import { Head } from '@react-email/head'
import { Hr } from '@react-email/hr'
import { Html } from '@react-email/html'
import { Link } from '@react-email/link'
import { Section } from '@react-email/section'
import { Text } from '@react-email/text'
import type { ReactNode } from 'react'
import { type Texts, textsOf } from '../messages/texts.ts'
import { colours, darkStyle, font } from './style.ts'

/** The addresses that mails name. */
export interface Site {
  /** without a slash at the end */
  publicUrl: string
  supportMail: string
}

interface LayoutProps {
  site: Site
  /** without it in English: mails to operators */
  texts?: Texts
  /** the text beside the subject in a list of mails */
  preview: string
  children: ReactNode
  /** why the reader gets this mail, and how to stop such mails */
  reason: ReactNode
}

export function Layout({ site, texts = textsOf('en'), preview, children, reason }: LayoutProps) {
  return (
    <Html lang={texts.language} dir="ltr">
      <Head>
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <style>{darkStyle}</style>
      </Head>
      <Body className="page" style={{ backgroundColor: colours.page, fontFamily: font, margin: 0, padding: '24px 0' }}>
        {/* The library's preview component adds a thousand invisible characters, which doubles a mail's size. */}
        <div data-skip-in-text="true" style={hidden}>
          {preview}
        </div>
        <Container style={{ maxWidth: '560px', padding: '0 16px' }}>
          <Text className="brand" style={brand}>
            <span style={{ color: colours.accent }} className="accent">
              AMA
            </span>{' '}
            eSIM
          </Text>
          <Section className="card" style={card}>
            {children}
          </Section>
          <Section style={{ padding: '0 8px' }}>
            <Text className="muted" style={small}>
              {reason}
            </Text>
            <Hr className="line" style={{ borderColor: colours.line, margin: '16px 0' }} />
            <Text className="muted" style={small}>
              {texts.rich('common.questions', {
                address: site.supportMail,
                mail: (address) => (
                  <Link className="link" style={link} href={`mailto:${site.supportMail}`}>
                    {address}
                  </Link>
                ),
                privacy: (words) => (
                  <Link className="link" style={link} href={`${site.publicUrl}/privacy`}>
                    {words}
                  </Link>
                ),
              })}
            </Text>
            <Text className="muted" style={small}>
              {texts.t('common.imprint')}
            </Text>
          </Section>
        </Container>
      </Body>
    </Html>
  )
}

const hidden = { display: 'none', lineHeight: '1px', maxHeight: 0, maxWidth: 0, opacity: 0, overflow: 'hidden' }
const brand = { color: colours.ink, fontSize: '20px', fontWeight: 700, letterSpacing: '-0.2px', margin: '0 8px 12px' }
const card = {
  backgroundColor: colours.card,
  border: `1px solid ${colours.line}`,
  borderRadius: '12px',
  padding: '28px 28px 20px',
  // A name or an address may be longer than a phone is wide.
  wordBreak: 'break-word',
} as const
const small = { color: colours.muted, fontSize: '13px', lineHeight: '20px', margin: '12px 0' }
const link = { color: colours.accent, textDecoration: 'underline' }
