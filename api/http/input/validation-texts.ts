/** Descriptions of a field's fault, in our words: the library's texts are made for programmers who know the library. */
import type { z } from 'zod'

type Issue = Parameters<z.core.$ZodErrorMap>[0]

/** A reason for one fault. Texts that a schema brings itself (`must be the code of a package`) are kept. */
export function validationText(issue: Issue): string {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of: ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return limitText('at least', issue.origin, Number(issue.minimum))
    case 'too_big':
      return limitText('at most', issue.origin, Number(issue.maximum))
    case 'invalid_format':
      return `must be ${formatNames[issue.format] ?? 'of the form that the documentation shows'}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return 'unknown field'
    case 'invalid_union':
      return 'must have one of the forms that the documentation shows'
    default:
      return 'is not valid'
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  record: 'an object',
  null: 'null',
  date: 'a date',
}

const formatNames: Readonly<Record<string, string>> = {
  email: 'an e-mail address',
  uuid: 'a UUID',
  datetime: 'a time in UTC, for example 2026-11-29T10:00:00Z',
  date: 'a day, for example 2026-11-29',
  url: 'an address with its protocol, for example https://example.com/',
  base64: 'base64',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

const units: Readonly<Record<string, [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
}

function limitText(bound: 'at least' | 'at most', origin: string, limit: number): string {
  const unit = units[origin]
  if (!unit) return `must be ${bound} ${limit}`
  if (origin === 'string' && bound === 'at least' && limit === 1) return 'must not be empty'
  return `must have ${bound} ${limit} ${unit[limit === 1 ? 0 : 1]}`
}
