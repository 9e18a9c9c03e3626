/** A process of simulators. Its parent sends the plan, and it answers with their addresses. */
import { once } from 'node:events'
import { type SimulatorPlan, startSimulators } from './simulators.ts'

const [plan] = (await once(process, 'message')) as [SimulatorPlan]
const simulators = await startSimulators(plan)
const { urls, settings } = simulators
process.send?.({ urls, settings })
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), once(process, 'disconnect')])
await simulators.stop()
process.exit()
