/**
 * For `--import`, in a program that the stack starts before its settings are known: loads modules of ours or packages
 * meanwhile, which is most of its start. Plain JavaScript, since Temporal's worker threads load it too.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.send) {
  const settings = new Promise((resolve) => {
    process.once('message', resolve)
  })
  const modules = (process.env.AMA_WARM_UP ?? '').split(',').filter(Boolean)
  delete process.env.AMA_WARM_UP
  const isOurs = (module) => module.endsWith('.ts')
  await Promise.all(
    modules.map((module) =>
      // A package that does not load is missed, and named, by the program itself.
      isOurs(module) ? import(new URL(`../${module}`, import.meta.url).href) : import(module).catch(() => {}),
    ),
  )
  Object.assign(process.env, await settings)
  process.disconnect()
}
