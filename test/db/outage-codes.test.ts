/** What PostgreSQL answers while it cannot work is an outage, which passes, and no fault of ours or of the request. */
import { afterEach, expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await shareStack()
const { sql } = harness.context

afterEach(() => sql`drop function if exists refuse_as_planted cascade`)

test.each([
  ['a deadlock', '40P01'],
  ['a serialization failure', '40001'],
  ['a transaction whose end is unknown', '40003'],
  ['a full disk', '53100'],
  ['no memory', '53200'],
  ['too many connections', '53300'],
  ['a standby that does not write', '25006'],
  ['a pooler that has lost its server', '08006'],
  ['a failed read of the disk', '58030'],
  ['a shutdown', '57P01'],
])('%s (%s) is answered as 503, and the same request is done afterwards', async (_what, code) => {
  const { accountId } = await harness.signUp()
  // PostgreSQL takes no parameters in a definition.
  await sql.unsafe(`create function refuse_as_planted() returns trigger language plpgsql as
    $$ begin raise exception 'planted' using errcode = '${code}'; end $$`)
  await sql`create trigger refuse_as_planted before insert on idempotency_keys for each row
    execute function refuse_as_planted()`
  const key = { 'idempotency-key': `planted-${code}` }
  const ask = () => harness.service.post('/v1/orders', { accountId, packageCode: testPackages.anyProvider }, key)
  const refused = await ask()
  expect({ status: refused.status, retry: refused.headers.get('retry-after') !== null }).toEqual({
    status: 503,
    retry: true,
  })
  await sql`drop function refuse_as_planted cascade`
  const { status, body } = await ask()
  expect(status).toBe(201)
  expect((await harness.service.post(`/v1/orders/${body.id}/cancel`)).status).toBe(200)
})
