/** The source files of API and worker: which program loads a file, and which packages a program loads. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ProgramName, root } from '../../cli/programs/entry-points.ts'

/** Folders and files that API and worker both load. */
const shared = ['policy', 'shared', 'temporal', 'providers', 'db', 'mails', 'messages', 'config.ts', 'context.ts']
/** `docs/` has a page of the API. */
const own = { api: ['api', 'docs'], worker: ['activities', 'worker', 'workflows'] } as const
/**
 * Files in a program's own folder that the other one loads, too: the evidence, the export, their statuses, and
 * contracts.
 */
const loadedByBoth =
  /^api\/(?:evidence\/|export\/|views\/enumeration\.ts$)|^workflows\/(?:.*\.contract|order\/order-states)\.ts$/

/** All source folders and files of API and worker. */
export const sources: readonly string[] = [...shared, ...own.api, ...own.worker]

/**
 * The programs that load a file; test/boundaries.test.ts follows their imports. @param file relative to the project's
 * root
 */
export function programsOf(file: string): ProgramName[] {
  if (loadedByBoth.test(file)) return ['api', 'worker']
  const part = file.split('/')[0] ?? ''
  const isOf = (parts: readonly string[]): boolean => parts.includes(part)
  if (isOf(own.api)) return ['api']
  if (isOf(own.worker)) return ['worker']
  return ['api', 'worker']
}

/** Whether a file is in the workflow bundle. */
export const isBundled = (file: string): boolean => /^(workflows|policy|shared)\//.test(file)

/** The packages that a program's files import, by the imported names. */
export async function importedPackages(program: ProgramName): Promise<string[]> {
  const files = (await Promise.all([...shared, ...own[program]].map(filesOf))).flat()
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  const imported = /(?:\bfrom |^import |\bimport\()'([^.'][^']*)'/
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => /^import |^\} from |import\(/.test(line))
  const names = lines.filter((line) => !line.startsWith('import type ')).map((line) => imported.exec(line)?.[1] ?? '')
  // Workflows run in the sandbox, with the bundle's packages.
  return [...new Set(names)].filter(
    (name) => name !== '' && !name.startsWith('node:') && name !== '@temporalio/workflow',
  )
}

async function filesOf(part: string): Promise<string[]> {
  if (part.endsWith('.ts')) return [part]
  const names = await readdir(join(root, part), { recursive: true })
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(part, name))
}
