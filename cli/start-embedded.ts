/** The embedded stack on fixed ports (free ones with AMA_PORTS=free). It keeps its data in .data/ or AMA_DATA_DIR. */
import { rm } from 'node:fs/promises'
import pc from 'picocolors'
import { keepSecrets } from '../dev/development-secrets.ts'
import { fixedPorts } from '../dev/fixed-ports.ts'
import { reloadOnChange } from '../dev/reload.ts'
import { type Services, startServices } from '../dev/stack.ts'
import { propertyOf } from '../shared/keys-of.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { dataFolder, runningSettingsFile } from './running-stack.ts'
import { labelled } from './terminal-lines.ts'

const write = (line = ''): void => void process.stdout.write(`${line}\n`)
const entry = (name: string, value: string): void => {
  for (const line of labelled(name, value, { indent: 2, columns: process.stdout.columns })) write(line)
}
const link = (name: string, url: string): void => entry(name, pc.underline(url))

interface Options {
  /** the folder of built programs */
  built: string
  /** restarts API and worker when one of their files is saved */
  reload: boolean
}

/** Runs the stack until it is asked to stop or a part fails; a failure sets the exit code to 1. */
export async function startEmbedded({ built, reload }: Options): Promise<void> {
  const stack = await start(built, reload)
  if (!stack) return
  const settings = runningSettingsFile(process.env)
  await keepSecrets(settings, {
    ...stack.settings,
    AMA_API_URL: stack.urls.api,
    AMA_OPERATOR_KEY: stack.keys.operator,
  })
  const reloading = reload ? await reloadOnChange(stack, built, (line) => write(`  ${line}`)) : undefined
  // From the first line on that says so.
  const asked = stopAsked(process.env).then(() => undefined)
  write()
  write(pc.bold(pc.green(`  Ready in ${(performance.now() / 1000).toFixed(1)} s`)))
  link('API', stack.urls.api)
  link('API documentation', `${stack.urls.api}/docs`)
  link('quickstart', `${stack.urls.api}/docs/quickstart`)
  if (stack.urls.ui) link('Temporal Web UI', stack.urls.ui)
  if (stack.urls.inbox) link('mail inbox', stack.urls.inbox)
  if (stack.settings.STRIPE_API_URL) link('payment page', `${stack.settings.STRIPE_API_URL}/pay`)
  link('operators’ console', `${stack.urls.api}/console`)
  entry('service key', stack.keys.service)
  entry('operator key', `${stack.keys.operator}  opens the console`)
  if (reload) write(pc.dim('\n  API and worker restart when a file is saved.'))
  write(pc.dim(`${reload ? '' : '\n'}  Outside parties are simulated. Ctrl-C stops everything.`))
  const why = await Promise.race([stack.failed, asked])
  if (why !== undefined) write(pc.red(`\n  The stack stops: ${why}`))
  await reloading?.close()
  await rm(settings, { force: true })
  await stack.stop().catch((error: unknown) => {
    if (why === undefined) write(pc.red(String(error)))
    process.exitCode = 1
  })
  if (why !== undefined) process.exitCode = 1
}

async function start(built: string, reload: boolean): Promise<Services | undefined> {
  try {
    return await startServices({
      built,
      ports: process.env.AMA_PORTS === 'free' ? 'free' : 'fixed',
      ui: true,
      dataDir: dataFolder(process.env),
      processes: 'apart',
      environment: process.env,
      onProgress: (line) => write(pc.dim(`  ${line}`)),
      onLogLine: write,
      ...(reload && { onProgramEnded: (why: string) => write(pc.red(`  ${why}\n  The next save starts it again.`)) }),
    })
  } catch (error) {
    const message = messageOf(error)
    write(pc.red(`  ${message}`))
    if (propertyOf(error, 'path') !== undefined)
      write(pc.dim(`  ${dataFolder(process.env)} (AMA_DATA_DIR) has to be a folder that this user can write to.`))
    else if (/is taken|EADDRINUSE/.test(message)) {
      const ports = Object.values(fixedPorts).join(', ')
      write(pc.dim(`  Stop what has the port, or set AMA_PORTS=free. By default these are used: ${ports}.`))
    }
    process.exitCode = 1
    return undefined
  }
}
