/** A step of a release whose answer is lost, that was killed, or that is not alone leaves no build with work unwatched. */
import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { promote, Refusal, type Rollout, ramp } from '../../cli/deploy/rollout.ts'
import type { WatchOptions } from '../../cli/deploy/watch.ts'

/** Temporal's record of a deployment whose builds all have workers. */
function deployment(current: string) {
  const state = { current, ramping: '', losesAnswers: false }
  const version = (buildId: string) => (buildId ? { buildId, deploymentName: 'd' } : undefined)
  const routing = () => ({
    currentDeploymentVersion: version(state.current),
    rampingDeploymentVersion: version(state.ramping),
    rampingVersionPercentage: state.ramping ? 10 : 0,
  })
  const answer = async () => {
    if (!state.losesAnswers) return {}
    state.losesAnswers = false
    throw new Error('the answer is lost')
  }
  const pollers = ['old', 'new', 'other'].map((buildId) => ({
    lastAccessTime: { seconds: Date.now() / 1_000 },
    deploymentOptions: version(buildId),
  }))
  const workflowService = {
    describeWorkerDeployment: async () => ({
      workerDeploymentInfo: { routingConfig: routing(), versionSummaries: [] },
    }),
    describeTaskQueue: async () => ({ pollers, versioningInfo: routing() }),
    describeWorkerDeploymentVersion: async () => ({ versionTaskQueues: [] }),
    setWorkerDeploymentCurrentVersion: ({ buildId }: { buildId: string }) => {
      state.current = buildId
      state.ramping = ''
      return answer()
    },
    setWorkerDeploymentRampingVersion: ({ buildId }: { buildId: string }) => {
      state.ramping = buildId
      return answer()
    },
  }
  const workflow = { async *list() {} }
  const client: Client = Object.assign(Object.create(null), {
    options: { namespace: 'n' },
    workflowService,
    workflow,
  })
  const said: string[] = []
  const rollout: Rollout = {
    client,
    deploymentName: 'd',
    taskQueue: 'q',
    ownBuildId: 'new',
    check: async () => ({ kept: 1, open: 0, leftOut: 0, failed: [] }),
    say: (line) => void said.push(line),
  }
  return { state, said, rollout }
}

function watching(options: Partial<WatchOptions> = {}): WatchOptions {
  return { watchMs: 1, onInterruption: () => new AbortController().signal, say: () => undefined, ...options }
}

test('a promotion or a ramp whose answer is lost is taken back, as nobody has watched the build', async () => {
  const { state, rollout } = deployment('old')
  state.losesAnswers = true
  await expect(promote(rollout, watching())).rejects.toBeInstanceOf(Refusal)
  expect(state).toMatchObject({ current: 'old', ramping: '' })
  state.losesAnswers = true
  await expect(ramp(rollout, 10, watching())).rejects.toBeInstanceOf(Refusal)
  expect(state).toMatchObject({ current: 'old', ramping: '' })
  await promote(rollout, watching())
  expect(state.current).toBe('new')
})

test('the repetition of a promotion that was killed watches the build, and leaves the roll back to an operator', async () => {
  const { state, said, rollout } = deployment('new')
  await promote(rollout, watching())
  expect(said.join()).toContain('Build new is current already. Watching it')
  const onInterruption = () => AbortSignal.abort()
  await expect(promote(rollout, watching({ onInterruption }))).rejects.toThrow('npm run deploy -- rollback')
  expect(state.current).toBe('new')
})

test.each(['promote', 'ramp'] as const)(
  'a %s that does not go well takes nothing back from another one that came after it',
  async (step) => {
    const { state, rollout } = deployment('old')
    const field = step === 'promote' ? 'current' : 'ramping'
    const onInterruption = () => AbortSignal.abort()
    const say = (line: string) => {
      if (line.includes('Watching it')) state[field] = 'other'
    }
    const meanwhile = { ...rollout, say }
    const work =
      step === 'promote'
        ? promote(meanwhile, watching({ onInterruption }))
        : ramp(meanwhile, 10, watching({ onInterruption }))
    await expect(work).rejects.toBeInstanceOf(Refusal)
    expect(state[field]).toBe('other')
  },
)
