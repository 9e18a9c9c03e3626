/**
 * Replays one history, kept or downloaded, for a debugger:
 * `TEMPORAL_DEBUG=1 node --inspect-brk --import tsx test/replay/debug.ts <file>`. TEMPORAL_DEBUG keeps workflows in the
 * main thread, where a `debugger` statement in one stops, and takes the time limit of a workflow task away.
 */
import { readFile } from 'node:fs/promises'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { createLog } from '../../shared/log.ts'
import { loadBundle } from '../../worker/bundle.ts'
import { failedReplays } from '../../worker/replay.ts'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('which history? A file that was kept, or downloaded from the Web UI')
const workflowBundle = await loadBundle({ encrypted: false, log: createLog({ level: 'warn' }) })
const history = historyFromJSON(JSON.parse(await readFile(file, 'utf8')))
const failed = await failedReplays({ workflowBundle }, [{ workflowId: file, history }])
console.log(failed.get(file) ?? `${file} replays`)
process.exitCode = failed.size > 0 ? 1 : 0
