/** docs/examples/app-backend.ts sells an eSIM by events alone. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { claimPort } from '../../dev/port.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { stack, sims } = harness
const file = fileURLToPath(new URL('../../docs/examples/app-backend.ts', import.meta.url))

test('the example of an app backend has 40 lines and sells an eSIM by events alone', async () => {
  expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  const port = await claimPort(0)
  const url = `http://127.0.0.1:${port}`
  const env = { ...process.env, AMA_URL: stack.urls.api, AMA_KEY: stack.keys.service, OWN_URL: url, PORT: String(port) }
  const program = spawn(process.execPath, ['--import', 'tsx', file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface(program.stdout).on('line', (line) => lines.push(line))
  try {
    await until('it listens', () => lines.includes('listening'))
    const anna = await harness.signUp()
    const wanted = { accountId: anna.accountId, packageCode: testPackages.anyProvider, quantity: 1 }
    const bought = await fetch(`${url}/buy`, { method: 'POST', body: JSON.stringify(wanted) })
    const { id, payment } = (await bought.json()) as { id: string; payment: object }
    expect(payment).toHaveProperty('paymentIntentClientSecret')
    await sims.stripe.do('pay', { orderId: id })
    const told = await until('the app is told', () => lines.find((line) => line.includes(id)))
    const order = (await harness.service.get(`/v1/orders/${id}`)).body
    expect(JSON.parse(told)).toEqual({ order: id, installUrl: order.esims[0].iosInstallUrl })
  } finally {
    program.kill()
  }
})
