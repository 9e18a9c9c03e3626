/** A run that is told something while its local activity is under way: both branches do something next. */
import {
  condition,
  defineSignal,
  proxySinks,
  type Sinks,
  scheduleActivity,
  scheduleLocalActivity,
  setHandler,
} from '@temporalio/workflow'

export interface Seen extends Sinks {
  seen: { told(): void }
}

const { seen } = proxySinks<Seen>()
const options = { startToCloseTimeout: '30 seconds' } as const

/** @param then how the second branch goes on */
export async function toldMeanwhile(then: 'locally' | 'regularly'): Promise<void> {
  let isTold = false
  let isUnderstood = false
  setHandler(defineSignal('tell'), () => {
    isTold = true
  })
  await Promise.all([afterItself(), afterMessage(), understand()])

  async function afterItself(): Promise<void> {
    await scheduleLocalActivity('untilTold', [], options)
    await scheduleActivity('first', [], options)
  }

  async function understand(): Promise<void> {
    await condition(() => isTold)
    isUnderstood = true
  }

  async function afterMessage(): Promise<void> {
    await condition(() => isUnderstood)
    // As functions between a message and what it leads to.
    for (let step = 0; step < 20; step++) await Promise.resolve()
    seen.told()
    await (then === 'locally' ? scheduleLocalActivity : scheduleActivity)('second', [], options)
  }
}

/** The same, told in the middle of a task's first attempt: a local activity has led to something already. */
export async function toldInTheMiddle(): Promise<void> {
  let isTold = false
  setHandler(defineSignal('tell'), () => {
    isTold = true
  })
  await Promise.all([afterItself(), afterMessage()])

  async function afterItself(): Promise<void> {
    await scheduleLocalActivity('quick', [], options)
    const first = scheduleActivity('first', [], options)
    await scheduleLocalActivity('untilTold', [], options)
    await first
  }

  async function afterMessage(): Promise<void> {
    await condition(() => isTold)
    seen.told()
    await scheduleActivity('second', [], options)
  }
}
