/**
 * Arrays of PostgreSQL as parameters and in rows.
 *
 * postgres.js 3.4.9 can ask each new connection for its array types (`fetch_types`). Nothing handles the failure of
 * that query: a database that goes away while a connection opens would end the process by an unhandled rejection. Types
 * that the code uses have to be here; of others rows would hold text such as `{a,b}`. Numbers of types: PostgreSQL 15,
 * src/include/catalog/pg_type.dat.
 */
import type postgres from 'postgres'
import { parse } from 'postgres-array'

interface Element {
  /** the number of the array's type */
  array: number
  read(text: string): unknown
  write(value: unknown): string
}

const asText = { read: (text: string) => text, write: String }
const asNumber = { read: Number, write: String }
const asTime = {
  read: (text: string) => new Date(text),
  write: (value: unknown) => new Date(value instanceof Date ? value : String(value)).toISOString(),
}
const asJson = { read: (text: string): unknown => JSON.parse(text), write: (value: unknown) => JSON.stringify(value) }

const elements: Readonly<Record<string, Element>> = {
  bool: { array: 1000, read: (text) => text === 't', write: (value) => (value === true ? 't' : 'f') },
  int2: { array: 1005, ...asNumber },
  int4: { array: 1007, ...asNumber },
  int8: { array: 1016, read: BigInt, write: String },
  float8: { array: 1022, ...asNumber },
  numeric: { array: 1231, ...asText },
  text: { array: 1009, ...asText },
  varchar: { array: 1015, ...asText },
  name: { array: 1003, ...asText },
  uuid: { array: 2951, ...asText },
  regclass: { array: 2210, ...asText },
  oid: { array: 1028, ...asNumber },
  date: { array: 1182, ...asTime },
  timestamptz: { array: 1185, ...asTime },
  json: { array: 199, ...asJson },
  jsonb: { array: 3807, ...asJson },
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`

/** The option `types` of postgres.js for arrays; null elements are kept. */
export const arrayTypes: Readonly<Record<string, postgres.PostgresType>> = Object.fromEntries(
  Object.entries(elements).map(([name, { array, read, write }]) => [
    `${name}Array`,
    {
      to: array,
      from: [array],
      parse: (text: string) => parse(text, read),
      serialize: (values: unknown) =>
        Array.isArray(values)
          ? `{${values.map((value: unknown) => (value === null ? 'null' : quoted(write(value)))).join(',')}}`
          : String(values),
    },
  ]),
)
