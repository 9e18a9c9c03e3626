import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, constants, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isAlive } from '../../cli/programs/is-alive.mjs'
import { messageOf } from '../../shared/process/message-of.ts'
import { cacheFolder } from '../cache-folder.ts'
import { startChild } from '../child-process.ts'

/** The first version of the CLI whose server can skip time. */
const oldestCli = [1, 9] as const
/** This version contains server 1.32.0, as the fallback's go.mod does. */
const pinnedCli = 'v1.9.1'

const sources = fileURLToPath(new URL('./server/', import.meta.url))
const exe = process.platform === 'win32' ? '.exe' : ''

/**
 * Finds a Temporal development server: the CLI on PATH, a cached one, the official download, or one built with Go,
 * which takes some minutes once.
 *
 * @param log receives progress lines of slow steps
 * @throws with all failed attempts and the remedy
 */
export async function findTemporal(log: (line: string) => void): Promise<string> {
  const cache = cacheFolder()
  const downloaded = join(cache, `temporal-${pinnedCli}${exe}`)
  const built = join(cache, `temporal-server-${await hashOfSources()}${exe}`)
  const tried: string[] = []

  const onPath = await cliOnPath()
  if (onPath.usable) return 'temporal'
  tried.push(onPath.reason)

  for (const cached of [downloaded, built]) {
    if (await isExecutable(cached)) return cached
  }
  tried.push(`nothing cached in ${cache}`)

  await mkdir(cache, { recursive: true })
  return await withLock(join(cache, 'temporal.lock'), log, async () => {
    // Another process may have cached the server while it held the lock.
    for (const cached of [downloaded, built]) {
      if (await isExecutable(cached)) return cached
    }
    const steps = [() => download(cache, downloaded, log), () => build(built, log)]
    for (const step of steps) {
      try {
        return await step()
      } catch (error) {
        tried.push(messageOf(error))
      }
    }
    throw new Error(
      [
        'No Temporal server could be found or built. Tried:',
        ...tried.map((line) => `  - ${line}`),
        `Install the Temporal CLI ${oldestCli.join('.')} or newer (https://docs.temporal.io/cli), or Go 1.26 or newer`,
        '(https://go.dev/dl), or set TEMPORAL_ADDRESS to a server that runs already.',
      ].join('\n'),
    )
  })
}

async function cliOnPath(): Promise<{ usable: true } | { usable: false; reason: string }> {
  const output = await promisify(execFile)('temporal', ['--version'], { timeout: 10_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
  if (output === undefined) return { usable: false, reason: 'no `temporal` on PATH' }
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec(output) ?? []
  const newer = Number(major) - oldestCli[0] || Number(minor) - oldestCli[1]
  return newer >= 0
    ? { usable: true }
    : { usable: false, reason: `\`temporal\` on PATH is older than ${oldestCli.join('.')}: ${output}` }
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(sources, name)))
  return hash.digest('hex').slice(0, 16)
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/**
 * Downloads the official CLI with the SDK's downloader, in a child process: the downloader has no cancellation and no
 * time limit, and it loads the native runtime, which a worker has to configure itself.
 */
async function download(cache: string, target: string, log: (line: string) => void): Promise<string> {
  const [firstByteMs, stallMs] = [6_000, 60_000]
  const folder = join(cache, `download-${process.pid}`)
  await mkdir(folder, { recursive: true })
  const script = `
    import { TestWorkflowEnvironment } from '@temporalio/testing'
    const executable = { type: 'cached-download', version: '${pinnedCli}', downloadDir: process.argv[1] }
    try {
      const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } })
      await environment.teardown()
    } catch (error) {
      console.error(error.message)
      process.exitCode = 1
    }`
  const child = await startChild(process.execPath, ['--input-type=module', '-e', script, folder], {
    cwd: sources,
    orphanFolder: folder,
  })
  try {
    const startedAt = Date.now()
    let [size, grownAt] = [0, startedAt]
    for (;;) {
      const exit = await Promise.race([child.exited, delay(500)])
      if (exit?.code === 0) break
      if (exit) throw new Error(`the download of the Temporal CLI ${pinnedCli} failed: ${lastLine(child.output())}`)
      const nowSize = await sizeOf(folder)
      if (nowSize > size) {
        ;[size, grownAt] = [nowSize, Date.now()]
        log(`Downloading the Temporal CLI ${pinnedCli}: ${Math.round(size / 1e6)} MB`)
      }
      const limitMs = size === 0 ? firstByteMs : stallMs
      if (Date.now() - grownAt > limitMs) {
        throw new Error(`the download of the Temporal CLI ${pinnedCli} stopped for ${limitMs / 1000} s`)
      }
    }
    await rename(join(folder, `temporal-${pinnedCli}${exe}`), target)
    return target
  } finally {
    await child.stop('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

async function sizeOf(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map((name) => stat(join(folder, name)).then((file) => file.size))
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function build(target: string, log: (line: string) => void): Promise<string> {
  const output = `${target}.${process.pid}.tmp`
  const startedAt = Date.now()
  const child = await startChild('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', output, '.'], {
    cwd: sources,
    // Without cgo the build needs no C compiler.
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' },
  }).catch(() => {
    throw new Error('no `go` on PATH to build the fallback server with')
  })
  const progress = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    log(`Building the Temporal server with Go, once, 2 to 5 minutes: ${seconds} s`)
  }, 5_000)
  try {
    log('Building the Temporal server with Go, once, 2 to 5 minutes')
    const { code } = await child.exited
    if (code !== 0) throw new Error(`go build in dev/temporal/server failed: ${lastLine(child.output())}`)
    await rename(output, target)
    return target
  } finally {
    clearInterval(progress)
    await child.stop('SIGKILL')
    await rm(output, { force: true })
  }
}

function lastLine(output: string): string {
  return output.split('\n').at(-1) || 'no output'
}

/** Runs `work` in one process of this machine at a time; waits while the lock's owner lives. */
async function withLock<T>(path: string, log: (line: string) => void, work: () => Promise<T>): Promise<T> {
  // The lock is a link to a complete file: it always contains its owner.
  const claim = `${path}.${process.pid}.${process.hrtime.bigint()}`
  await writeFile(claim, String(process.pid))
  try {
    for (let waited = 0; ; waited++) {
      const taken = await link(claim, path).then(
        () => true,
        () => false,
      )
      if (taken) break
      const owner = Number(await readFile(path, 'utf8').catch(() => ''))
      if (owner && !isAlive(owner)) await rm(path, { force: true })
      else if (waited % 25 === 0) log('Waiting for another process that is fetching or building the Temporal server')
      await delay(200)
    }
  } finally {
    await rm(claim, { force: true })
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}
