/** What API and worker are made of: which of them a change of a file concerns, and which packages they load. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ProgramName = 'api' | 'worker'

/** From the project's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Folders and files that API and worker both load. */
const shared = ['policy', 'shared', 'temporal', 'providers', 'db', 'mails', 'config.ts', 'context.ts']
/** test/boundaries.test.ts keeps the API from activities, and both from everything that is not here. */
const own = { api: ['api'], worker: ['activities', 'worker', 'workflows'] } as const

/** Every folder and file that either of them is made of. */
export const sources: readonly string[] = [...shared, ...own.api, ...own.worker]

/** Which programs load this file. @param file from the project's root */
export function programsOf(file: string): ProgramName[] {
  const part = file.split('/')[0] ?? ''
  if ((own.api as readonly string[]).includes(part)) return ['api']
  // Of the workflows the API knows the contracts.
  if ((own.worker as readonly string[]).includes(part) && !file.endsWith('.contract.ts')) return ['worker']
  return ['api', 'worker']
}

/** Whether the workflow bundle holds this file. */
export const isBundled = (file: string): boolean => /^(workflows|policy|shared)\//.test(file)

/** Every package that the program's files import, as they name it. */
export async function packagesOf(program: ProgramName): Promise<string[]> {
  const files = (await Promise.all([...shared, ...own[program]].map(filesOf))).flat()
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  const imported = /(?:\bfrom |^import |\bimport\()'([^.'][^']*)'/
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => /^import |^\} from |import\(/.test(line))
  const names = lines.filter((line) => !line.startsWith('import type ')).map((line) => imported.exec(line)?.[1] ?? '')
  // What workflows import runs in the sandbox.
  return [...new Set(names)].filter(
    (name) => name !== '' && !name.startsWith('node:') && name !== '@temporalio/workflow',
  )
}

async function filesOf(part: string): Promise<string[]> {
  if (part.endsWith('.ts')) return [part]
  const names = await readdir(join(root, part), { recursive: true })
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(part, name))
}
