/**
 * `npm start`, and with `--reload` `npm run dev`, which restarts API and worker when a file is saved. In production API
 * and worker are a process each; otherwise the embedded stack is started, whose code production never loads.
 */
import './ensure-installed.mjs'
import module from 'node:module'
import { builtPrograms, compiledIn, loadBuilt } from './programs/built.mjs'

if (process.exitCode) process.exit()
// By itself, since sources of TypeScript are not loaded yet.
const unknown = process.argv.slice(2).find((each) => each !== '--reload')
if (unknown !== undefined) {
  const isAsked = unknown === '--help' || unknown === '-h'
  const usage = 'Usage: npm start\n  npm run dev   also restarts API and worker when a file is saved'
  console.error(isAsked ? usage : `Unexpected argument '${unknown}'.\n${usage}`)
  process.exit(isAsked ? 0 : 2)
}
const built = await builtPrograms().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
if (process.env.NODE_ENV === 'production') await loadBuilt(built, 'cli/start-production.ts')
else {
  // Node has it since 22.1. Its processes get the same folder by their environment.
  module.enableCompileCache?.(compiledIn(built))
  const { startEmbedded } = await loadBuilt(built, 'cli/start-embedded.ts')
  await startEmbedded({ built, reload: process.argv.includes('--reload') })
}
