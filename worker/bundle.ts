/**
 * The workflow bundle, which webpack builds within seconds. It is cached on disk, so that later starts need not build
 * it.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import type { Log } from '../shared/log.ts'
import { failureConverterPath, payloadConverterPath } from '../temporal/payload-codec.ts'
import { temporalLogger } from './temporal-logger.ts'

export interface WorkflowBundle {
  code: string
}

const root = fileURLToPath(new URL('../', import.meta.url))
/** The server refuses a run's versioning behaviour from a worker that is not versioned. */
const entries = { plain: 'workflows/index.ts', versioned: 'workflows/versioning/entry.ts' }
/** The module of the interceptors of all runs: without it their histories do not replay. */
export const ownInterceptors = 'workflows/run/interceptors.ts'
/** The folders that workflow code may import, beside packages. */
const sourceFolders = ['workflows', 'policy', 'shared']

export interface BundleOptions {
  /** whether failures go through the payload codec; the bundle has its failure converter then */
  encrypted: boolean
  /** whether the worker has a build id; the workflows have their versioning behaviour then */
  versioned?: boolean
  /**
   * a further module of workflow interceptors, of which no production bundle has one; it imports nothing else of ours
   */
  interceptors?: string
  /** keeps what webpack has made of each module, for a next build that changes a few of them */
  incremental?: boolean
  log: Log
}

/**
 * Loads the cached bundle of the current sources, or builds and caches it. Safe when several processes do the same.
 */
export async function loadBundle(options: BundleOptions): Promise<WorkflowBundle> {
  const name = await nameOfBundle(options)
  for (const folder of cacheFolders) {
    const code = await readFile(join(folder, name), 'utf8').catch(() => undefined)
    if (code === undefined) continue
    // Bundles that were used longest ago are removed first. The files of a container image are usually read-only.
    await utimes(join(folder, name), new Date(), new Date()).catch(() => undefined)
    return { code }
  }
  const bundle = await buildBundle(options)
  // A file that was saved meanwhile is in it or not: nobody knows whose bundle it is.
  if (name === (await nameOfBundle(options))) await cache(name, bundle.code, options.log)
  return bundle
}

/** Builds the bundle. @throws if the sources do not bundle */
export async function buildBundle(options: BundleOptions): Promise<WorkflowBundle> {
  const { encrypted, versioned, interceptors, incremental = false, log } = options
  const workflowsPath = join(root, versioned ? entries.versioned : entries.plain)
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    // Otherwise each run evaluates the modules of all workflows anew, and keeps them for as long as it is cached. The
    // modules hold nothing of a run (test/worker/module-state.test.ts), and the SDK freezes what they export.
    preloadModules: [workflowsPath],
    // Webpack's report about a good bundle is pages long.
    logger: temporalLogger(() => log.child({}, { level: log.isLevelEnabled('debug') ? log.level : 'warn' })),
    payloadConverterPath,
    ...(encrypted && { failureConverterPath }),
    workflowInterceptorModules: [join(root, ownInterceptors), ...(interceptors === undefined ? [] : [interceptors])],
    // Histories hold the stacks of failures, which must not have paths of this machine.
    webpackConfigHook: (config) => ({
      ...config,
      ...(incremental && { cache: { type: 'filesystem', cacheDirectory: join(root, 'node_modules/.cache/webpack') } }),
      output: { ...config.output, devtoolModuleFilenameTemplate: fromRoot },
    }),
  })
  return { code }
}

const fromRoot = ({ absoluteResourcePath }: { absoluteResourcePath: string }): string =>
  relative(root, absoluteResourcePath)

const nameOfBundle = async (options: BundleOptions): Promise<string> => `workflows-${await hashOfInputs(options)}.js`

const cacheFolders = [
  join(root, 'node_modules/.cache/ama-esim'),
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ama-esim'),
]

/** A bundle is this build's as long as its inputs have this hash; the folder that it was made in is one of them. */
export async function hashOfInputs({
  encrypted,
  versioned = false,
  interceptors,
}: Omit<BundleOptions, 'log'>): Promise<string> {
  const hash = createHash('sha256').update(`${encrypted} ${versioned} ${root} `)
  const files = (await Promise.all(sourceFolders.map((folder) => listSources(join(root, folder))))).flat()
  if (interceptors !== undefined) files.push(interceptors)
  files.push(payloadConverterPath, failureConverterPath, fileURLToPath(import.meta.url), sdkManifest())
  const contents = await Promise.all(files.sort().map(async (file) => ({ file, content: await readFile(file) })))
  for (const { file, content } of contents) {
    hash.update(relative(root, file)).update('\0').update(content).update('\0')
  }
  return hash.digest('hex').slice(0, 24)
}

async function listSources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** This file has the SDK's version, and those of the packages that it bundles. */
const sdkManifest = (): string => fileURLToPath(import.meta.resolve('@temporalio/worker/package.json'))

async function cache(name: string, code: string, log: Log): Promise<void> {
  for (const folder of cacheFolders) {
    const unfinished = join(folder, `${name}.${randomUUID()}.tmp`)
    try {
      await mkdir(folder, { recursive: true })
      await writeFile(unfinished, code)
      await rename(unfinished, join(folder, name))
      await deleteUnusedBundles(folder, name)
      return
    } catch (error) {
      // The files of a container image are usually read-only. The next start builds the bundle again.
      log.debug({ error, folder }, 'the workflow bundle could not be kept')
      await rm(unfinished, { force: true }).catch(() => undefined)
    }
  }
}

const maxCachedBundles = 6

/**
 * Keeps the bundles that were used last: several checkouts may share the folder, each with a plain and an encrypted
 * bundle.
 */
async function deleteUnusedBundles(folder: string, name: string): Promise<void> {
  const names = (await readdir(folder)).filter((file) => /^workflows-\w+\.js$/.test(file) && file !== name)
  const bundles = await Promise.all(
    names.map(async (file) => {
      const usedAt = await stat(join(folder, file)).then(
        ({ mtimeMs }) => mtimeMs,
        // Another process has deleted it.
        () => 0,
      )
      return { file, usedAt }
    }),
  )
  bundles.sort((a, b) => b.usedAt - a.usedAt)
  for (const { file } of bundles.slice(maxCachedBundles)) await rm(join(folder, file), { force: true })
}
