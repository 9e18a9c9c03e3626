/**
 * `node cli/run.mjs worker/main.ts`: runs API, worker or both from their built files, in a fraction of the time that
 * their sources take to load. `npm run bundle` builds them; without that the first start does.
 */
import { builtPrograms, loadBuilt } from './programs/built.mjs'

const built = await builtPrograms().catch((error) => {
  console.error(`The programs cannot be built: ${error.message}\nMake them with \`npm run bundle\`.`)
  process.exit(1)
})
// The program finds its own arguments where it would find them without this one.
const [program = ''] = process.argv.splice(2, 1)
await loadBuilt(built, program)
