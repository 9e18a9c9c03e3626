/** Figures that compare the columns of the database with policy/personal-data.ts. */

import type { Readings } from '../../policy/figures.ts'
import { personalData } from '../../policy/personal-data.ts'
import type { Queryable } from '../connection/database.ts'

interface LiveColumn {
  name: string
  domain: string | null
  /** whether it takes no null, or has a value where none is given */
  demanded: boolean
}

const constraint = 'sealed_is_ciphertext'
/** C2, we keep a phone number only if it is given. */
const voluntary = ['accounts.phone']
// The country of a card or of an address is neither card data nor an address.
const cardName = /(^|_)(card|pan|cvc|cvv|iban|card_number|expiry)(_(?!country$)|$)/
const ipName = /(^|[._])ip($|_(?!country$))/

/**
 * Reads the figures of columns: there are none but those that the policy names (C1 to C7), none for card data (P2) or
 * for an IP address in clear (P6), and the personal ones are encrypted (S1).
 */
export async function readSchemaFigures(sql: Queryable): Promise<Readings> {
  const [columns, [checked]] = await Promise.all([
    sql<LiveColumn[]>`
      select c.relname || '.' || a.attname as name, case when t.typtype = 'd' then t.typname end as domain,
        a.attnotnull or a.atthasdef as demanded
      from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and a.attnum > 0 and not a.attisdropped`,
    sql`select from pg_constraint where conname = ${constraint} and contypid = 'sealed'::regtype and convalidated`,
  ])
  const live = new Map(columns.map(({ name, domain }) => [name, domain]))
  const unknown = [...live.keys()].filter((name) => !(name in personalData))
  const unsealed = Object.entries(personalData)
    .filter(([name, { sealed }]) => sealed && live.has(name) && (live.get(name) !== 'sealed' || !checked))
    .map(([name]) => name)
  const named = (pattern: RegExp) => [...live.keys()].filter((name) => pattern.test(name.split('.')[1] ?? ''))
  const clearIps = named(ipName).filter((name) => live.get(name) !== 'sealed')
  return {
    unknown_columns: listed(unknown),
    unsealed_columns: listed(unsealed),
    demanded_columns: listed(
      columns.filter(({ name, demanded }) => demanded && voluntary.includes(name)).map(({ name }) => name),
    ),
    clear_ip_columns: listed(clearIps),
    card_columns: listed(named(cardName)),
  }
}

/** A figure that counts names, and says the first ten of them. */
export const listed = (names: readonly string[]) => ({ value: names.length, ...detailOf(names.slice(0, 10)) })

/** The text beside the number of a figure, if it has one. */
export const detailOf = (parts: readonly string[]) => parts.length > 0 && { detail: parts.join(', ') }
