import type { Request } from 'express'
import { rawBody } from './simulator.ts'

/** The fields of an object that was sent; undefined for anything else, such as a list. */
export const fieldsIn = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined

/** The fields of a JSON body, of which an empty one has none; undefined for anything else. */
export function jsonFields(request: Request): Record<string, unknown> | undefined {
  try {
    return fieldsIn(JSON.parse(rawBody(request) || '{}'))
  } catch {
    return undefined
  }
}

/** A field that a control action takes as text; undefined if it was not sent. */
export const textField = (input: Record<string, unknown>, name: string): string | undefined =>
  input[name] === undefined ? undefined : String(input[name])

/** A field that a control action takes as a number; undefined if it was not sent. */
export const numberField = (input: Record<string, unknown>, name: string): number | undefined =>
  input[name] === undefined ? undefined : Number(input[name])
