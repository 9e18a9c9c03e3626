/** The dashboards: each metric that they read is shown, and Prometheus reads each of their expressions. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { dashboards, expressions, metricsRead, metricsShown, ops } from './dashboards.ts'

const harness = await shareStack()

// test/stack/apart.long.test.ts has those of the SDK, which a worker in a separate process shows.
test('every metric of ours that the dashboards read is shown by the API or a worker', async () => {
  const [workerUrl = ''] = harness.urls.workerMetrics
  const authorization = `Bearer ${harness.keys.operator}`
  const answers = await Promise.all([
    fetch(`${harness.urls.api}/metrics`, { headers: { authorization } }),
    fetch(`${workerUrl}/metrics`),
  ])
  const shown = metricsShown((await Promise.all(answers.map((answer) => answer.text()))).join('\n'))
  const ours = metricsRead.filter((name) => !name.startsWith('temporal_'))
  expect(ours.length).toBeGreaterThan(20)
  expect(ours.filter((name) => !shown.has(name))).toEqual([])
})

test('each dashboard has a name of its own, and panels with titles', () => {
  expect(dashboards.length).toBeGreaterThan(3)
  for (const { name, dashboard } of dashboards) {
    expect(name).toBe(`${dashboard.uid}.json`)
    expect(dashboard.title).toMatch(/^AMA eSIM: .*\?$/)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    expect(dashboard.panels.every(({ title }) => title.length > 3)).toBe(true)
  }
})

test.skipIf(lacks('promtool'))(
  'Prometheus reads every expression of the dashboards, the recording rules and its configuration in compose (skipped without promtool)',
  async () => {
    const promtool = (...args: string[]): string =>
      execFileSync('promtool', args, { cwd: fileURLToPath(ops), encoding: 'utf8' })
    expect(promtool('check', 'rules', 'recording.yml')).toContain('SUCCESS')
    expect(promtool('test', 'rules', 'recording.test.yml')).toContain('SUCCESS')
    const rules = expressions.map((expr, index) => ({ record: `panel_${index}`, expr }))
    const file = join(await throwawayFolder('ama-esim-panels-'), 'rules.yml')
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
    expect(promtool('check', 'rules', file)).toContain(`${expressions.length} rules found`)
    expect(promtool('check', 'config', '--syntax-only', 'compose/prometheus.yml')).toContain('SUCCESS')
  },
)
