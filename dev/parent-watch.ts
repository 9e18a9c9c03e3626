/**
 * Resolves when the process that started us has ended. npm runs a command through a shell, and a signal to npm alone
 * ends the shell, but does not come through to us.
 */
export async function parentEnded(): Promise<void> {
  const parent = process.ppid
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve()
    }, 250)
    timer.unref()
  })
}
