/** The alert rules: each has a case in ops/alerts.test.yml, in which it fires on its first event and not before. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { outsideParties } from '../policy/outside-parties.ts'

const folder = new URL('../ops/', import.meta.url)
const read = (name: string): unknown => parse(readFileSync(new URL(name, folder), 'utf8'))
const rule = z.object({ alert: z.string(), annotations: z.object({ runbook: z.string().optional() }) })
const { groups } = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }).parse(read('alerts.yml'))
const alerts = groups.flatMap(({ rules }) => rules)
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

test('each alert has a case in which it does not fire, and then does', () => {
  const once = z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })
  const each = z.object({ name: z.string(), alert_rule_test: z.array(once) })
  const { tests } = z.object({ tests: z.array(each) }).parse(read('alerts.test.yml'))
  expect(tests.map(({ name }) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort())
  for (const { name, alert_rule_test: cases } of tests) {
    const firing = cases.map(({ alertname, exp_alerts: expected }) => [alertname, expected.length])
    expect(firing, name).toEqual([
      [name, 0],
      [name, 1],
    ])
  }
})

test('each alert has a runbook that names it', () => {
  for (const { alert, annotations } of alerts) {
    const { runbook = '' } = annotations
    expect(existsSync(new URL(`../${runbook}`, folder)), `${alert}: ${runbook}`).toBe(true)
    expect(readFileSync(new URL(`../${runbook}`, folder), 'utf8'), runbook).toContain(`\`${alert}\``)
  }
})

test('the runbook of outages names each outside party, and the eSIM providers as such', () => {
  const runbook = readFileSync(new URL('../docs/runbooks/is-an-outside-party-down.md', folder), 'utf8')
  const { 'esim-access': _one, airalo: _other, ...others } = outsideParties
  const missing = ['one eSIM provider', ...Object.values(others)].filter((party) => !runbook.includes(party))
  expect(missing, 'add a row to docs/runbooks/is-an-outside-party-down.md').toEqual([])
})

// Debian's package `prometheus` has it.
test.skipIf(!hasPromtool)('Prometheus reads the rules, and its own test of them passes', { tags: 'long' }, () => {
  const promtool = (...args: string[]): string =>
    execFileSync('promtool', args, { cwd: fileURLToPath(folder), encoding: 'utf8' })
  expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS')
  expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS')
})
