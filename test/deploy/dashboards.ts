/** The dashboards and recording rules of ops/, and what they read. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

export const ops = new URL('../../ops/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, ops), 'utf8')

const dashboardForm = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.looseObject({ id: z.number(), title: z.string(), targets: z.array(z.looseObject({ expr: z.string() })) }),
  ),
})

export const dashboards = readdirSync(new URL('dashboards/', ops)).map((name) => ({
  name,
  dashboard: dashboardForm.parse(JSON.parse(read(`dashboards/${name}`))),
}))

const rule = z.object({ record: z.string(), expr: z.string() })
const { groups } = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }).parse(parse(read('recording.yml')))
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
