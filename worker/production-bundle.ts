/** The workflow bundles of production: `npm run bundle` makes them with the image, so that no start runs webpack. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.ts'
import type { Log } from '../shared/log.ts'
import { buildBundle, hashOfInputs, type WorkflowBundle } from './bundle.ts'

/** A bundle that is missing, or of other sources. */
export class BundleFault extends Error {
  override readonly name = 'BundleFault'
}

const folder = fileURLToPath(new URL('../bundles/', import.meta.url))
/** Production requires keys for payloads, so its failures are always encrypted. */
const encrypted = true

/** Builds the bundles of unversioned and of versioned workers. @returns their files @throws if they do not bundle */
export async function writeProductionBundles(log: Log): Promise<string[]> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const files: string[] = []
  for (const versioned of [false, true]) {
    const file = join(folder, await nameOf(versioned))
    await writeFile(file, (await buildBundle({ encrypted, versioned, log })).code)
    files.push(file)
  }
  return files
}

/** Reads the bundle of these sources. @throws BundleFault when there is none, or only one of other sources */
export async function readProductionBundle({ versioned }: { versioned: boolean }): Promise<WorkflowBundle> {
  const code = await readFile(join(folder, await nameOf(versioned)), 'utf8').catch(() => undefined)
  if (code !== undefined) return { code }
  const others = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(kindOf(versioned)))
  throw new BundleFault(
    others.length === 0
      ? `There is no workflow bundle in ${folder}: make it with \`npm run bundle\`.`
      : `The workflow bundle in ${folder} is of other sources than these: make it again with \`npm run bundle\`.`,
  )
}

/** Reads the bundle at a worker's start. A fault is written to standard error without a stack, and the program ends. */
export async function productionBundleOrExit(config: Pick<Config, 'WORKER_BUILD_ID'>): Promise<WorkflowBundle> {
  try {
    return await readProductionBundle({ versioned: config.WORKER_BUILD_ID !== undefined })
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}

const kindOf = (versioned: boolean): string => (versioned ? 'versioned-' : 'unversioned-')
const nameOf = async (versioned: boolean): Promise<string> =>
  `${kindOf(versioned)}${await hashOfInputs({ encrypted, versioned })}.js`
