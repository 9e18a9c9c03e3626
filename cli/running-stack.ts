/** The settings of the stack that `npm start` runs on this machine, for commands beside it. They hold its secrets. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, ConfigurationError, readConfig } from '../config.ts'

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
  const running: Environment = text === undefined ? {} : JSON.parse(text)
  return { ...running, ...environment }
}

/**
 * The configuration of a command and the settings of Temporal that belong to it. Faults are written to standard error
 * without a stack, and the program ends.
 */
export async function readConfigBeside(
  environment: Environment,
): Promise<{ config: Config; temporal: Record<string, string> | undefined }> {
  const beside = await environmentBeside(environment)
  try {
    return { config: readConfig(beside), temporal: temporalBeside(beside) }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    // A developer who has configured nothing wants the stack of this machine, not a list of thirty settings.
    const isConfigured = beside.NODE_ENV === 'production' || beside.DATABASE_URL !== undefined
    process.stderr.write(isConfigured ? `${error.message}\n` : `${noStack}\n`)
    process.exit(1)
  }
}

const noStack = `No stack runs here (npm start), and DATABASE_URL is not set.
\`npm run doctor\` names all settings that a command needs elsewhere.`

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
