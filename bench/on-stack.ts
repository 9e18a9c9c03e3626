import { type Stack, startStack } from '../dev/stack.ts'

export type Say = (line: string) => void

/** Does its work on a stack of its own: API, worker and simulators each in a process, Temporal on disk. */
export async function onStack<Figures>(say: Say, work: (stack: Stack) => Promise<Figures>): Promise<Figures> {
  const stack = await startStack({
    processes: 'apart',
    workers: 1,
    durable: true,
    keepMail: 'envelopes',
    // As fast as the mail server takes them: how fast one may be is a setting.
    settings: { NODE_ENV: 'development', LOG_LEVEL: 'error', MAIL_RATE_PER_SECOND: '100000' },
    onProgress: say,
  })
  try {
    return await work(stack)
  } finally {
    await stack.stop()
  }
}
