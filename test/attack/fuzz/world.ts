/** Two people with rows of every kind: one attacks, the other must not notice. */
import { createCaller, expectStatus } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'
import type { Product } from '../../harness/product.ts'
import type { OrderView } from '../../harness/purchases.ts'
import { testPackages } from '../../harness/test-packages.ts'
import type { FuzzPlan } from './schemathesis.ts'

export interface Rows {
  person: Person
  order: OrderView
  esimId: string
  requestId: string
}

/** Callers by what they prove. */
export const fuzzCallers = ['anonymous', 'customer', 'service', 'operator'] as const
export type FuzzCaller = (typeof fuzzCallers)[number]

export interface FuzzWorld {
  attacker: Rows
  victim: Rows
  tokenOf(caller: FuzzCaller): string | undefined
  planOf(caller: FuzzCaller): FuzzPlan
  /** The status with which the attacker's account is answered: 401 for a caller whose credentials have ended. */
  statusOf(caller: FuzzCaller): Promise<number>
}

/** Signs up two people, each with a delivered order and a privacy request. */
export async function createFuzzWorld(product: Product): Promise<FuzzWorld> {
  const [attacker, victim] = [await withRows(product), await withRows(product)]
  const tokens: Record<FuzzCaller, string | undefined> = {
    anonymous: undefined,
    customer: attacker.person.caller.token,
    service: product.keys.service,
    operator: product.keys.operator,
  }
  const pair = (idOf: (rows: Rows) => string) => ({ own: idOf(attacker), theirs: idOf(victim) })
  const ids: FuzzPlan['ids'] = {
    '/v1/accounts/{id}': { id: pair(accountIdOf), deviceId: pair(({ person }) => person.deviceId) },
    '/v1/orders/{id}': { id: pair(({ order }) => order.id) },
    '/v1/operator/orders/{id}': { id: pair(({ order }) => order.id) },
    '/v1/esims/{id}': { id: pair(({ esimId }) => esimId) },
    '/v1/privacy-requests/{id}': { id: pair(({ requestId }) => requestId) },
  }
  const { person, order, esimId, requestId } = victim
  const isOtherPerson = (caller: FuzzCaller): boolean => caller === 'anonymous' || caller === 'customer'
  const endings = ['DELETE /v1/accounts/{id}', 'POST /v1/accounts/{id}/sign-out']
  return {
    attacker,
    victim,
    tokenOf: (caller) => tokens[caller],
    planOf: (caller) => ({
      ids,
      onlyTheirs: isOtherPerson(caller) ? endings : [],
      nobodys: isOtherPerson(caller) ? [] : [...endings, 'POST /v1/accounts/{id}/child-report'],
      accounts: pair(accountIdOf),
      packageCode: testPackages.anyProvider,
      isOtherPerson: isOtherPerson(caller),
      theirIds: [person.accountId, order.id, esimId, requestId],
      secrets: {
        'e-mail address': person.email,
        'first name': person.firstName,
        'last name': person.lastName,
        'phone number': person.phone,
        'activation code': order.esims[0].matchingId,
        'account id': person.accountId,
      },
    }),
    async statusOf(caller) {
      const own = createCaller(product.urls.api, tokens[caller])
      return (await own.get(`/v1/accounts/${attacker.person.accountId}`)).status
    },
  }
}

const accountIdOf = ({ person }: Rows): string => person.accountId

async function withRows(product: Product): Promise<Rows> {
  const person = await product.signUp()
  const order = await product.buy(person)
  const body = { kind: 'access', message: 'What do you know about me?' }
  const { id: requestId } = expectStatus(await person.caller.post('/v1/privacy-requests', body), 201)
  return { person, order, esimId: order.esims[0].id, requestId }
}

/** The victim's rows that nobody but they and their runs may change, as text. */
export async function victimsRows({ context }: Product, { person }: Rows): Promise<string> {
  const { accountId } = person
  const rows = await context.sql<{ row: string }[]>`
    select to_jsonb(t)::text as row from (
      select 'account' as what, to_jsonb(a) - 'last_active_at' as row from accounts a where id = ${accountId}
      union all select 'device', to_jsonb(d) from devices d where account_id = ${accountId}
      union all select 'order', to_jsonb(o) - 'updated_at' from orders o where account_id = ${accountId}
    ) t order by 1`
  return rows.map(({ row }) => row).join('\n')
}
