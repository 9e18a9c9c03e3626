/** The frame of every page of the console: where to go, the search, and who is signed in. */
import { Icon } from '../brand/icons.tsx'
import { Form } from '../form.tsx'
import { englishPage, type PageLayout, renderLayout } from '../layout.tsx'
import { Button } from './parts.tsx'
import type { TemporalUi } from './temporal-links.ts'

export interface ConsoleFrame {
  supportMail: string
  csrf: string
  /** the name of the operator, or of their key */
  label: string
  ui: TemporalUi
  /** what was just done, as its path names it */
  did?: string | undefined
}

const parts = {
  '/console': 'Console',
  '/console/orders': 'Orders',
  '/console/bulk-actions': 'Bulk',
  '/console/tasks': 'Tasks',
  '/console/privacy-requests': 'Requests',
  '/console/promises': 'Promises',
} as const

interface ConsolePage extends Pick<PageLayout, 'title' | 'back' | 'hasFault' | 'children'> {
  /** the part of the console that the page is, or belongs to */
  part?: keyof typeof parts
  /** what was searched for */
  search?: string
}

export function renderConsolePage(frame: ConsoleFrame, { part, search = '', children, ...page }: ConsolePage): string {
  const { csrf, label, ui, did } = frame
  return renderLayout({
    ...englishPage(frame.supportMail),
    ...page,
    head: (
      <nav aria-label="Console">
        {Object.entries(parts).map(([href, name]) => (
          <a key={href} href={href} aria-current={href === part ? 'page' : undefined}>
            {name}
          </a>
        ))}
        <a href="/docs">API</a>
        {ui.url ? <a href={ui.url}>Workflows</a> : null}
      </nav>
    ),
    children: (
      <>
        <div className="search">
          <Form action="/console/search" csrf={csrf}>
            <label>
              Find an account, order or privacy request
              <input
                type="search"
                name="query"
                defaultValue={search}
                required
                minLength={3}
                maxLength={320}
                autoComplete="off"
                placeholder="e-mail, order, ICCID, invoice, payment, refund, account, AccountRef, PR-…"
              />
            </label>
            <button type="submit">Find</button>
          </Form>
        </div>
        {did === undefined ? null : (
          <p className="saved" role="status">
            <Icon of="check" /> Done: {did.replaceAll('-', ' ')}.
          </p>
        )}
        {children}
        <p className="quiet">
          Signed in as “{label}”. Everything done here is in the security log.{' '}
          <a href="/console/sessions">Your sessions</a>
        </p>
        <Button action="/console/sign-out" csrf={csrf} label="Sign out" />
      </>
    ),
  })
}
