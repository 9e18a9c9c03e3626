/**
 * For `--import`, in a program that the stack starts before its settings are known. It loads modules and packages
 * meanwhile, which is most of a start. It is JavaScript, since Temporal's worker threads load it too.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.send) {
  const isOurs = (module) => module.endsWith('.ts')
  const settings = new Promise((resolve) => process.once('message', resolve))
  const modules = (process.env.AMA_WARM_UP ?? '').split(',').filter(Boolean)
  delete process.env.AMA_WARM_UP
  await Promise.all(
    modules.map((module) =>
      // The program itself reports what cannot be loaded.
      import(isOurs(module) ? new URL(`../${module}`, import.meta.url).href : module).catch(() => {}),
    ),
  )
  Object.assign(process.env, await settings)
  process.disconnect()
  // As tsx does: stacks name lines of the sources.
  process.setSourceMapsEnabled(true)
}
