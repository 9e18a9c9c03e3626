/** The components of mails. */
import { Button } from '@react-email/button'
import { Heading } from '@react-email/heading'
import { Link } from '@react-email/link'
import { Section } from '@react-email/section'
import { Text } from '@react-email/text'
import type { ReactNode } from 'react'
import { colours, monospace } from './style.ts'

interface WithChildren {
  children: ReactNode
}

export function Title({ children }: WithChildren) {
  return (
    <Heading
      as="h1"
      className="ink"
      style={{ color: colours.ink, fontSize: '22px', lineHeight: '30px', margin: '0 0 12px' }}
    >
      {children}
    </Heading>
  )
}

export function Subtitle({ children }: WithChildren) {
  return (
    <Heading
      as="h2"
      className="ink"
      style={{ color: colours.ink, fontSize: '16px', lineHeight: '24px', margin: '24px 0 8px' }}
    >
      {children}
    </Heading>
  )
}

export function Paragraph({ children }: WithChildren) {
  return (
    <Text className="ink" style={{ color: colours.ink, fontSize: '15px', lineHeight: '24px', margin: '0 0 14px' }}>
      {children}
    </Text>
  )
}

export function Note({ children }: WithChildren) {
  return (
    <Text className="muted" style={{ color: colours.muted, fontSize: '13px', lineHeight: '20px', margin: '0 0 14px' }}>
      {children}
    </Text>
  )
}

export function Action({ href, children }: WithChildren & { href: string }) {
  return (
    <Section style={{ margin: '6px 0 20px' }}>
      <Button className="button" href={href} style={button}>
        {children}
      </Button>
    </Section>
  )
}

export function Anchor({ href, children }: WithChildren & { href: string }) {
  return (
    <Link className="link" href={href} style={{ color: colours.accent, textDecoration: 'underline' }}>
      {children}
    </Link>
  )
}

/** A code to type or copy: it can break anywhere, and no mail client turns it into a link. */
export function Code({ children }: WithChildren) {
  return (
    <span style={{ fontFamily: monospace, fontSize: '14px', wordBreak: 'break-all', userSelect: 'all' }}>
      {children}
    </span>
  )
}

/** Pairs of name and value; in plain text `name: value`. */
export function Facts({ of }: { of: [name: string, value: ReactNode][] }) {
  return (
    <Section
      className="quiet"
      style={{ backgroundColor: colours.quiet, borderRadius: '8px', margin: '0 0 18px', padding: '8px 16px' }}
    >
      {of.map(([name, value]) => (
        <Text
          key={name}
          className="ink"
          style={{ color: colours.ink, fontSize: '14px', lineHeight: '22px', margin: '6px 0' }}
        >
          <span className="muted" style={{ color: colours.muted }}>
            {name}:
          </span>{' '}
          {value}
        </Text>
      ))}
    </Section>
  )
}

export function Steps({ children }: WithChildren) {
  return (
    <ol
      className="ink"
      style={{ color: colours.ink, fontSize: '15px', lineHeight: '24px', margin: '0 0 16px', paddingLeft: '22px' }}
    >
      {children}
    </ol>
  )
}

const button = {
  backgroundColor: colours.accent,
  borderRadius: '8px',
  color: colours.onAccent,
  fontSize: '15px',
  fontWeight: 600,
  padding: '12px 20px',
}
