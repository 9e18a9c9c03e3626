/**
 * The programs of `npm start`, built of all sources into a few files and kept for the next start: a process takes seconds of
 * processor time to load hundreds of sources one by one. Built programs are found by the hash of everything that they are made
 * of, and made of the very bytes that were hashed, so that they are never those of other sources.
 *
 * It is JavaScript and loads no package: it is the first thing of each start, and most starts need no more of this.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Packages are found from here. */
const cacheFolder = join(root, 'node_modules/.cache/ama-esim')
const keptBuilds = 4

/** Files and folders of which programs are built. The lock file has the version of the builder. */
const parts = [
  ...['activities', 'api', 'cli', 'db', 'dev', 'mails', 'messages', 'policy', 'providers', 'shared', 'sim', 'temporal'],
  ...['worker', 'workflows', 'config.ts', 'context.ts', 'package.json', 'package-lock.json', 'tsconfig.json'],
]

/** All files of which programs are built: their contents by their paths relative to the root. */
export function readInputs(from = root) {
  /** @type {Map<string, Buffer>} */
  const inputs = new Map()
  for (const part of parts) {
    if (statSync(join(from, part)).isDirectory()) {
      for (const entry of readdirSync(join(from, part), { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) add(relative(from, join(entry.parentPath, entry.name)))
      }
    } else add(part)
  }
  return inputs

  /** @param {string} file */
  function add(file) {
    inputs.set(file, readFileSync(join(from, file)))
  }
}

/** The hash of the inputs, of the folder that built programs name in the addresses of their sources, and of this Node. */
export function hashOfInputs(inputs, from = root, node = `${process.version} ${process.platform} ${process.arch}`) {
  const hash = createHash('sha256').update(`${node}\0${from}\0`)
  for (const file of [...inputs.keys()].sort()) {
    const content = inputs.get(file)
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 24)
}

/**
 * The folder of the built programs of these sources, which are built if they are not there. Other starts leave it alone for as
 * long as this process lives: it loads some of the files late.
 * @throws if they do not build
 */
export async function builtPrograms() {
  const inputs = readInputs()
  const folder = join(cacheFolder, nameOf(inputs))
  if (!take(folder)) {
    await build(folder, inputs)
    if (!take(folder)) throw new Error(`the built programs in ${folder} are gone`)
  }
  deleteUnusedBuilds(cacheFolder, folder)
  return folder
}

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

/** Marks a build as used by this process. @param {string} folder @returns whether it is there */
function take(folder) {
  try {
    writeFileSync(join(folder, `used-by-${process.pid}`), '')
    utimesSync(folder, new Date(), new Date())
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
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

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
