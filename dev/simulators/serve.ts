/**
 * Serves the simulators to other hosts of a network, for docker-compose.yml.
 * `node --import tsx dev/simulators/serve.ts` starts all outside parties but the mail server, and writes the settings
 * that API and worker need for them, together with random keys, to SETTINGS_FOLDER; `... serve.ts mail` starts the mail
 * server alone. With SIMULATORS_HOST=127.0.0.1 they serve this machine alone.
 */

import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { listenOn } from '../../shared/process/listen.ts'
import { stopAsked } from '../../shared/shutdown.ts'
import { developmentSecrets, keepSecrets, type Secrets } from '../development-secrets.ts'
import { fixedPorts, type PortName } from '../fixed-ports.ts'
import { developmentDefaults } from '../stack-settings.ts'
import { simulatorNames, startSimulators } from './simulators.ts'

const {
  SETTINGS_FOLDER: folder = '/settings',
  SIMULATORS_HOST: host = 'simulators',
  API_URL: apiUrl = '',
} = process.env
/** Then nothing is opened to a network, and none has to be there. */
const isThisMachine = host === '127.0.0.1'
const onlyMail = process.argv[2] === 'mail'
const parties = simulatorNames.filter((name) => (name === 'mailbox') === onlyMail)
const ports: PortName[] = [...parties, onlyMail ? 'smtp' : 'firebaseTls']
const secrets = onlyMail ? {} : await completeSecrets(join(folder, 'secrets.json'))
const simulators = await startSimulators({
  parties,
  secrets,
  apiUrl,
  ports: 'fixed',
  keepMail: 'all',
})
// Before they can be reached: API and worker start when they can.
if (!onlyMail) await writeSettings(join(folder, 'ama-esim.env'))
const servers = isThisMachine ? [] : await Promise.all(ports.map((name) => forward(fixedPorts[name])))
console.log('the simulators listen')
await stopAsked(process.env)
for (const server of servers) server.close()
await simulators.stop()
process.exit()

/** The keys of payloads, too, which development does without. */
async function completeSecrets(file: string): Promise<Secrets> {
  const secrets = await developmentSecrets(file)
  if (secrets.PAYLOAD_KEYS !== undefined) return secrets
  const complete = { ...secrets, PAYLOAD_KEYS: `payload-1:${randomBytes(32).toString('base64')}` }
  await keepSecrets(file, complete)
  return complete
}

/** A simulator listens on the loopback interface, so that none is ever open to a network by mistake. */
async function forward(port: number): Promise<Server> {
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address
  if (address === undefined) throw new Error('this host has no network')
  const server = createServer((incoming) => {
    const outgoing = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
    }
  })
  await listenOn(server, port, address)
  return server
}

/** A file for `node --env-file`. */
async function writeSettings(file: string): Promise<void> {
  const settings = {
    ...developmentDefaults(secrets, '/app/.data'),
    PAYLOAD_KEYS: secrets.PAYLOAD_KEYS ?? '',
    ...simulators.settings,
  }
  const lines = Object.entries(settings).map(([name, value]) => {
    const here = value.replaceAll(/\b127\.0\.0\.1:(\d+)/g, `${host}:$1`).replaceAll('\n', '\\n')
    return `${name}='${here}'\n`
  })
  const unchanged = await readFile(file, 'utf8').catch(() => '')
  if (unchanged === lines.join('')) return
  await writeFile(`${file}.tmp`, lines.join(''), { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}
