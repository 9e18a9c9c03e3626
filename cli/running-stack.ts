/** The settings of the stack that `npm start` runs on this machine, for commands beside it. They hold its secrets. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the embedded stack keeps its data. */
export const dataFolder = (environment: Environment): string => environment.AMA_DATA_DIR ?? '.data'

/** Written when the stack is ready, and deleted when it stops. */
export const runningSettingsFile = (environment: Environment): string =>
  join(dataFolder(environment), 'running-settings.json')

/**
 * The environment for a command: its own one where it is configured or for production, else with the settings of the
 * stack that `npm start` runs here.
 */
export async function environmentBeside(environment: Environment): Promise<Environment> {
  if (environment.NODE_ENV === 'production' || environment.DATABASE_URL) return environment
  const text = await readFile(runningSettingsFile(environment), 'utf8').catch(() => undefined)
  return text === undefined ? environment : { ...(JSON.parse(text) as Environment), ...environment }
}

/**
 * The settings of Temporal in the environment of a command. Undefined means those of the process itself, which may be
 * described by a profile or a file.
 */
export function temporalBeside(environment: Environment): Record<string, string> | undefined {
  if (environment === process.env) return undefined
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && name.startsWith('TEMPORAL_') ? [[name, value]] : [],
    ),
  )
}
