/** The operators' acts in a terminal, against a running stack. */
import { expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { startProgram } from '../harness/processes.ts'

const harness = await shareStack()
const environment = { AMA_API_URL: harness.urls.api, AMA_OPERATOR_KEY: harness.keys.operator }

async function cli(args: string[], env: Record<string, string> = environment) {
  const program = startProgram(process.execPath, ['--import', 'tsx', 'cli/acts.ts', ...args], env)
  const { code } = await program.ended
  return { code, output: program.output() }
}

test('an operator acts on an order in a terminal, with a reason that its timeline shows', async () => {
  const order = await harness.buy(await harness.signUp())
  const act = ['act', String(order.id), 'refund-part', '--amount', '1.50', '--reason', 'the network was away', '--json']
  const [done, noReason, unknown] = await Promise.all([
    cli(act),
    cli(['act', String(order.id), 'note']),
    cli(['dance', String(order.id)]),
  ])
  expect(done.code, done.output).toBe(0)
  expect(JSON.parse(done.output)).toEqual({ orderId: order.id, act: 'refund-part', status: 'delivered' })
  expect(noReason.code, noReason.output).toBe(1)
  expect(noReason.output).toContain('reason')
  expect(unknown.code).toBe(2)
  const timeline = await cli(['timeline', String(order.id)])
  expect(timeline.output).toContain('refund part of €1.50: the network was away')
})
