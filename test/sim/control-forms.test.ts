/** A simulator refuses what it does not know: a misspelt field of a test would do nothing, and the test still pass. */
import { expect, onTestFinished, test } from 'vitest'
import { startAiralo } from '../../sim/airalo.ts'
import { type AnySimulatorControl, controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'
import { startMailbox } from '../../sim/mailbox.ts'
import type { RunningSimulator } from '../../sim/simulator.ts'
import { startStripe } from '../../sim/stripe.ts'

const starts: Record<string, () => Promise<RunningSimulator>> = {
  airalo: () => startAiralo({ clientId: 'c', clientSecret: 's', webhookUrl: '' }),
  esimAccess: () => startEsimAccess({ accessCode: 'a', secretKey: 's', webhookUrl: '' }),
  mailbox: () => startMailbox(),
  stripe: () => startStripe({ secretKey: 's', webhookSecret: 's' }),
}

async function started(name: string): Promise<AnySimulatorControl> {
  const simulator = await starts[name]?.()
  if (!simulator) throw new Error(`no simulator ${name}`)
  onTestFinished(() => simulator.stop())
  return controlOf(simulator)
}

test.each([
  ['airalo', 'limits', { tokensPerMinute: 3 }],
  ['airalo', 'signature', { form: 'none' }],
  ['airalo', 'plant', { orders: [{ packageId: 'x', createdAt: 1 }] }],
  ['esimAccess', 'allocation', { delayMs: 600_000 }],
  ['esimAccess', 'webhooks', { dropped: 1 }],
  ['esimAccess', 'release', { order: 'all' }],
  ['mailbox', 'rule', { recipent: 'a@example.com', code: 550 }],
  ['mailbox', 'rule', { stage: 'quit', code: 550 }],
  ['mailbox', 'find', { from: 'a@example.com' }],
  ['stripe', 'plant', { payments: [{ amount: '500', currency: 'eur', metadata: {}, created: 1 }] }],
])('the simulator %s refuses the action %s with %j', async (name, action, input) => {
  const simulator = await started(name)
  await expect(simulator.do(action, input)).rejects.toThrow(`do/${action}: 400`)
})
