/**
 * Resolves with what asks this process to stop: SIGTERM, SIGINT, or the end of whoever started it, where that is npm. It
 * runs a command through a shell, and a signal to npm alone ends the shell, but does not come through to us. From now on
 * no further signal cuts short what the first began, which is bounded.
 * @param environment the process's own, which says whether npm runs it
 */
export function stopAsked(environment: Record<string, string | undefined>): Promise<string> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  return Promise.race([
    ...signals.map((signal) => new Promise<string>((resolve) => process.on(signal, () => resolve(signal)))),
    ...(environment.npm_lifecycle_event === undefined ? [] : [parentEnded()]),
  ])
}

async function parentEnded(): Promise<string> {
  const parent = process.ppid
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve()
    }, 250)
    timer.unref()
  })
  return 'the end of npm'
}
