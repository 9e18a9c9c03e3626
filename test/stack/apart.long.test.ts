/** API, workers and simulators as processes: they are started, stopped and killed. */
import { expect, test } from 'vitest'
import { startStack } from '../../dev/stack.ts'
import { metricsRead, metricsShown } from '../deploy/dashboards.ts'
import { openHarness } from '../harness/harness.ts'
import { descendants, survivors } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const harness = await openHarness({ processes: 'apart', workers: 2 })

test('an order is delivered although every worker is killed', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  await harness.worker.kill()
  await harness.sims.stripe.do('pay', { orderId: order.id })
  await harness.worker.start()
  expect(harness.worker.pids()).toHaveLength(2)
  await harness.untilOrder(order.id, 'delivered')
})

test('a restarted API has its old address', async () => {
  const [before] = harness.api.pids()
  await harness.api.restart()
  expect(harness.api.pids()).not.toEqual([before])
  expect((await harness.anonymous.get('/readyz')).body.status).toBe('ready')
})

test('the metrics of a worker contain those of the SDK and our own', async () => {
  const [url] = harness.urls.workerMetrics
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toMatch(/^temporal_\w+/m)
  expect(text).toMatch(/^process_cpu_user_seconds_total/m)
  for (const probe of ['livez', 'readyz']) expect((await fetch(`${url}/${probe}`)).status).toBe(200)
})

test('every metric of the SDK that the dashboards read is shown by a worker', async () => {
  // The metric of failed workflow tasks comes with the first failure: docs.temporal.io/references/sdk-metrics has its
  // name.
  const wanted = metricsRead.filter((name) => /^temporal_(?!workflow_task_execution_failed$)/.test(name))
  expect(wanted.length).toBeGreaterThan(3)
  await until('all are shown', async () => {
    const texts = await Promise.all(
      harness.urls.workerMetrics.map(async (url) => (await fetch(`${url}/metrics`)).text()),
    )
    const shown = metricsShown(texts.join('\n'))
    return wanted.every((name) => shown.has(name))
  })
})

test('a part that ends unexpectedly stops the stack, and the error names it', async () => {
  const before = await descendants(process.pid)
  const stack = await startStack({ processes: 'apart', onLogLine: () => {} })
  const parts = [...(await descendants(process.pid))].filter(([pid]) => !before.has(pid))
  expect(parts.length).toBeGreaterThan(4)
  const [pid = 0] = stack.worker.pids()
  process.kill(pid, 'SIGKILL')
  expect(await stack.failed).toMatch(/^the worker ended \(SIGKILL\)/)
  await expect(stack.stop()).rejects.toThrow(/the worker ended \(SIGKILL\)/)
  await until('nothing of it is left', async () => (await survivors(new Map(parts))).length === 0)
})

test('a stack that cannot start leaves no process', async () => {
  const before = await descendants(process.pid)
  const started = startStack({ processes: 'apart', settings: { TAX_RATE_BPS: 'a lot' } })
  await expect(started).rejects.toThrow(/TAX_RATE_BPS/)
  await until('nothing of it is left', async () => {
    const left = [...(await descendants(process.pid))].filter(([pid]) => !before.has(pid))
    return (await survivors(new Map(left))).length === 0
  })
})
