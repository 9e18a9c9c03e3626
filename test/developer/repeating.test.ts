/** Whoever gets an answer that may be other next time is told when that is, and the OpenAPI document says so. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import express from 'express'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { Problem, sendProblem } from '../../api/http/problem.ts'
import { problems } from '../../api/http/problems.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { listenOn } from '../../shared/process/listen.ts'

const passing = keysOf(problems).filter(
  (code) => problems[code].status === 429 || problems[code].status === 503 || code === 'request_in_progress',
)

const app = express()
const context = { publicUrl: 'http://127.0.0.1/', requestId: 'r', language: 'en' } as const
app.get('/:code', ({ params, query }, response) => {
  const code = keysOf(problems).find((each) => each === params.code) ?? 'not_found'
  // The limit of requests says it by itself.
  if (query.said) response.set('Retry-After', '41')
  sendProblem(response, new Problem(code, query.headers ? { headers: { 'Retry-After': '42' } } : {}), context)
})
const server = createServer(app)
const port = await listenOn(server, 0, '127.0.0.1')
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}/${path}`)).headers.get('retry-after')

test('each problem that passes says when to repeat the request, and no other one does', async () => {
  expect(passing.length).toBeGreaterThan(8)
  for (const code of keysOf(problems)) expect(await ask(code), code).toBe(passing.includes(code) ? '5' : null)
})

test('a time that is known is said as it is', async () => {
  expect(await ask('unavailable?headers=yes')).toBe('42')
  expect(await ask('too_many_requests?said=yes')).toBe('41')
})

const document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        responses: z.record(
          z.string(),
          z.object({ description: z.string(), headers: z.record(z.string(), z.unknown()).optional() }),
        ),
      }),
    ),
  ),
})

test('the OpenAPI document has `Retry-After` wherever a problem passes', async () => {
  const text = await readFile(new URL('../../client/openapi.json', import.meta.url), 'utf8')
  const { paths } = document.parse(JSON.parse(text))
  let repeatable = 0
  const wrong = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      Object.entries(responses).flatMap(([status, { description, headers = {} }]) => {
        const isPassing = passing.some((code) => description.includes(`\`${code}\`:`))
        if (isPassing) repeatable += 1
        return isPassing === 'Retry-After' in headers ? [] : [`${method} ${path} ${status}`]
      }),
    ),
  )
  expect(wrong).toEqual([])
  expect(repeatable).toBeGreaterThan(100)
})
