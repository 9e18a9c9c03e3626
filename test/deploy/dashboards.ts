/** The dashboards and recording rules of ops/, and what they read. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'

export const ops = new URL('../../ops/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, ops), 'utf8')

interface Dashboard {
  uid: string
  title: string
  panels: { id: number; title: string; targets: { expr: string }[] }[]
}

export const dashboards = readdirSync(new URL('dashboards/', ops)).map((name) => ({
  name,
  dashboard: JSON.parse(read(`dashboards/${name}`)) as Dashboard,
}))

const { groups } = parse(read('recording.yml')) as { groups: { rules: { record: string; expr: string }[] }[] }
const rules = groups.flatMap(({ rules: each }) => each)

export const expressions: readonly string[] = [
  ...dashboards.flatMap(({ dashboard }) => dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
  ...rules.map(({ expr }) => expr),
]

/** The metrics of an expression, without its labels. */
const metricsIn = (expr: string): string[] =>
  [...expr.replaceAll(/\{[^}]*\}|\bby \([^)]*\)/g, '').matchAll(/\b(?:ama|temporal|process|nodejs)_\w+/g)].map(
    ([name]) => name,
  )

const recorded = new Set(rules.map(({ record }) => record))

/** Every metric that API or worker has to show. */
export const metricsRead: readonly string[] = [...new Set(expressions.flatMap(metricsIn))].filter(
  (name) => !recorded.has(name),
)

/** The names of the series in the text that Prometheus reads. */
export const metricsShown = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  )
