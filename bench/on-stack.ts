import { type Stack, startStack } from '../dev/stack.ts'
import type { StackOptions } from '../dev/stack-options.ts'

export type Say = (line: string) => void

/** Runs work on a new stack: API, worker and simulators each in a process, Temporal's data on disk. */
export async function onStack<Figures>(
  say: Say,
  work: (stack: Stack) => Promise<Figures>,
  options: Pick<StackOptions, 'workers' | 'environment'> = {},
): Promise<Figures> {
  const stack = await startStack({
    processes: 'apart',
    workers: 1,
    durable: true,
    keepMail: 'envelopes',
    // Without a limit of mails, which is a setting: the mail server's speed is the limit.
    settings: { NODE_ENV: 'development', LOG_LEVEL: 'error', MAIL_RATE_PER_SECOND: '100000' },
    onProgress: say,
    ...options,
  })
  try {
    return await work(stack)
  } finally {
    await stack.stop()
  }
}
