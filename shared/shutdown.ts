/**
 * Resolves with the reason to stop this process: SIGTERM, SIGINT, or the end of its parent if npm started it. npm runs
 * commands in a shell, and a signal to npm ends that shell without reaching this process. A second signal does not end
 * the process, because the shutdown that the first one began has a time limit.
 * @param environment the environment of the process, which says whether npm runs it
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
