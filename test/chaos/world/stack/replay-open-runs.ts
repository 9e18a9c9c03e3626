/**
 * Replays open runs with the code as it is, as `npm run deploy -- check` does, and prints what came of it as JSON. It is
 * a process of its own, since a replay leaves hooks in its process. The kept histories have their own test.
 */

import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { checkReplay } from '../../../../cli/deploy/replay-check.ts'
import { readConfig } from '../../../../config.ts'
import { createLog } from '../../../../shared/log.ts'
import { connectTemporal } from '../../../../temporal/client.ts'
import { loadBundle } from '../../../../worker/bundle.ts'
import { installRuntime } from '../../../../worker/temporal-logger.ts'

/** Of each workflow: a world has few kinds of lives, and a large one thousands of each. */
const perType = 10

const config = readConfig(process.env)
const { PAYLOAD_KEYS: payloadKeys, WORKER_DEPLOYMENT: deploymentName, TEMPORAL_TASK_QUEUE: taskQueue } = config
const log = createLog({ level: 'silent' })
const client = connectTemporal(config)
const bundle = await loadBundle({ encrypted: payloadKeys !== undefined, versioned: true, log })
installRuntime({ log })
const result = await checkReplay(
  { client, deploymentName, taskQueue },
  { bundle, payloadKeys, perType, except: [], keptFiles: ['key-check-done.1.json'], say: () => undefined },
)
// By the time that a violation is read, its run is deleted.
for (const failed of result.failed) {
  const [workflowId = ''] = failed.name.split(' ')
  const history = await client.workflow.getHandle(workflowId).fetchHistory()
  const file = join(tmpdir(), `${workflowId}.history.json`)
  await writeFile(file, historyToJSON(history))
  failed.cause += ` (${file})`
}
// The SDK writes pages about a history that does not replay: the last line is the result.
process.stdout.write(`\n${JSON.stringify(result)}\n`)
await client.connection.close()
