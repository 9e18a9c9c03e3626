/** Renders React elements to the parts of a mail. */
import { toPlainText } from '@react-email/render'
import type { ReactElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import type { RenderedMail } from '../providers/mail/mail.ts'

export type { RenderedMail }

const doctype =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">'

/** The library writes headings in capitals, which makes another brand of `eSIM`. */
const asWritten = ['h1', 'h2'].map((selector) => ({ selector, options: { uppercase: false } }))

/**
 * The text part is made from the HTML: both always have the same content. React's static renderer makes the same HTML
 * as the mail library's `render` in a fraction of the time, since no component suspends.
 */
export function renderMail(subject: string, element: ReactElement): RenderedMail {
  const html = doctype + renderToStaticMarkup(element)
  return { subject, html, text: toPlainText(html, { selectors: asWritten }) }
}
