/** A process of simulators. Its parent sends the plan, and it answers with their addresses. */
import { once } from 'node:events'
import { type SimulatorPlan, startSimulators } from './simulators.ts'

const [message] = await once(process, 'message')
const plan: SimulatorPlan = message
const simulators = await startSimulators(plan)
const { urls, settings } = simulators
process.send?.({ urls, settings })
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), once(process, 'disconnect')])
await simulators.stop()
process.exit()
