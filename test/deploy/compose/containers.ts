/**
 * Runs the services of docker-compose.yml without a container engine: namespaces, a bridge, and programs of this
 * machine.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Program, startProgram } from '../../harness/processes.ts'
import { until } from '../../harness/until.ts'
import { root, type Service } from './compose.ts'
import type { Recipe } from './recipes.ts'

const script = fileURLToPath(new URL('container.sh', import.meta.url))
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface Container {
  address: string
  output(): string
  /** Runs a command beside the service's own, with its settings. @returns its output @throws when it fails */
  run(command: string[]): Promise<string>
  kill(): Promise<void>
}

export interface Containers {
  /** Starts a service after those that it depends on, as compose does, and waits for those only. */
  start(name: string): Promise<Container>
  /** Waits until the service's own health check succeeds. */
  healthy(name: string): Promise<void>
  volume(name: string): string
  close(): Promise<void>
}

/** Why the services cannot be run here; undefined when they can. */
export function whyNoContainers(): string | undefined {
  if (process.getuid?.() !== 0) return 'namespaces with an address of their own need root'
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', '--uts', '--net', 'true'], { stdio: 'ignore' })
    execFileSync('ip', ['-V'], { stdio: 'ignore' })
  } catch {
    return 'unshare (util-linux) or ip (iproute2) cannot be used here'
  }
  return undefined
}

/** The first process inside: with it all others end. */
const firstProcess = async ({ pid }: Program): Promise<string> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()

async function kill(program: Program): Promise<void> {
  const pid = await firstProcess(program).catch(() => '')
  if (pid !== '') process.kill(Number(pid), 'SIGKILL')
  else program.kill('SIGKILL')
  await program.ended
}

const ip = (...args: string[]): void => void execFileSync('ip', args)

export async function createContainers(
  services: Readonly<Record<string, Service>>,
  recipes: Record<string, Recipe>,
): Promise<Containers> {
  const scratch = await mkdtemp(join(tmpdir(), 'ama-esim-compose-'))
  const names = Object.keys(services)
  // Interface names have 15 characters at the most.
  const id = `ama${process.pid % 100_000}`
  const net = `10.${200 + (process.pid % 50)}.${(process.pid >> 8) % 250}`
  const addressOf = (name: string): string => `${net}.${names.indexOf(name) + 10}`
  const hosts = names.map((name) => `${addressOf(name)} ${name}`).join('\n')
  const started = new Map<string, Promise<Container>>()
  const programs = new Map<string, Program>()

  ip('link', 'add', id, 'type', 'bridge')
  ip('address', 'add', `${net}.1/24`, 'dev', id)
  ip('link', 'set', id, 'up')
  await mkdir(join(scratch, 'volumes'))

  const volume = (name: string): string => join(scratch, 'volumes', name)

  function connect(name: string): string {
    const index = names.indexOf(name)
    const [space, outside, inside] = [`${id}-${name}`, `${id}o${index}`, `${id}i${index}`]
    ip('netns', 'add', space)
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside)
    ip('link', 'set', outside, 'master', id, 'up')
    ip('link', 'set', inside, 'netns', space)
    ip('-n', space, 'address', 'add', `${addressOf(name)}/24`, 'dev', inside)
    ip('-n', space, 'link', 'set', inside, 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
    return space
  }

  async function launch(name: string): Promise<Container> {
    const service = services[name]
    const recipe = service && recipes[service.image]
    if (!service || !recipe) throw new Error(`there is no recipe for ${name}`)
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      await start(other)
      if (condition === 'service_healthy') await healthy(other)
      else await completed(other)
    }
    const mounts = [...(recipe.mounts ?? []), ...(await Promise.all((service.volumes ?? []).map(mountOf)))]
    const environment = Object.fromEntries(
      Object.entries({ ...recipe.environment, ...service.environment }).map(([key, value]) => [key, String(value)]),
    )
    const command = [...recipe.entrypoint, ...(service.command ?? recipe.command ?? [])]
    const folder = join(scratch, name)
    await mkdir(folder)
    const space = connect(name)
    // A session of its own: the scheduler then shares the processor among services, as a container engine has it.
    const program = startProgram(
      'setsid',
      [
        'ip',
        'netns',
        'exec',
        space,
        'unshare',
        '--mount',
        '--uts',
        '--pid',
        '--fork',
        '--kill-child',
        script,
        ...command,
      ],
      {
        PATH: usualPath,
        HOME: '/tmp',
        ...environment,
        CONTAINER_NAME: name,
        CONTAINER_FOLDER: folder,
        CONTAINER_HOSTS: hosts,
        CONTAINER_MOUNTS: mounts.join('\n'),
        CONTAINER_WORKDIR: recipe.workdir ?? '/',
      },
    )
    programs.set(name, program)
    const inside = { PATH: usualPath, HOME: '/tmp', ...environment }
    return {
      address: addressOf(name),
      output: program.output,
      async run(args) {
        const pid = await firstProcess(program)
        const workdir = recipe.workdir ?? '/'
        const enter = ['--target', pid, '--mount', '--net', '--uts', '--pid', `--root=/proc/${pid}/root`]
        const shell = ['/bin/sh', '-c', 'cd "$0" && exec "$@"', workdir, ...args]
        const { stdout, stderr } = await promisify(execFile)('nsenter', [...enter, ...shell], { env: inside })
        return stdout + stderr
      },
      kill: () => kill(program),
    }
  }

  async function mountOf(given: string): Promise<string> {
    const [from = '', to = '', mode = 'rw'] = given.split(':')
    if (from.startsWith('./')) return `${fileURLToPath(new URL(from, root))}|${to}|${mode}`
    await mkdir(volume(from), { recursive: true })
    return `${volume(from)}|${to}|${mode}`
  }

  function start(name: string): Promise<Container> {
    const known = started.get(name)
    if (known) return known
    const starting = launch(name)
    started.set(name, starting)
    return starting
  }

  async function completed(name: string): Promise<void> {
    const { code } = (await programs.get(name)?.ended) ?? { code: null }
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${programs.get(name)?.output()}`)
  }

  async function healthy(name: string): Promise<void> {
    const [kind, ...check] = services[name]?.healthcheck?.test ?? ['CMD', 'node', 'cli/healthy.mjs']
    const command = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', (check[0] ?? '').replaceAll('$$', '$')] : check
    const container = await start(name)
    const program = programs.get(name)
    const ended = program?.ended.then(({ code }) => {
      throw new Error(`${name} ended with ${code}:\n${program.output()}`)
    })
    await Promise.race([
      ended,
      until(`${name} is healthy`, () => container.run(command).then(() => true), {
        timeoutMs: 600_000,
        everyMs: 500,
      }),
    ]).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${program?.output()}`)
    })
  }

  return {
    start,
    healthy,
    volume,
    async close() {
      await Promise.all([...programs.values()].map(kill))
      for (const name of programs.keys()) ip('netns', 'delete', `${id}-${name}`)
      ip('link', 'delete', id)
      await rm(scratch, { recursive: true, force: true })
    },
  }
}
