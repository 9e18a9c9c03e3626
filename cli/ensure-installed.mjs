/**
 * Runs first in every command, so that a new clone needs no set-up: installs the dependencies when they are missing or
 * differ from package-lock.json. It uses only Node, since no package may be installed yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive } from './programs/is-alive.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const lockFolder = join(root, '.data')
const lockFile = join(lockFolder, 'install.lock')

checkNode()
if (!isInstalled()) installAlone()

function checkNode() {
  const wanted = readJson('package.json').engines.node.replace(/^>=/, '').split('.').map(Number)
  const have = process.versions.node.split('.').map(Number)
  const difference = wanted.map((part, index) => (have[index] ?? 0) - part).find((part) => part !== 0) ?? 0
  if (difference >= 0) return
  console.error(`Node ${wanted.join('.')} or newer is needed (24 LTS is best); this is ${process.versions.node}.`)
  process.exit(1)
}

/** npm writes the list of installed packages at the end: an interrupted installation has none. */
function isInstalled() {
  const list = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(list)) return false
  const wanted = readJson('package-lock.json').packages
  const installed = JSON.parse(readFileSync(list, 'utf8')).packages
  const isProduction = process.env.NODE_ENV === 'production'
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const found = installed[path]
    if (found) return found.version === entry.version && found.integrity === entry.integrity
    return entry.optional || entry.devOptional || entry.peer || (isProduction && entry.dev)
  })
}

/** Installs in one process at a time; a second process waits and then usually finds everything installed. */
function installAlone() {
  mkdirSync(lockFolder, { recursive: true })
  for (let waited = 0; !takeLock(); waited += 1) {
    if (waited === 0) console.error('Another process is installing the dependencies: waiting for it.')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  }
  try {
    if (isInstalled()) return
    console.error('Installing the dependencies, once (npm install).')
    // `npm ci` refuses a lock file that lacks an optional package of another platform.
    const { status, error } = runNpm(['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
    if (status === 0) return
    console.error(`npm install failed${error ? `: ${error.message}` : ''}. What it printed above says why.`)
    process.exitCode = status || 1
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function takeLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    const owner = Number(readOrEmpty(lockFile))
    if (owner > 0 && !isAlive(owner)) rmSync(lockFile, { force: true })
    return false
  }
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Runs the npm that started this program, or the one on PATH. Its standard output goes to our standard error. */
function runNpm(args) {
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  const running = process.env.npm_execpath
  if (running?.endsWith('.js')) return spawnSync(process.execPath, [running, ...args], options)
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

function readJson(name) {
  return JSON.parse(readFileSync(join(root, name), 'utf8'))
}
