/** `npm run api`: one API process. API and worker processes scale independently. */
import { readConfig, startOrExit } from '../config.ts'
import { createContext } from '../context.ts'
import { readArguments } from '../shared/process/arguments.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { connectTemporal } from '../temporal/client.ts'
import { createApi } from './server.ts'

readArguments('Usage: npm run api\n  Its settings come from the environment: npm run doctor -- --settings', {})
const config = await startOrExit(() => readConfig(process.env))
const context = createContext(config, { name: 'ama-esim-api' })
const temporal = await startOrExit(() => connectTemporal(config))
const api = createApi({ ...context, temporal })
const running = await startOrExit(() => api.listen(config.API_PORT, config.API_HOST), ['API_HOST', 'API_PORT'])
context.log.info({ port: running.port }, 'the API listens')

const signal = await stopAsked(process.env)
context.log.info({ signal }, 'the API stops')
await running.stop()
await context.close()
await temporal.connection.close()
// Without this, a call to Temporal that was waiting for its retry would reject now and crash the process.
process.exit()
