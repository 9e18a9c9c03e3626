/**
 * `histories.sha256` has the hashes of the kept histories, a line per file as `sha256sum` prints it, so that an edited
 * history is found. Git finds a history that was edited together with its line.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The folder that holds `histories/` and the manifest. */
const replayFolder = fileURLToPath(new URL('./', import.meta.url))

const manifestName = 'histories.sha256'

/** Adds a line for each history that has none. Lines that are there stay as they are. */
export async function listNewHistories(folder = replayFolder): Promise<void> {
  const listed = await readManifest(folder)
  const hashes = await hashHistories(folder)
  const all = [...new Map([...hashes, ...listed])].sort(([a], [b]) => (a < b ? -1 : 1))
  const unfinished = `${folder}/${manifestName}.tmp`
  await writeFile(unfinished, all.map(([file, hash]) => `${hash}  ${file}\n`).join(''))
  await rename(unfinished, `${folder}/${manifestName}`)
}

/** Differences between the histories and the manifest; empty when there are none. */
export async function faultsInHistories(folder = replayFolder): Promise<string[]> {
  const [listed, hashes] = [await readManifest(folder), await hashHistories(folder)]
  return [
    ...[...listed].flatMap(([file, hash]) => {
      const found = hashes.get(file)
      if (found === undefined) return [`${file} was removed`]
      return found === hash ? [] : [`${file} was edited`]
    }),
    ...[...hashes.keys()]
      .filter((file) => !listed.has(file))
      .map((file) => `${file} is not in ${manifestName}: node --import tsx test/replay/keep.ts adds it`),
  ]
}

/**
 * Lines that the manifest had in an earlier commit and has no more. Empty without git; a shallow clone has few commits.
 */
export async function lostLines(folder = replayFolder): Promise<string[]> {
  const git = async (...args: string[]): Promise<string | undefined> =>
    promisify(execFile)('git', ['-C', folder, ...args], { maxBuffer: 64 * 1024 * 1024 }).then(
      ({ stdout }) => stdout,
      () => undefined,
    )
  const commits = (await git('log', '--full-history', '--format=%H', '--', manifestName)) ?? ''
  const now = new Set(linesOf(await readFile(`${folder}/${manifestName}`, 'utf8')))
  const lost = new Set<string>()
  for (const commit of linesOf(commits)) {
    const then = await git('show', `${commit}:./${manifestName}`)
    for (const line of linesOf(then ?? '')) if (!now.has(line)) lost.add(line)
  }
  return [...lost]
}

async function readManifest(folder: string): Promise<Map<string, string>> {
  const text = await readFile(`${folder}/${manifestName}`, 'utf8').catch(() => '')
  return new Map(linesOf(text).map((line) => [line.slice(66), line.slice(0, 64)]))
}

async function hashHistories(folder: string): Promise<Map<string, string>> {
  const files = await readdir(`${folder}/histories`)
  const hashes = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(`${folder}/histories/${file}`)
      return [file, createHash('sha256').update(bytes).digest('hex')] as const
    }),
  )
  return new Map(hashes)
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')
