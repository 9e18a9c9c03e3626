/** The simulators in a process of their own. Told by its parent what to start, it says where they are. */
import { once } from 'node:events'
import { type SimulatorPlan, startSimulators } from './simulators.ts'

const [plan] = (await once(process, 'message')) as [SimulatorPlan]
const simulators = await startSimulators(plan)
const { urls, settings } = simulators
process.send?.({ urls, settings })
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), once(process, 'disconnect')])
await simulators.stop()
process.exit()
