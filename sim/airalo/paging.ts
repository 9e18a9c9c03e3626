import type { Request } from 'express'
import { invalid } from './wire.ts'

/** The page that a request asks for by `limit` (default 50) and `page`. @throws Refusal (422) */
export function pageOf<T>(request: Request, all: T[]): { page: number; perPage: number; slice: T[] } {
  const perPage = Number(request.query.limit || 50)
  const page = Number(request.query.page || 1)
  if (!Number.isInteger(perPage) || perPage < 1) throw invalid({ limit: 'The limit must be an integer.' })
  if (!Number.isInteger(page) || page < 1) throw invalid({ page: 'The page must be an integer.' })
  return { page, perPage, slice: all.slice((page - 1) * perPage, page * perPage) }
}
