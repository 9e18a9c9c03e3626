/** The form of one act of an operator: what it does, why, and the button that does it. */
import type { ReactNode } from 'react'
import { FaultSummary, Form, type FormState, TextField } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'

/**
 * What is wrong with a form; `field` is the name of a field in words (`Paid from`), or says what has refused the whole.
 */
interface Fault {
  field: string
  reason: string
}

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
  faults: readonly Fault[]
  /** what the act is about */
  subject?: ReactNode
  /** further values that the form sends as the page got them, by their names */
  hidden?: Readonly<Record<string, string>>
  /** what was typed into its further fields, by their names */
  typed?: Readonly<Record<string, string>>
  /** its further fields */
  fields?: (state: FormState) => ReactNode
}

/**
 * What the form of an operator shows: what was typed, and each fault at its field.
 * @param typed by the names of the fields
 */
export function operatorForm(
  typed: Readonly<Record<string, string>>,
  faults: readonly Fault[],
): FormState & { hasFault: boolean } {
  const names = new Map(Object.keys(typed).map((name) => [name.toLowerCase(), name]))
  const nameOf = ({ field }: Fault): string | undefined => names.get(field.replaceAll(' ', '').toLowerCase())
  const others = faults.filter((fault) => nameOf(fault) === undefined)
  const [refusal] = others
  return {
    typed,
    hasFault: faults.length > 0,
    heading: refusal?.field ?? 'Nothing was done',
    faults: new Map(
      faults.flatMap((fault) => {
        const name = nameOf(fault)
        return name === undefined ? [] : [[name, `${fault.field} ${fault.reason}`] as const]
      }),
    ),
    others: others.map(({ reason }) => reason),
  }
}

/** Why an operator does something: a field of each of their forms. */
export function ReasonField({ state }: { state: FormState }) {
  return (
    <TextField
      name="reason"
      label="Reason, without personal data"
      state={state}
      required
      minLength={3}
      maxLength={500}
    />
  )
}

export function renderAct(frame: ConsoleFrame, act: ActPage): string {
  const { about, label, does, once, reason, faults } = act
  const state = operatorForm({ ...act.typed, reason }, faults)
  return renderConsolePage(frame, {
    title: label,
    back: { href: about.path, label: about.name },
    hasFault: state.hasFault,
    children: (
      <>
        <FaultSummary of={state.hasFault ? state : undefined} />
        <p>{does}</p>
        {act.subject}
        <Form action={act.action} csrf={frame.csrf}>
          <input type="hidden" name="once" value={once} />
          {Object.entries(act.hidden ?? {}).map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          {act.fields?.(state)}
          <ReasonField state={state} />
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
