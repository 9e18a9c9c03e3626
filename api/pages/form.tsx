/** The parts of forms and lists. A form that was refused comes back with what was typed and the fault at its field. */
import { randomUUID } from 'node:crypto'
import type { HTMLInputTypeAttribute, ReactNode } from 'react'
import type { Texts } from '../../messages/texts.ts'
import type { RefusedForm } from '../http/route.ts'
import { Icon } from './brand/icons.tsx'
import { explanation, titleOf } from './problems/problem-texts.ts'

interface FormProps {
  action: string
  /** the session's token; the sign-in forms have none */
  csrf?: string | undefined
  inline?: boolean
  children: ReactNode
}

/** A form that posts to this site. */
export function Form({ action, csrf, inline = false, children }: FormProps) {
  return (
    <form method="post" action={action} className={inline ? 'inline' : undefined}>
      {csrf === undefined ? null : <input type="hidden" name="csrf" value={csrf} />}
      {children}
    </form>
  )
}

/** Whether a form may have done what it asks for, although it was answered by a problem. */
const isUnknown = ({ problem }: RefusedForm): boolean =>
  problem.code === 'unavailable' || problem.code === 'request_in_progress'

/**
 * The one-time value of a form, by which it is recognised when it is sent twice. A form that may have been done keeps
 * its value, since it would be done again under another.
 */
export const onceOf = (refused: RefusedForm | undefined): string =>
  (refused && isUnknown(refused) && refused.typed.once) || randomUUID()

/** The contents of a form after a refusal. */
export interface FormState {
  typed: Readonly<Record<string, string>>
  /** sentences by field */
  faults: ReadonlyMap<string, string>
  /** sentences about no field of the form */
  others: readonly string[]
  /** what the refusal means for what was sent */
  heading: string
}

/**
 * Puts the faults of a form into words of the page's language.
 * @param asks what each field asks for, as a sentence; it is said where the field is wrong
 */
export function formState({ t }: Texts, refused: RefusedForm, asks: Readonly<Record<string, string>> = {}): FormState {
  const { typed, problem } = refused
  const { errors = [] } = problem.options
  const title = titleOf(t, problem.code)
  const text = explanation(t, problem)
  const known = errors.filter(({ field }) => Object.hasOwn(asks, field))
  const others = errors.filter(({ field }) => !Object.hasOwn(asks, field))
  return {
    typed,
    heading: t(isUnknown(refused) ? 'trouble.unknown' : 'trouble.unchanged'),
    faults: new Map(known.map(({ field }) => [field, asks[field] ?? ''])),
    others:
      errors.length > 0
        ? others.map(({ field }) => t('trouble.field', { field }))
        : [text === undefined ? title : t('trouble.titled', { title, text })],
  }
}

const idOf = (name: string): string => `field-${name}`

/** All faults of a form, each with a link to its field. It is above the form. */
export function FaultSummary({ of }: { of: FormState | undefined }) {
  if (!of) return null
  return (
    <div className="faults" role="alert">
      <h2>
        <Icon of="warning" /> {of.heading}
      </h2>
      <ul>
        {[...of.faults].map(([name, words]) => (
          <li key={name}>
            <a href={`#${idOf(name)}`}>{words}</a>
          </li>
        ))}
        {of.others.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </div>
  )
}

interface FieldProps {
  name: string
  label: string
  state: FormState | undefined
  value?: string
  hint?: string
  required?: boolean
  minLength?: number
  maxLength?: number
}

interface InputProps extends FieldProps {
  type?: HTMLInputTypeAttribute
  autoComplete?: string
  inputMode?: 'decimal'
  placeholder?: string
}

/** A field of one line, with its label, its hint and its fault. */
export function Field({ type = 'text', autoComplete, inputMode, placeholder, ...field }: InputProps) {
  return (
    <Labelled field={field}>
      <input
        type={type}
        autoComplete={autoComplete}
        inputMode={inputMode}
        placeholder={placeholder}
        defaultValue={shownValue(field)}
        {...attributesOf(field)}
        // A name may be in a script that goes from right to left.
        dir={type === 'text' ? 'auto' : undefined}
      />
    </Labelled>
  )
}

/** A field of several lines. */
export function TextField(field: FieldProps) {
  return (
    <Labelled field={field}>
      <textarea defaultValue={shownValue(field)} {...attributesOf(field)} dir="auto" />
    </Labelled>
  )
}

/** A box to tick, with its fault below it. It comes back ticked if it was. */
export function Tick({ name, label, state, required }: Omit<FieldProps, 'value' | 'minLength' | 'maxLength'>) {
  return (
    <div className="field">
      <label className="choice">
        <input
          type="checkbox"
          defaultChecked={state?.typed[name] === 'on'}
          {...attributesOf({ name, label, state, ...(required && { required }) })}
        />{' '}
        {label}
      </label>
      <Fault of={name} state={state} />
    </div>
  )
}

/** A field with a list of choices. */
export function Choice({ options, ...field }: FieldProps & { options: Readonly<Record<string, string>> }) {
  return (
    <Labelled field={field}>
      <select defaultValue={shownValue(field)} {...attributesOf(field)}>
        {Object.entries(options).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

const shownValue = ({ name, value, state }: FieldProps): string => state?.typed[name] ?? value ?? ''

function attributesOf({ name, state, hint, required, minLength, maxLength }: FieldProps) {
  const isWrong = state?.faults.has(name)
  const notes = [hint ? `${idOf(name)}-hint` : '', isWrong ? `${idOf(name)}-fault` : ''].filter(Boolean)
  return {
    id: idOf(name),
    name,
    required,
    minLength,
    maxLength,
    'aria-invalid': isWrong ? true : undefined,
    'aria-describedby': notes.length > 0 ? notes.join(' ') : undefined,
  }
}

/** What is wrong with a field, at the field. */
function Fault({ of: name, state }: { of: string; state: FieldProps['state'] }) {
  const fault = state?.faults.get(name)
  return fault ? (
    <span className="fault" id={`${idOf(name)}-fault`}>
      {fault}
    </span>
  ) : null
}

function Labelled({ field: { name, label, hint, state }, children }: { field: FieldProps; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={idOf(name)}>{label}</label>
      {hint ? (
        <span className="hint" id={`${idOf(name)}-hint`}>
          {hint}
        </span>
      ) : null}
      {children}
      <Fault of={name} state={state} />
    </div>
  )
}

/** A list of names and values. */
export function Facts({ of }: { of: (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The head row of a table. */
export function TableHead({ of }: { of: readonly string[] }) {
  return (
    <thead>
      <tr>
        {of.map((head) => (
          <th key={head} scope="col">
            {head}
          </th>
        ))}
      </tr>
    </thead>
  )
}

interface WideTableProps {
  /** what the table lists */
  label: string
  heads: readonly string[]
  /** on a phone each row is a short paragraph: for sentences, which nobody reads by scrolling sideways */
  stacks?: boolean
  /** its rows */
  children: ReactNode
}

/** A table that scrolls by itself where the screen is narrower, also by the keyboard. */
export function WideTable({ label, heads, stacks = false, children }: WideTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the table
    <section className={stacks ? 'scroll stacks' : 'scroll'} aria-label={label} tabIndex={0}>
      <table>
        <TableHead of={heads} />
        <tbody>{children}</tbody>
      </table>
    </section>
  )
}
