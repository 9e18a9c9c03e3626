/**
 * `npm run bundle`: makes the workflow bundles that production's workers load, and builds the programs. The image runs
 * it as it is built.
 */
import { createLog } from '../shared/log.ts'
import { readArguments } from '../shared/process/arguments.ts'
import { writeProductionBundles } from '../worker/production-bundle.ts'
import { makePrograms } from './programs/built.mjs'

readArguments('Usage: npm run bundle', {})
for (const file of await writeProductionBundles(createLog({ level: 'warn' }))) process.stdout.write(`${file}\n`)
process.stdout.write(`${await makePrograms()}\n`)
