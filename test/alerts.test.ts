/** The alert rules: each has a case in ops/alerts.test.yml, in which it fires on its first event and not before. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { throwawayFolder } from '../dev/throwaway-folder.ts'
import { esimProviderIds, outsideParties } from '../policy/outside-parties.ts'
import { lacks } from './harness/optional/optional.ts'

const folder = new URL('../ops/', import.meta.url)
const read = (name: string): unknown => parse(readFileSync(new URL(name, folder), 'utf8'))
const rule = z.object({
  alert: z.string(),
  expr: z.string(),
  annotations: z.record(z.string(), z.string()),
})
const { groups } = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }).parse(read('alerts.yml'))
const alerts = groups.flatMap(({ rules }) => rules)

test('each alert has a case in which it does not fire, and then does', () => {
  const once = z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })
  const each = z.object({ name: z.string(), alert_rule_test: z.array(once) })
  const { tests } = z.object({ tests: z.array(each) }).parse(read('alerts.test.yml'))
  const alertOf = (name: string): string => name.replace(/: .*/, '')
  expect([...new Set(tests.map(({ name }) => alertOf(name)))].sort()).toEqual(alerts.map(({ alert }) => alert).sort())
  for (const { name, alert_rule_test: cases } of tests) {
    const firing = cases.map(({ alertname, exp_alerts: expected }) => [alertname, expected.length])
    const [before, after] = [0, 1].map((count) => [alertOf(name), count])
    // A further case may begin with what fires.
    expect([before, after], name).toEqual(name === alertOf(name) ? firing : firing.toSorted())
  }
})

test('no alert sends its reader to a metric: its text gives the figure', () => {
  for (const { alert, annotations } of alerts) {
    const words = Object.values(annotations).map((text) => text.replaceAll(/\{\{.*?\}\}/gs, ''))
    expect([alert, words.filter((text) => text.includes('ama_'))]).toEqual([alert, []])
  }
})

/** Where the runbooks are read; the one in the repository stands for that of an installation. */
const base = 'https://runbooks.example.com'

test('each alert leads to its runbook, which names it, under one address', () => {
  for (const { alert, annotations } of alerts) {
    const { runbook_url: link = '' } = annotations
    const [, name = ''] = new RegExp(`^${base}/([\\w-]+\\.md)$`).exec(link) ?? []
    const runbook = new URL(`../docs/runbooks/${name}`, folder)
    expect([alert, name !== '' && existsSync(runbook)], link).toEqual([alert, true])
    expect(readFileSync(runbook, 'utf8'), name).toContain(`\`${alert}\``)
  }
})

test('the command of docs/deploying.md puts the address of an installation into every rule', async () => {
  const copy = await throwawayFolder('ama-esim-rules-')
  cpSync(fileURLToPath(folder), join(copy, 'ops'), { recursive: true })
  const documented = readFileSync(new URL('../docs/deploying.md', folder), 'utf8')
  const [command = ''] = /^ *sed -i .*\$RUNBOOKS.*$/m.exec(documented) ?? []
  const env = { PATH: process.env.PATH ?? '', RUNBOOKS: 'https://git.of.ours/ama-esim/docs/runbooks' }
  execFileSync('sh', ['-c', command], { cwd: copy, env })
  const text = readFileSync(join(copy, 'ops/alerts.yml'), 'utf8')
  expect(text).not.toContain('example.com')
  const links = text.match(/runbook_url: https:\/\/git\.of\.ours\/ama-esim\/docs\/runbooks\/[\w-]+\.md$/gm) ?? []
  expect(links).toHaveLength(alerts.length)
})

test('the runbook of outages names each outside party, and the eSIM providers as such', () => {
  const runbook = readFileSync(new URL('../docs/runbooks/is-an-outside-party-down.md', folder), 'utf8')
  const others = Object.entries(outsideParties).filter(([id]) => !esimProviderIds.some((provider) => provider === id))
  const missing = ['one eSIM provider', ...others.map(([, name]) => name)].filter((party) => !runbook.includes(party))
  expect(missing, 'add a row to docs/runbooks/is-an-outside-party-down.md').toEqual([])
})

test('the alert of all eSIM providers names each of them, and how many they are', () => {
  const { expr = '' } = alerts.find(({ alert }) => alert === 'EsimProvidersDown') ?? {}
  const [, ids = '', count] = /party=~"([^"]+)".* == (\d+)$/.exec(expr) ?? []
  expect(ids.split('|').sort()).toEqual([...esimProviderIds].sort())
  expect(Number(count)).toBe(esimProviderIds.length)
})

const promtool = (...args: string[]): string =>
  execFileSync('promtool', args, { cwd: fileURLToPath(folder), encoding: 'utf8' })

test.skipIf(lacks('promtool'))('Prometheus reads the rules (skipped without promtool)', () => {
  expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS')
})

test.skipIf(lacks('promtool'))(
  'Prometheus’ own test of the rules passes (skipped without promtool)',
  { tags: 'long' },
  () => {
    expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS')
  },
)
