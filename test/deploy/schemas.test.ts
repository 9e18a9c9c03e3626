/** docker-compose.yml and the Kubernetes manifests are what their schemas allow, and agree with the code. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { settingNames } from '../../config.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { composeFile, services } from './compose/compose.ts'
import { recipes } from './compose/recipes.ts'

const root = new URL('../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
const schema = (name: string): Record<string, unknown> => JSON.parse(read(`test/deploy/schemas/${name}.json`))

const manifestForm = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.unknown().optional(),
  data: z.record(z.string(), z.string()).optional(),
})
const deploymentForm = z.looseObject({
  replicas: z.number(),
  template: z.looseObject({ spec: z.looseObject({ containers: z.array(z.unknown()) }) }),
})
const autoscalerForm = z.looseObject({ scaleTargetRef: z.looseObject({ name: z.string() }) })

const folder = 'ops/kubernetes/'
const manifests = readdirSync(new URL(folder, root))
  .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  .flatMap((name) =>
    parseAllDocuments(read(folder + name)).map((document) => ({ name, content: manifestForm.parse(document.toJS()) })),
  )

test('docker-compose.yml is what the Compose Specification allows', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema('compose-spec'))
  // Extensions are merged into the services, and may hold anything.
  expect(validate(composeFile), JSON.stringify(validate.errors, null, 1)).toBe(true)
  expect(validate({ services: { api: { image: 'x', healthcheck: { intervall: '1s' } } } })).toBe(false)
})

test('each manifest is what the schema of its kind in Kubernetes 1.34 allows, without unknown fields', () => {
  const { kinds, definitions } = z
    .object({ kinds: z.record(z.string(), z.string()), definitions: z.looseObject({}) })
    .parse(schema('kubernetes-1.34'))
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const validatorOf = (kind: string) => ajv.compile({ $ref: kinds[kind], definitions })
  expect(manifests.length).toBeGreaterThan(8)
  for (const { name, content } of manifests) {
    const kind = `${content.apiVersion} ${content.kind}`
    expect(Object.keys(kinds), `${name}: ${kind}`).toContain(kind)
    const validate = validatorOf(kind)
    expect(validate(content), `${name}: ${kind} ${JSON.stringify(validate.errors, null, 1)}`).toBe(true)
  }
  const odd = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { portz: [] } }
  expect(validatorOf('v1 Service')(odd)).toBe(false)
})

test('kubectl applies every manifest', () => {
  const { resources } = z.object({ resources: z.array(z.string()) }).parse(parse(read(`${folder}kustomization.yaml`)))
  expect(resources.toSorted()).toEqual([...new Set(manifests.map(({ name }) => name))].sort())
})

test('the commands of docs/deploying.md give every manifest the image and its commit, also at the next release', async () => {
  const copy = await throwawayFolder('ama-esim-manifests-')
  await cp(new URL(folder, root), join(copy, folder), { recursive: true })
  const [first = '', next = ''] = [...read('docs/deploying.md').matchAll(/^ *(sed -i .*)$/gm)].map(([, line]) => line)
  const edit = (command: string, env: Record<string, string>) =>
    execFileSync('sh', ['-c', command], { cwd: copy, env: { PATH: process.env.PATH ?? '', ...env } })
  const builds = () => {
    const texts = readdirSync(join(copy, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(copy, folder, name), 'utf8'))
      .join('\n')
    return [...texts.matchAll(/(?:ama-esim:|worker-|build: "|WORKER_BUILD_ID, value: ")([\w]+)/g)].map(([, id]) => id)
  }
  expect(new Set(builds())).toEqual(new Set(['0000000']))
  edit(first, { IMAGE: 'registry.of.ours/ama-esim', COMMIT: 'aaaaaaaaaaaa' })
  expect(new Set(builds())).toEqual(new Set(['aaaaaaaaaaaa']))
  edit(next, { OLD: 'aaaaaaaaaaaa', COMMIT: 'bbbbbbbbbbbb' })
  expect(new Set(builds())).toEqual(new Set(['bbbbbbbbbbbb']))
  expect(readFileSync(join(copy, folder, 'api.yaml'), 'utf8')).toContain(
    'image: registry.of.ours/ama-esim:bbbbbbbbbbbb',
  )
})

test('docker-compose.yml and docs/deploying.md name the version of Temporal that is embedded', () => {
  const [, version = ''] = /go\.temporal\.io\/server v([\d.]+)/.exec(read('dev/temporal/server/go.mod')) ?? []
  expect(services['temporal-schema']?.image).toBe(`temporalio/admin-tools:${version}`)
  expect(services.temporal?.image).toBe(`temporalio/server:${version}`)
  const named = [...read('docs/deploying.md').matchAll(/server@v([\d.]+)\//g)].map(([, each]) => each)
  expect(named).toEqual([version])
})

test('API and workers in Kubernetes have probes, limits, a budget for disruptions and an autoscaler', () => {
  const of = (kind: string) => manifests.filter(({ content }) => content.kind === kind).map(({ content }) => content)
  const names = of('Deployment').map(({ metadata }) => metadata.name)
  expect(names.sort()).toEqual(['api', 'worker-0000000'])
  for (const { metadata, spec } of of('Deployment')) {
    const { template, replicas } = deploymentForm.parse(spec)
    expect(replicas, metadata.name).toBe(2)
    const probe = (path: string) => expect.objectContaining({ httpGet: expect.objectContaining({ path }) })
    expect(template.spec.containers, metadata.name).toEqual([
      expect.objectContaining({
        startupProbe: probe('/livez'),
        livenessProbe: probe('/livez'),
        // An API stays in service while no worker polls (decision 0957).
        readinessProbe: probe(metadata.name === 'api' ? '/readyz?exclude=workers' : '/readyz'),
        resources: expect.objectContaining({ limits: { memory: expect.any(String) } }),
        securityContext: expect.objectContaining({ readOnlyRootFilesystem: true }),
      }),
    ])
  }
  const targets = of('HorizontalPodAutoscaler').map(({ spec }) => autoscalerForm.parse(spec).scaleTargetRef.name)
  expect(targets.sort()).toEqual(names)
  expect(of('PodDisruptionBudget').map(({ metadata }) => metadata.name)).toEqual(names)
  const [autoscaler] = of('HorizontalPodAutoscaler').filter(({ metadata }) => metadata.name.startsWith('worker'))
  expect(read('ops/recording.yml')).toContain('record: ama_schedule_to_start_p95_seconds')
  expect(JSON.stringify(autoscaler)).toContain('"ama_schedule_to_start_p95_seconds"')
})

/**
 * The fields that we use of a PodMonitor, as the definition of Prometheus Operator 0.91 has them; no other one is
 * allowed.
 */
