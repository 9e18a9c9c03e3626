/** Reads Stripe's form-encoded parameters: `metadata[order_id]=..`, `expand[0]=..`; booleans and numbers are text. */
import express from 'express'
import { fieldsIn } from '../fields.ts'
import type { PageRequest } from './collection.ts'
import { invalidParameter } from './refusal.ts'

export type Parameters = Record<string, unknown>

// Express contains a parser for brackets in query strings.
const parser = express()
parser.set('query parser', 'extended')

/** Parses a form body or a query string (without `?`) into nested objects and arrays of text. */
export const parseForm: (text: string) => Parameters = parser.get('query parser fn')

export function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string')
    throw invalidParameter('parameter_invalid_string_empty', name, `Invalid string: ${name}`)
  return value
}

export function requiredText(parameters: Parameters, name: string): string {
  const value = text(parameters, name)
  if (value === undefined) throw invalidParameter('parameter_missing', name, `Missing required param: ${name}.`)
  return value
}

export function integer(parameters: Parameters, name: string): number | undefined {
  const value = text(parameters, name)
  if (value === undefined) return undefined
  if (!/^-?\d+$/.test(value)) throw invalidParameter('parameter_invalid_integer', name, `Invalid integer: ${value}`)
  return Number(value)
}

/** A nested object of texts, for example metadata. Stripe's limits: 50 keys, 40 characters a key, 500 a value. */
export function textMap(parameters: Parameters, name: string): Record<string, string> {
  const entries = Object.entries(record(parameters, name))
  const texts = entries.flatMap(([key, value]) => (key.length <= 40 && isShort(value) ? [[key, value] as const] : []))
  if (texts.length < entries.length || entries.length > 50)
    throw invalidParameter('parameter_invalid_string_empty', name, `Invalid ${name}`)
  return Object.fromEntries(texts)
}

const isShort = (value: unknown): value is string => typeof value === 'string' && value.length <= 500

export const record = (parameters: Parameters, name: string): Parameters => fieldsIn(parameters[name]) ?? {}

export function textList(parameters: Parameters, name: string): string[] {
  const value = parameters[name]
  return Array.isArray(value) ? value.map(String) : []
}

/** The pagination of lists: 10 objects by default, at most 100. */
export function pageRequest(parameters: Parameters): PageRequest {
  const limit = integer(parameters, 'limit') ?? 10
  if (limit < 1 || limit > 100) throw invalidParameter('parameter_invalid_integer', 'limit', 'limit is from 1 to 100')
  const created = record(parameters, 'created')
  const exact = typeof parameters.created === 'string' ? integer(parameters, 'created') : undefined
  const above = integer(created, 'gt')
  const below = integer(created, 'lt')
  return {
    limit,
    startingAfter: text(parameters, 'starting_after'),
    endingBefore: text(parameters, 'ending_before'),
    createdFrom: exact ?? integer(created, 'gte') ?? (above === undefined ? undefined : above + 1),
    createdTo: exact ?? integer(created, 'lte') ?? (below === undefined ? undefined : below - 1),
  }
}
