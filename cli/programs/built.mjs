/**
 * API, worker and what starts them, built of all sources and most packages into a few files, which are kept for the
 * next start: a process takes seconds of processor time to load thousands of files one by one. Built programs are found
 * by the hash of all sources, and made of the very bytes that were hashed, so that they are never those of other
 * sources. Of packages, the lock file is hashed, and sizes and times of the files are compared.
 *
 * It is JavaScript and loads no package: it is the first thing of each start, and most starts need no more of this.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isAlive } from './is-alive.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Packages are found from here. */
const cacheFolder = join(root, 'node_modules/.cache/ama-esim')
const keptBuilds = 4

/**
 * Files and folders of which programs are built; the image has not all. The lock file has the version of the builder.
 */
const parts = [
  ...['activities', 'api', 'cli', 'db', 'dev', 'mails', 'messages', 'policy', 'providers', 'shared', 'sim', 'temporal'],
  ...['worker', 'workflows', 'config.ts', 'context.ts', 'package.json', 'package-lock.json', 'tsconfig.json'],
]

/** All files of which programs are built: their contents by their paths relative to the root. */
export function readInputs() {
  /** @type {Map<string, Buffer>} */
  const inputs = new Map()
  for (const part of parts) {
    if (!existsSync(join(root, part))) continue
    if (statSync(join(root, part)).isDirectory()) {
      for (const entry of readdirSync(join(root, part), { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) add(relative(root, join(entry.parentPath, entry.name)))
      }
    } else add(part)
  }
  return inputs

  /** @param {string} file */
  function add(file) {
    inputs.set(file, readFileSync(join(root, file)))
  }
}

/**
 * The hash of the inputs, of the folder that built programs name in the addresses of their sources, and of this Node.
 */
export function hashOfInputs(inputs, from = root, node = `${process.version} ${process.platform} ${process.arch}`) {
  const hash = createHash('sha256').update(`${node}\0${from}\0`)
  for (const file of [...inputs.keys()].sort()) {
    const content = inputs.get(file)
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 24)
}

/**
 * Builds the programs of these sources if they are not there, and nothing else.
 * @returns their folder
 * @throws if they do not build
 */
export async function makePrograms() {
  const inputs = readInputs()
  const folder = join(cacheFolder, nameOf(inputs))
  if (existsSync(folder) && !hasPackages(folder)) rmSync(folder, { recursive: true, force: true })
  if (!existsSync(folder)) await build(folder, inputs)
  return folder
}

/**
 * The folder of the built programs of these sources, which are built if they are not there. Other starts leave it alone
 * for as long as this process lives: it loads some of the files late.
 * @throws if they do not build
 */
export async function builtPrograms() {
  let folder = await makePrograms()
  // Until it is marked, another start may delete it.
  if (!take(folder)) {
    folder = await makePrograms()
    if (!take(folder)) throw new Error(`the built programs in ${folder} are gone`)
  }
  deleteUnusedBuilds(cacheFolder, folder)
  return folder
}

/** Loads a program from its built file. @param {string} folder of built programs @param {string} program its source */
export async function loadBuilt(folder, program) {
  const all = readJson(join(folder, 'packages.json'))
  const packages = all[program]
  if (!packages) throw new Error(`${program || 'nothing'} is none of the programs: ${Object.keys(all).join(', ')}`)
  await Promise.all(packages.map((name) => import(name)))
  // As tsx does: stacks name lines of the sources. Earlier, Node would read the maps of all packages.
  process.setSourceMapsEnabled(true)
  return await import(pathToFileURL(join(folder, program.replace(/\.ts$/, '.mjs'))).href)
}

/** Where Node keeps what it has compiled of built programs, and deleted with them. @param {string} folder of them */
export const compiledIn = (folder) => join(folder, 'compiled')

/** Whether built programs are those of the sources as they are now. @param {string} folder */
export const isCurrent = (folder) => basename(folder) === nameOf(readInputs())

/** @param {Map<string, Buffer>} inputs */
const nameOf = (inputs) => `programs-${hashOfInputs(inputs)}`

/** @param {string} folder @param {Map<string, Buffer>} inputs */
async function build(folder, inputs) {
  const { register } = await import('tsx/esm/api')
  const unregister = register()
  const { buildPrograms } = await import('./build-programs.ts')
  await unregister()
  await buildPrograms(folder, inputs)
}

/**
 * Whether the packages that are built in are as they were: one that is under repair must not be an old one. In an
 * image, which has no development code, nobody repairs packages, and its layers do not keep times as they were.
 * @param {string} folder
 */
export function hasPackages(folder) {
  if (!existsSync(join(root, 'dev'))) return true
  return Object.entries(readJson(join(folder, 'package-files.json'))).every(([file, known]) => {
    const found = statSync(file, { throwIfNoEntry: false })
    return found && `${found.size} ${found.mtimeMs}` === known
  })
}

/** Marks a build as used by this process. @param {string} folder @returns whether it is there */
function take(folder) {
  try {
    writeFileSync(join(folder, `used-by-${process.pid}`), '')
    utimesSync(folder, new Date(), new Date())
  } catch (error) {
    if (error.code === 'ENOENT') return false
    // The files of a container image are usually read-only, and nobody removes them.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
  }
  return true
}

/**
 * Deletes all but the builds that were used last, and those that a process uses.
 * @param {string} cache @param {string} current the build that stays in any case
 */
export function deleteUnusedBuilds(cache, current) {
  deleteEndedMarks(current)
  const others = readdirSync(cache)
    .filter((name) => /^programs-\w+$/.test(name))
    .map((name) => join(cache, name))
    .filter((folder) => folder !== current)
    .map((folder) => ({ folder, usedAt: statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.usedAt - a.usedAt)
  for (const { folder } of others.slice(keptBuilds - 1)) {
    deleteEndedMarks(folder)
    if (!isUsed(folder)) rmSync(folder, { recursive: true, force: true })
  }
}

/** Deletes the marks of processes that have ended. @param {string} folder */
function deleteEndedMarks(folder) {
  for (const { name, pid } of marksIn(folder)) {
    if (!isAlive(pid)) rmSync(join(folder, name), { force: true })
  }
}

/** Whether a process uses a build. @param {string} folder */
const isUsed = (folder) => marksIn(folder).some(({ pid }) => isAlive(pid))

/** The marks of `take`, of processes that use a build or have used it. @param {string} folder */
const marksIn = (folder) =>
  namesIn(folder).flatMap((name) => {
    const [, pid] = /^used-by-(\d+)$/.exec(name) ?? []
    return pid === undefined ? [] : [{ name, pid: Number(pid) }]
  })

/** @param {string} folder */
function namesIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return [] // Another start has deleted it.
  }
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
