/**
 * `npm start`, and with `--reload` `npm run dev`, which restarts API and worker when a file is saved. In production API and
 * worker are a process each; otherwise the embedded stack is started, whose code production never loads.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import './ensure-installed.mjs'

if (process.exitCode) process.exit()
// As tsx does: stacks name lines of the sources.
process.setSourceMapsEnabled(true)
if (process.env.NODE_ENV === 'production') {
  const { register } = await import('tsx/esm/api')
  register()
  await import('./start-production.ts')
} else {
  const { builtPrograms } = await import('../dev/programs/built.mjs')
  const built = await builtPrograms().catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
  const { startEmbedded } = await import(pathToFileURL(join(built, 'cli/start-embedded.mjs')).href)
  await startEmbedded({ built, reload: process.argv.includes('--reload') })
}
