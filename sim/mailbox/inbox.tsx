/** The mailbox's pages for a browser. React escapes the content of mails. */
import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import type { ReadMail } from './store.ts'

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .45rem .6rem; text-align: left; vertical-align: top; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; opacity: .75; }
iframe { border: 1px solid var(--line); border-radius: .5rem; height: 46rem; width: 100%; background: #fff; }
pre { border: 1px solid var(--line); border-radius: .5rem; overflow: auto; padding: 1rem; white-space: pre-wrap; }
summary { cursor: pointer; margin: 1rem 0 .5rem; font-weight: 600; }`

export function inboxPage(mails: ReadMail[], total: number): string {
  return page(
    'Inbox',
    <>
      <h1>Inbox</h1>
      <p>
        {total} {total === 1 ? 'message' : 'messages'}
        {total > mails.length ? `, the newest ${mails.length} shown` : ''}
      </p>
      <table>
        <thead>
          <tr>
            <th>Received (UTC)</th>
            <th>To</th>
            <th>Subject</th>
          </tr>
        </thead>
        <tbody>
          {mails.map((mail) => (
            <tr key={mail.id}>
              <td className="time">{mail.at.slice(0, 19).replace('T', ' ')}</td>
              <td>{mail.envelope.to.join(', ')}</td>
              <td>
                <a href={`/messages/${mail.id}`}>{mail.subject || mail.messageId || '(no subject)'}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>,
  )
}

export function mailPage(mail: ReadMail): string {
  return page(
    mail.subject,
    <>
      <p>
        <a href="/">Inbox</a>
      </p>
      <h1>{mail.subject || '(no subject)'}</h1>
      <p>
        To {mail.envelope.to.join(', ')}, from {mail.headers.from ?? mail.envelope.from}, {mail.at}
      </p>
      {mail.html ? (
        // Without scripts and same origin: a mail can only open links in a new tab.
        <iframe title="Message" sandbox="allow-popups allow-popups-to-escape-sandbox" srcDoc={withInlineImages(mail)} />
      ) : null}
      <details open={!mail.html}>
        <summary>Plain text</summary>
        <pre>{mail.text}</pre>
      </details>
      <details>
        <summary>Headers and envelope</summary>
        <pre>
          {[
            `envelope from: ${mail.envelope.from}`,
            `envelope to: ${mail.envelope.to.join(', ')}`,
            '',
            ...Object.entries(mail.headers).map(([name, value]) => `${name}: ${value}`),
          ].join('\n')}
        </pre>
      </details>
      {mail.attachments.length > 0 ? (
        <details>
          <summary>Attachments</summary>
          <ul>
            {mail.attachments.map((attachment, index) => (
              <li key={attachment.filename + attachment.cid}>
                <a href={`/messages/${mail.id}/attachments/${index}`}>{attachment.filename || '(unnamed)'}</a>,{' '}
                {attachment.contentType}, {attachment.size} bytes{attachment.cid ? `, cid ${attachment.cid}` : ''}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      <p>
        <a href={`/messages/${mail.id}/raw`}>As received</a>
      </p>
    </>,
  )
}

function withInlineImages(mail: ReadMail): string {
  const inlined = mail.attachments.reduce(
    (html, { cid, contentType, base64 }) =>
      cid && /^image\/[a-z+.-]+$/.test(contentType)
        ? html.replaceAll(`cid:${cid}`, `data:${contentType};base64,${base64}`)
        : html,
    mail.html,
  )
  return `<base target="_blank">${inlined}`
}

function page(title: string, content: ReactNode): string {
  return `<!doctype html>${renderToStaticMarkup(
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{title}</title>
        <style>{style}</style>
      </head>
      <body>{content}</body>
    </html>,
  )}`
}
