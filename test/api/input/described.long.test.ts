/** Every problem that a route answers is in its description, for every request and caller. */
import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, newPerson, startApiHarness } from '../../harness/api/api-harness.ts'
import { undescribedProblems } from '../../harness/harness.ts'
import { drawPart } from '../../harness/seed.ts'

let harness: ApiHarness
/** a token of each kind of caller */
let tokens: (string | undefined)[]

beforeAll(async () => {
  harness = await startApiHarness({
    // Temporal is down: updates of runs would wait for it.
    answering: { usual: 1_000 },
    env: { MAIL_BOUNCE_TOKEN: 'x'.repeat(32) },
  })
  const service = await harness.key('service')
  const person = await harness.firebaseToken()
  const body = { ...newPerson(), firebaseUid: person.uid }
  await harness.call('POST', '/v1/accounts', { token: service, body })
  const newcomer = await harness.firebaseToken()
  tokens = [undefined, service, await harness.key('operator'), person.token, newcomer.token]
})
afterAll(() => harness.stop())

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const requests: Record<string, { body?: string; headers?: Record<string, string> }> = {
  nothing: {},
  'an unknown field': { body: '{"unknown":1}', headers: json },
  'no JSON': { body: '{', headers: json },
  'another type': { body: 'text', headers: { 'content-type': 'text/plain' } },
  'another encoding': { body: 'text', headers: { ...json, 'content-encoding': 'unknown' } },
  'a form of another encoding': { body: 'a=b', headers: { ...form, 'content-encoding': 'unknown' } },
  'a form of another site': { body: 'a=b', headers: { ...form, 'sec-fetch-site': 'cross-site' } },
  'too large a body': { body: `"${'a'.repeat(70_000)}"`, headers: json },
  'an Idempotency-Key with a space': { body: '{}', headers: { ...json, 'idempotency-key': 'a b' } },
}

/** A run sends each route a part of the requests; `npm test -- --all` sends it all of them. */
const partOf = drawPart(4)

/** A request that is refused for every caller is sent without a key and by an operator only. */
const refusedForItsForm = (what: string): boolean => !['nothing', 'an unknown field'].includes(what)

test.each(Object.entries(requests))(
  'each problem that a route answers to a request with %s is described',
  async (what, { body, headers = {} }) => {
    harness.logged.length = 0
    const atRequest = Object.keys(requests).indexOf(what)
    for (const [atToken, token] of tokens.entries()) {
      if (refusedForItsForm(what) && atToken !== 0 && atToken !== 2) continue
      // More at once would wait for a connection of the pool until their deadline, and all be 503.
      const answers = await pMap(
        partOf(harness.routes, atRequest + atToken),
        async (route) => {
          const path = route.path.replaceAll(/\{\w+\}/g, randomUUID())
          const sent = ['get', 'head'].includes(route.method) || body === undefined ? {} : { body }
          const all = { 'idempotency-key': randomUUID(), ...headers }
          const { status } = await harness.call(route.method.toUpperCase(), path, { token, ...sent, headers: all })
          const described = Object.keys(harness.document.paths?.[route.path]?.[route.method]?.responses ?? {})
          return { route: `${route.method} ${route.path}`, status, isDescribed: described.includes(String(status)) }
        },
        { concurrency: 4 },
      )
      expect(answers.filter(({ isDescribed }) => !isDescribed)).toEqual([])
      // A busy API answers 503 on every route, which shows nothing about them.
      expect(answers.filter(({ status }) => status === 503).length).toBeLessThan(answers.length / 2)
    }
    expect(undescribedProblems(harness.logged).map(String)).toEqual([])
  },
)
