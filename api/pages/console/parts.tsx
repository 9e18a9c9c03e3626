/** Parts of the console's pages. */
import type { ReactNode } from 'react'
import { Form, WideTable } from '../form.tsx'

/** @param count undefined when it is unknown */
export function Section({
  title,
  count,
  shown,
  children,
}: {
  title: string
  count: number | undefined
  /** how many of them are listed; by default all */
  shown?: number
  children: ReactNode
}) {
  const isPart = count !== undefined && shown !== undefined && shown < count
  return (
    <section>
      <h2>
        {title} ({count ?? '?'}
        {isPart ? `, ${shown} shown, the most urgent first` : ''})
      </h2>
      {count === undefined ? <p className="unknown">It cannot be read now.</p> : null}
      {count === 0 ? <p className="quiet">Nothing.</p> : null}
      {count ? children : null}
    </section>
  )
}

/** `refund_failed` becomes `refund failed`. */
export const plain = (word: string): string => word.replaceAll('_', ' ')

export function Table({ heads, children }: { heads: readonly string[]; children: ReactNode }) {
  return (
    <WideTable label={heads.filter(Boolean).join(', ')} heads={heads}>
      {children}
    </WideTable>
  )
}

/** The time between two moments, in its largest unit. */
export function age(asOf: Date, since: Date): string {
  const minutes = Math.max(0, Math.floor((asOf.getTime() - since.getTime()) / 60_000))
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`
}

export function Button({
  action,
  csrf,
  label,
  of,
  danger = false,
}: {
  action: string
  csrf: string
  label: string
  /** for screen readers: tells the button from others with the same label */
  of?: string
  danger?: boolean
}) {
  return (
    <Form action={action} csrf={csrf} inline>
      <button
        type="submit"
        className={danger ? 'danger' : 'plain'}
        aria-label={of === undefined ? undefined : `${label}: ${of}`}
      >
        {label}
      </button>
    </Form>
  )
}
