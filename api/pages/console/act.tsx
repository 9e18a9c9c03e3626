/** The form of one act of an operator: what it does, why, and the button that does it. */
import type { ReactNode } from 'react'
import { Form } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'

export interface ActPage {
  /** the page that the act is about, to which it leads back */
  about: { path: string; name: string }
  action: string
  label: string
  /** what it does, in one sentence */
  does: string
  danger: boolean
  /** recognises the form when it is sent twice */
  once: string
  reason: string
  /** further fields, with the values that were typed */
  children?: ReactNode
  faults: readonly { field: string; reason: string }[]
}

export function renderAct(frame: ConsoleFrame, act: ActPage): string {
  const { about, label, does, once, reason, faults } = act
  return renderConsolePage(frame, {
    title: label,
    back: { href: about.path, label: about.name },
    hasFault: faults.length > 0,
    children: (
      <>
        {faults.length > 0 ? (
          <div className="faults" role="alert">
            <ul>
              {faults.map((fault) => (
                <li key={fault.field + fault.reason}>
                  {fault.field}: {fault.reason}
                </li>
              ))}
            </ul>
          </div>
        ) : null}
        <p>{does}</p>
        <Form action={act.action} csrf={frame.csrf}>
          <input type="hidden" name="once" value={once} />
          {act.children}
          <label>
            Reason, without personal data
            <textarea name="reason" required minLength={3} maxLength={500} defaultValue={reason} />
          </label>
          <button type="submit" className={act.danger ? 'danger' : undefined}>
            {label} now
          </button>
          <a className="button plain" href={about.path}>
            Go back
          </a>
        </Form>
      </>
    ),
  })
}
