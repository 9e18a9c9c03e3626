/** Parts of the console's pages. */
import type { ReactNode } from 'react'
import { plain } from '../../views/plain.ts'
import { Form, WideTable } from '../form.tsx'

/** @param count undefined when it is unknown */
export function Section({
  title,
  count,
  shown,
  order,
  id,
  children,
}: {
  title: string
  count: number | undefined
  /** how many of them are listed; by default all */
  shown?: number
  /** which of them, such as `the newest first` */
  order?: string
  /** to which links lead */
  id?: string
  children: ReactNode
}) {
  const isPart = count !== undefined && shown !== undefined && shown < count
  return (
    <section id={id}>
      <h2>
        {title} ({count ?? '?'}
        {isPart ? [`, ${shown} shown`, ...(order ? [order] : [])].join(', ') : ''})
      </h2>
      {count === undefined ? <p className="unknown">It cannot be read now.</p> : null}
      {count === 0 ? <p className="quiet">Nothing.</p> : null}
      {count ? children : null}
    </section>
  )
}

/** A page of a list that is known whole. */
export interface PageOf<Item> {
  items: readonly Item[]
  /** of the whole list */
  count: number
  number: number
  pages: number
}

/** @param number of the page, from 1; beyond the last one it is the last */
export function pageOfList<Item>(all: readonly Item[], number: number, size: number): PageOf<Item> {
  const pages = Math.max(1, Math.ceil(all.length / size))
  const shown = Math.min(number, pages)
  return { items: all.slice((shown - 1) * size, shown * size), count: all.length, number: shown, pages }
}

/** Leads to the pages beside the one that is shown. */
export function PageLinks({
  of: { number, pages },
  hrefOf,
}: {
  of: PageOf<unknown>
  hrefOf: (number: number) => string
}) {
  if (pages === 1) return null
  return (
    <p>
      Page {number} of {pages}
      {number > 1 ? (
        <>
          {' '}
          <a href={hrefOf(number - 1)}>Before</a>
        </>
      ) : null}
      {number < pages ? (
        <>
          {' '}
          <a href={hrefOf(number + 1)}>After</a>
        </>
      ) : null}
    </p>
  )
}

/** What a person has written: its lines, each as long as the screen, in the direction of its script. */
export function Written({ children }: { children: string }) {
  return (
    <p className="written" dir="auto">
      {children}
    </p>
  )
}

/** `1 order`, `2 orders` */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

/** Values with their words, for a field with a list of choices. */
export const choicesOf = <Value extends string>(
  values: readonly Value[],
  words: (value: Value) => string = plain,
): Record<string, string> => Object.fromEntries(values.map((value) => [value, words(value)]))

/** The options of a `select`. @param words what is shown of a value */
export function Options<Value extends string>({
  of: values,
  words,
}: {
  of: readonly Value[]
  words: (value: Value) => string
}) {
  return values.map((value) => (
    <option key={value} value={value}>
      {words(value)}
    </option>
  ))
}

export function Table({
  heads,
  stacks = false,
  children,
}: {
  heads: readonly string[]
  stacks?: boolean
  children: ReactNode
}) {
  return (
    <WideTable label={heads.filter(Boolean).join(', ')} heads={heads} stacks={stacks}>
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

/** An act that has a page with its form. */
export interface ActLink {
  name: string
  label: string
  danger: boolean
}

/** Links to the acts; each is asked about on its own page. @param at the page of the order, account or task */
export function ActLinks({ of: acts, at }: { of: readonly ActLink[]; at: string }) {
  return (
    <p className="acts">
      {acts.map(({ name, label, danger }) => (
        <a key={name} className={`button ${danger ? 'risky' : 'plain'}`} href={`${at}/${name}`}>
          {label}
        </a>
      ))}
    </p>
  )
}
