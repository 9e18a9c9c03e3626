/** Stack traces in histories name our source files, without the machine's folders. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { fetchHistories, readableEvents } from '../../harness/temporal/histories.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const root = fileURLToPath(new URL('../../../', import.meta.url))

test('stack traces in the history of a failed order name source files, without folders of the machine', async () => {
  const { accountId } = await harness.signUp()
  const before = new Set((await fetchHistories(harness.temporal)).map(({ runId }) => runId))
  await harness.sims.stripe.fault({
    match: { path: '^/v1/payment_intents$' },
    status: 402,
    body: { error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' } },
  })
  const refused = await harness.service.post('/v1/orders', { accountId, packageCode: testPackages.anyProvider })
  expect(refused.status).toBe(502)

  const failed = (await fetchHistories(harness.temporal, before)).filter(({ workflowId }) =>
    workflowId.startsWith('order-'),
  )
  expect(failed).toHaveLength(1)
  const traces = (await readableEvents(failed[0]?.history ?? {})).join('\n')
  expect(traces).toMatch(/at (async )?openCheckout \(activities\/order\/payment\/payment\.ts:\d+/)
  expect(traces).toMatch(/ \(workflows\/order\/order\.ts:\d+/)
  expect(traces).not.toContain(root)
})
