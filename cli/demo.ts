/** `npm run demo`: the promises, kept before your eyes on the embedded stack. Exits non-zero when a step does not hold. */
import { startStack } from '../dev/stack.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { createDemoClient } from './demo/demo-client.ts'
import { createNarrator, StoryBroken } from './demo/narrator.ts'
import { playOrderLife, playOutOfStock, signUpCustomer } from './demo/order-life.ts'
import { playBooks, playDeletion, playInactivity } from './demo/person-life.ts'
import { playPolicyChange } from './demo/policy-change.ts'

const tell = createNarrator()
tell.title('AMA eSIM: the backend that keeps its promises')

/** shown only when the story stops */
const faults: string[] = []
const stack = await startStack({
  ports: process.stdout.isTTY ? 'fixed' : 'free',
  ui: true,
  settings: { LOG_LEVEL: 'error' },
  onLogLine: (line) => faults.push(line),
  onProgress: tell.progress,
})
let code = 0
try {
  tell.chapter('The stack is up: Temporal, PostgreSQL, API, worker, and nine simulated outside parties')
  if (stack.urls.ui) tell.link('Temporal Web UI', stack.urls.ui)
  tell.link('API documentation', `${stack.urls.api}/docs`)
  if (stack.urls.inbox) tell.link('mail inbox', stack.urls.inbox)

  const product = createDemoClient(stack, tell)
  const nora = await signUpCustomer(product)
  await playOrderLife(product, nora)
  await playOutOfStock(product, nora)
  await playPolicyChange(product, nora)
  await playDeletion(product)
  await playInactivity(product)
  await playBooks(product)

  tell.title(`The story held: ${tell.steps()} steps in ${tell.seconds()} s`)
  if (process.stdout.isTTY) {
    tell.say('The stack stays up. Look around, then press Ctrl-C.')
    await Promise.race([stack.failed, stopAsked(process.env)])
  }
} catch (error) {
  code = 1
  if (error instanceof StoryBroken) tell.title(`The story broke at: ${error.message}`)
  else tell.title(`The story stopped: ${error instanceof Error ? error.message : String(error)}`)
  for (const line of faults.slice(-5)) tell.say(line)
} finally {
  await stack.stop()
}
process.exitCode = code
