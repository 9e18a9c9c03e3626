/** The frame of every page of the console: where to go, the search, and who is signed in. */
import type { ReactNode } from 'react'
import { Form } from '../form.tsx'
import { englishPage, renderLayout } from '../layout.tsx'
import { Button } from './parts.tsx'
import type { TemporalUi } from './temporal-links.ts'

export interface ConsoleFrame {
  supportMail: string
  csrf: string
  /** the name of the operator, or of their key */
  label: string
  ui: TemporalUi
}

export function renderConsolePage(
  frame: ConsoleFrame,
  { title, search = '', children }: { title: string; search?: string; children: ReactNode },
): string {
  const { csrf, label, ui } = frame
  return renderLayout({
    ...englishPage(frame.supportMail),
    title,
    children: (
      <>
        <nav aria-label="Console">
          <a href="/console">Console</a>
          <a href="/console/orders">Orders</a>
          <a href="/console/bulk-actions">Bulk</a>
          <a href="/console/tasks">Tasks</a>
          <a href="/console/privacy-requests">Requests</a>
          <a href="/console/promises">Promises</a>
          <a href="/docs">API</a>
          {ui.url ? <a href={ui.url}>Workflows</a> : null}
        </nav>
        <Form action="/console/search" csrf={csrf}>
          <label>
            Find an account or order
            <input
              type="search"
              name="query"
              defaultValue={search}
              required
              minLength={3}
              maxLength={320}
              autoComplete="off"
              placeholder="e-mail, order, ICCID, invoice, payment, refund, account, AccountRef"
            />
          </label>
          <button type="submit">Find</button>
        </Form>
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
