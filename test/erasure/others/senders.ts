/** Sends requests as a person, and as the app backend with the least key that each of them needs. */
import pMap from 'p-map'
import { createApiKey } from '../../../db/api-keys.ts'
import { serviceScopes } from '../../../policy/access/service-scopes.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import type { Harness } from '../../harness/harness.ts'
import { type Caller, createCaller } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import { visit } from '../../harness/visits.ts'
import { isMeant, type Sending, type Sendings } from './sendings.ts'

/** An id of the other person; its kind is that of `owned_ids`. */
export interface TheirId {
  id: string
  kind?: string
}

export type Part = (sendings: readonly Sending[], number: number) => Sending[]

const atOnce = 8

/**
 * @param own who sends, and about whom the backend sends @param part what is sent of all that could be, by the number
 * of the id
 */
export async function openSenders(
  harness: Harness,
  { byPersons, byTheBackend, sendingsOf }: Sendings,
  own: { person: Person; orderId: string },
  part: Part = (sendings) => [...sendings],
) {
  const { person, orderId } = own
  const backend = await restrictedKeys(harness)
  const surfer = await visit(harness.stack, person)
  const csrf = /name="csrf" value="([^"]+)"/.exec((await surfer.open('/account/data')).html)?.[1] ?? ''

  async function asPerson(sending: Sending, id: string): Promise<number> {
    const { operation, address, body } = sending
    if (!operation.isForm) return call(person.caller, sending, id)
    const texts = Object.entries({ csrf, ...body }).map(([name, value]) => [name, String(value)])
    return (await surfer.post(address, Object.fromEntries(texts), { 'X-Request-Id': id })).status
  }

  return {
    /** Sends ids at each place. @returns how many requests were accepted */
    async send(ids: readonly TheirId[]): Promise<{ person: number; backend: number }> {
      const accepted = { person: 0, backend: 0 }
      for (const [number, { id, kind }] of ids.entries()) {
        // Nobody may make as many requests.
        await harness.context.sql`delete from allowances where account_id = ${person.accountId}`
        const persons = byPersons.flatMap((operation) => sendingsOf(operation, id, person, orderId))
        accepted.person += await countAccepted(part(persons, number), (sending) => asPerson(sending, id))
        const backends = byTheBackend
          .flatMap((operation) => sendingsOf(operation, id, person, orderId))
          .filter((sending) => !isMeant(sending, id, kind))
        accepted.backend += await countAccepted(part(backends, number), (sending) =>
          call(backend(sending), sending, id),
        )
      }
      return accepted
    },
  }
}

async function countAccepted(sendings: Sending[], send: (sending: Sending) => Promise<number>): Promise<number> {
  const statuses = await pMap(sendings, send, { concurrency: atOnce })
  return statuses.filter((status) => status < 400).length
}

async function call(caller: Caller, { operation, address, body, headers }: Sending, id: string): Promise<number> {
  const all = { 'X-Request-Id': id, ...headers }
  return (await caller.call(operation.method, address, { headers: all, ...(body && { body }) })).status
}

/** For each operation the key with the least that it needs. */
async function restrictedKeys({ context, urls, service }: Harness): Promise<(sending: Sending) => Caller> {
  const made = await Promise.all(
    keysOf(serviceScopes).map(async (scope) => {
      const key = { kind: 'service', label: scope, scopes: [scope], at: new Date() } as const
      const { token } = await createApiKey(context.sql, key)
      return [scope, createCaller(urls.api, token)] as const
    }),
  )
  const callers = new Map(made)
  return ({ operation: { scope } }) => (scope && callers.get(scope)) || service
}
