/** A workflow for tests of builds: pinned, and open until its signal. */
import { condition, defineSignal, setHandler, setWorkflowOptions } from '@temporalio/workflow'

export const go = defineSignal('go')

export async function pinnedWait(): Promise<void> {
  let done = false
  setHandler(go, () => {
    done = true
  })
  await condition(() => done)
}

setWorkflowOptions({ versioningBehavior: 'PINNED' }, pinnedWait)
