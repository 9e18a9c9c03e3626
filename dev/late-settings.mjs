/**
 * For `--import`, in a program that the stack starts before its settings are known. It loads modules and packages
 * meanwhile, which is most of a start: those it is started with, and later each list that it is sent. It is JavaScript,
 * since Temporal's worker threads load it too.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.send) {
  const isOurs = (module) => module.endsWith('.ts')
  const load = (modules) =>
    Promise.all(
      modules.map((module) =>
        // The program itself reports what cannot be loaded.
        import(isOurs(module) ? new URL(`../${module}`, import.meta.url).href : module).catch(() => {}),
      ),
    )
  const settings = new Promise((resolve) => {
    process.on('message', (message) => (Array.isArray(message) ? void load(message) : resolve(message)))
  })
  const first = (process.env.AMA_WARM_UP ?? '').split(',').filter(Boolean)
  delete process.env.AMA_WARM_UP
  await load(first)
  Object.assign(process.env, await settings)
  process.removeAllListeners('message')
  process.disconnect()
}
