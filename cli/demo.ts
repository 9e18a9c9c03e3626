/** `npm run demo`: shows on the embedded stack how each promise is kept. Its exit code is 1 when a step fails. */
import { fixedPorts } from '../dev/fixed-ports.ts'
import { takenPorts } from '../dev/port.ts'
import { startStack } from '../dev/stack.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { createDemoClient } from './demo/demo-client.ts'
import { createNarrator, StepFailed } from './demo/narrator.ts'
import { playOrderLife, playOutOfStock, signUpCustomer } from './demo/order-life.ts'
import { playBooks, playDeletion, playInactivity } from './demo/person-life.ts'
import { playPolicyChange } from './demo/policy-change.ts'

const tell = createNarrator()
tell.title('AMA eSIM: the backend that keeps its promises')

const ports = await portsOfDemo()
/** log lines, shown only when the demo fails */
const faults: string[] = []
const stack = await startStack({
  ports,
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
  if (stack.settings.STRIPE_API_URL) tell.link('payment page', `${stack.settings.STRIPE_API_URL}/pay`)
  tell.link('operators’ console', `${stack.urls.api}/console`)
  tell.say(`sign in there with the operator key ${stack.keys.operator}`)

  const product = createDemoClient(stack, tell)
  const nora = await signUpCustomer(product)
  await playOrderLife(product, nora)
  await playOutOfStock(product, nora)
  await playPolicyChange(product, nora)
  await playDeletion(product)
  await playInactivity(product)
  await playBooks(product)

  tell.title(`All ${tell.steps()} steps passed in ${tell.seconds()} s`)
  if (process.stdout.isTTY) {
    tell.say('The stack keeps running. Press Ctrl-C to stop it.')
    await Promise.race([stack.failed, stopAsked(process.env)])
  }
} catch (error) {
  code = 1
  if (error instanceof StepFailed) tell.title(`This step failed: ${error.message}`)
  else tell.title(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`)
  for (const line of faults.slice(-5)) tell.say(line)
} finally {
  await stack.stop()
}
process.exitCode = code

/** The ports of development, so that the links are always the same, unless `npm start` or another program has one. */
async function portsOfDemo(): Promise<'fixed' | 'free'> {
  if (!process.stdout.isTTY || process.env.AMA_PORTS === 'free') return 'free'
  const taken = await takenPorts(Object.values(fixedPorts))
  if (taken.length === 0) return 'fixed'
  tell.say(`Another program uses port ${taken.join(', ')}, perhaps npm start. The demo takes other ports.`)
  return 'free'
}
