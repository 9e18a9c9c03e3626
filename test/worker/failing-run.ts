/** A run that fails with a failure of ours, as that of a local activity reaches it. */
import { ApplicationFailure, allHandlersFinished, condition, defineUpdate, setHandler } from '@temporalio/workflow'

export const asked = defineUpdate<string>('asked')

const failure = () => ApplicationFailure.nonRetryable('', 'OutOfStock')

/**
 * @param when `asked`: its caller gets the failure; `later`: its caller has the answer already; `unasked`: nobody asks
 * it
 */
export async function failingRun(when: 'asked' | 'later' | 'unasked'): Promise<void> {
  let answered = when === 'unasked'
  setHandler(asked, async () => {
    answered = true
    if (when === 'asked') throw failure()
    return 'done'
  })
  await condition(() => answered)
  await condition(allHandlersFinished)
  throw failure()
}
