/**
 * For `--import`, in a program that the stack starts before its settings are known. It loads modules and packages
 * meanwhile, which is most of a start. It is JavaScript, since Temporal's worker threads load it too.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.send) {
  const settings = new Promise((resolve) => process.once('message', resolve))
  const modules = (process.env.AMA_WARM_UP ?? '').split('\n').filter(Boolean)
  delete process.env.AMA_WARM_UP
  const isOurs = (module) => /^file:|\.ts$/.test(module)
  await Promise.all(modules.filter((module) => !isOurs(module)).map(load))
  // As tsx does: stacks name lines of the sources. Earlier, Node would read the maps of all packages.
  process.setSourceMapsEnabled(true)
  await Promise.all(modules.filter(isOurs).map(load))
  Object.assign(process.env, await settings)
  process.disconnect()
}

function load(module) {
  const address = module.endsWith('.ts') ? new URL(`../${module}`, import.meta.url).href : module
  // The program itself reports what cannot be loaded.
  return import(address).catch(() => {})
}
