import type { ReactNode } from 'react'

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
export function Heads({ of }: { of: readonly string[] }) {
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
