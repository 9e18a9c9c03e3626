/** Runs what a command does with database, adapters and keys. */
import { type Context, createContext } from '../context.ts'
import { assertOwnKeys } from '../db/crypto/wrong-keys.ts'
import { runCommand } from './run-command.ts'
import { readConfigBeside } from './running-stack.ts'

/**
 * Runs a command with a context of its own settings, or of the stack that `npm start` runs here, and closes it.
 * @param name of its connections
 * @param work resolves to the exit code
 */
export function runWithContext(
  name: string,
  maxConnections: number,
  work: (context: Context) => Promise<number>,
): Promise<void> {
  return runCommand(async () => {
    const { config } = await readConfigBeside(process.env)
    const context = createContext(config, { name, maxConnections })
    try {
      await assertOwnKeys(context)
      return await work(context)
    } finally {
      await context.close()
    }
  })
}
