/** `npm run demo`: shows on the embedded stack how each promise is kept. Its exit code is 1 when a step fails. */
import { fixedPorts } from '../dev/fixed-ports.ts'
import { takenPorts } from '../dev/port.ts'
import { type Stack, startStack } from '../dev/stack.ts'
import { readArguments } from '../shared/process/arguments.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { createDemoClient } from './demo/demo-client.ts'
import { createNarrator, StepFailed } from './demo/narrator.ts'
import { playOrderLife, playOutOfStock, signUpCustomer } from './demo/order-life.ts'
import { playBooks, playDeletion, playInactivity } from './demo/person-life.ts'
import { playPolicyChange } from './demo/policy-change.ts'

readArguments('Usage: npm run demo', {})
const narrator = createNarrator()
narrator.title('AMA eSIM: the backend that keeps its promises')

/** log lines, shown only when the demo fails */
const faults: string[] = []
let code = 0
let stack: Stack | undefined
try {
  stack = await startStack({
    ports: await portsOfDemo(),
    ui: true,
    settings: { LOG_LEVEL: 'error' },
    onLogLine: (line) => faults.push(line),
    onProgress: narrator.progress,
  })
  narrator.chapter('The stack is up: Temporal, PostgreSQL, API, worker, and nine simulated outside parties')
  if (stack.urls.ui) narrator.link('Temporal Web UI', stack.urls.ui)
  narrator.link('API documentation', `${stack.urls.api}/docs`)
  if (stack.urls.inbox) narrator.link('mail inbox', stack.urls.inbox)
  if (stack.settings.STRIPE_API_URL) narrator.link('payment page', `${stack.settings.STRIPE_API_URL}/pay`)
  narrator.link('operators’ console', `${stack.urls.api}/console`)
  narrator.say(`sign in there with the operator key ${stack.keys.operator}`)

  const client = createDemoClient(stack, narrator)
  const nora = await signUpCustomer(client)
  await playOrderLife(client, nora)
  await playOutOfStock(client, nora)
  await playPolicyChange(client, nora)
  await playDeletion(client)
  await playInactivity(client)
  await playBooks(client)

  narrator.title(`All ${narrator.steps()} steps passed in ${narrator.seconds()} s`)
  if (process.stdout.isTTY) {
    narrator.say('The stack keeps running. Press Ctrl-C to stop it.')
    await Promise.race([stack.failed, stopAsked(process.env)])
  }
} catch (error) {
  code = 1
  if (error instanceof StepFailed) narrator.title(`This step failed: ${error.message}`)
  else narrator.title(`The demo stopped: ${messageOf(error)}`)
  for (const line of faults.slice(-5)) narrator.say(line)
} finally {
  await stack?.stop().catch((error: unknown) => {
    code = 1
    narrator.say(messageOf(error))
  })
}
process.exitCode = code

/** The ports of development, so that the links are always the same, unless `npm start` or another program has one. */
async function portsOfDemo(): Promise<'fixed' | 'free'> {
  if (!process.stdout.isTTY || process.env.AMA_PORTS === 'free') return 'free'
  const taken = await takenPorts(Object.values(fixedPorts))
  if (taken.length === 0) return 'fixed'
  narrator.say(`Another program uses port ${taken.join(', ')}, perhaps npm start. The demo takes other ports.`)
  return 'free'
}
