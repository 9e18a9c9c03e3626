/** `npm run bundle`: makes the workflow bundles that production's workers load. The image runs it as it is built. */
import { createLog } from '../shared/log.ts'
import { writeProductionBundles } from '../worker/production-bundle.ts'

for (const file of await writeProductionBundles(createLog({ level: 'warn' }))) process.stdout.write(`${file}\n`)