const podMonitorForm = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.literal('PodMonitor'),
  metadata: z.strictObject({ name: z.string(), namespace: z.literal('ama-esim') }),
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    podMetricsEndpoints: z.tuple([
      z.strictObject({
        port: z.string(),
        path: z.string(),
        interval: z.string(),
        authorization: z
          .strictObject({ credentials: z.strictObject({ name: z.string(), key: z.string() }) })
          .optional(),
      }),
    ]),
  }),
})

const podForm = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    containers: z.tuple([
      z.looseObject({ ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })) }),
    ]),
  }),
})

test('Prometheus scrapes the pods of each Deployment, the API with a key that docs/deploying.md makes', () => {
  const monitors = parseAllDocuments(read(`${folder}monitoring/pod-monitors.yaml`)).map((document) =>
    podMonitorForm.parse(document.toJS()),
  )
  const pods = manifests
    .filter(({ content }) => content.kind === 'Deployment')
    .map(({ content }) => podForm.parse(deploymentForm.parse(content.spec).template))
  const scraped = pods.map(({ metadata: { labels }, spec: { containers } }) => {
    const of = monitors.filter(({ spec }) =>
      Object.entries(spec.selector.matchLabels).every(([name, value]) => labels[name] === value),
    )
    const [endpoint] = of[0]?.spec.podMetricsEndpoints ?? []
    const port = containers[0].ports.find(({ name }) => name === endpoint?.port)
    return [labels.app, of.length, port?.containerPort, endpoint?.path, endpoint?.authorization?.credentials]
  })
  expect(scraped).toEqual([
    ['api', 1, 8080, '/metrics', { name: 'ama-esim-metrics', key: 'key' }],
    ['worker', 1, 9464, '/metrics', undefined],
  ])
  const documented = read('docs/deploying.md')
  expect(documented).toContain('create secret generic ama-esim-metrics --from-literal=key=')
  expect(documented).toContain('keys.ts create service --label prometheus --scopes read')
  const [{ content: policy } = { content: undefined }] = manifests.filter(
    ({ content }) => content.kind === 'NetworkPolicy',
  )
  for (const port of [8080, 9464]) expect(JSON.stringify(policy)).toContain(`{"port":${port}}`)
})

test('the commands of docs/deploying.md give the operator every alert and recording rule', async () => {
  const [commands = ''] = /^ *for rules in .*?^ *done$/ms.exec(read('docs/deploying.md')) ?? []
  const bin = await throwawayFolder('ama-esim-kubectl-')
  writeFileSync(join(bin, 'kubectl'), '#!/bin/sh\ncat\necho ---\n', { mode: 0o755 })
  const env = { PATH: `${bin}:${process.env.PATH}` }
  const written = execFileSync('sh', ['-c', commands], { cwd: root, env, encoding: 'utf8' })
  const given = parseAllDocuments(written).map((document): unknown => document.toJS())
  const ruleOf = (name: string) => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, namespace: 'ama-esim' },
    spec: parse(read(`ops/${name}.yml`)),
  })
  expect(given.filter((each) => each !== null)).toEqual([ruleOf('alerts'), ruleOf('recording')])
})

test('the autoscaler of workers does not take their absence for idleness', () => {
  expect(read('ops/recording.yml')).not.toMatch(/vector\(|absent/)
  expect(read('ops/recording.yml').match(/0 \* count\(ama_process\{process="worker"\}\)/g)).toHaveLength(2)
})

test('compose and Kubernetes name settings that exist', () => {
  const own = new Set<string>(settingNames)
  const isSetting = (name: string) => own.has(name) || /^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY)$/.test(name)
  const { data = {} } = manifests.find(({ content }) => content.kind === 'ConfigMap')?.content ?? {}
  expect(Object.keys(data).filter((name) => !isSetting(name))).toEqual([])
  const api = Object.keys(services['api-1']?.environment ?? {})
  expect(api.length).toBeGreaterThan(10)
  expect(api.filter((name) => !isSetting(name))).toEqual([])
})

test('each service of compose has a recipe by which it runs without containers', () => {
  const known = Object.keys(recipes({ 'ama-esim': '', 'ama-esim-simulators': '' }))
  expect([...new Set(Object.values(services).map(({ image }) => image))].sort()).toEqual(known.sort())
  expect(Object.keys(services).filter((name) => /^(api|worker)-/.test(name))).toHaveLength(4)
})
