/** U2: paid means delivered or refunded, also when the eSIM is back and its customer gone before we know it. */
import { expect, test } from 'vitest'
import type { Orders } from '../../db/connection/schema.ts'
import { checkTotals, deleteAccount } from '../harness/deletions.ts'
import { openHarness } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await openHarness({ books: false })
const { sims } = harness
const { sql } = harness.context

test('an eSIM that was given back with a lost reply is refunded when its customer deletes the account before we know', async () => {
  const customer = await harness.signUp()
  const { id, esims } = await harness.buy(customer, { packageCode: testPackages.onlyEsimAccess })
  const [row] = await sql<Pick<Orders, 'payment_intent_id'>[]>`select payment_intent_id from orders where id = ${id}`
  // As the request leaves it whose reply is lost, while its provider cannot be asked any more.
  await sims.esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: 1_000_000 })
  await sims.esimAccess.do('withdraw', { iccid: esims[0].iccid })
  await sql`update esims set return_asked_at = now() where order_id = ${id}`
  const deletion = await deleteAccount(harness.stack, customer)
  await sims.esimAccess.clearFaults()
  await deletion.fastForward('2 days')
  await deletion.until('stripe', 'done')
  await deletion.until('esim_provider', 'done')
  const refunds = (await sims.stripe.books()).refunds.filter(
    (refund) => refund.payment_intent === row?.payment_intent_id,
  )
  expect(refunds).toMatchObject([{ status: 'succeeded' }])
  await checkTotals(harness.stack)
})
