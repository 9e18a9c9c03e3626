/** Schemathesis (https://schemathesis.io), a Python program that makes requests from an OpenAPI document. */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { cacheFolder } from '../../../dev/cache-folder.ts'

const version = '4.32.5'
const hooks = fileURLToPath(new URL('./hooks.py', import.meta.url))
const execute = promisify(execFile)

/**
 * 5xx, statuses and bodies that the document does not describe, and rows of another person. Left out: checks of what
 * the API accepts, since most refusals depend on stored rows and not on the form of a request.
 */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'nothing_of_others',
]

const folder = (): string => join(cacheFolder(), `schemathesis-${version}`)
/** Where the program is once `npm run fuzz` has installed it. */
export const schemathesisPath = (): string => join(folder(), 'bin', 'schemathesis')

/** The installed program, or undefined. */
const findSchemathesis = (): Promise<string | undefined> =>
  access(schemathesisPath()).then(schemathesisPath, () => undefined)

/** Installs the pinned version into the user's cache. @throws without Python 3 or the Python package index */
export async function installSchemathesis(): Promise<string> {
  const found = await findSchemathesis()
  if (found) return found
  await mkdir(cacheFolder(), { recursive: true })
  try {
    await execute('python3', ['-m', 'venv', folder()])
    await execute(join(folder(), 'bin', 'pip'), ['install', '--quiet', `schemathesis==${version}`])
  } catch (error) {
    await rm(folder(), { recursive: true, force: true })
    throw error
  }
  return schemathesisPath()
}

/** The facts that the hooks need; they read them as JSON. */
export interface FuzzPlan {
  /** by the beginning of a path: the ids of the caller and of another person, by the name of the parameter */
  ids: Record<string, Record<string, { own: string; theirs: string }>>
  /** operations that would end the account of the caller: they name the other person alone */
  onlyTheirs: string[]
  /** operations that would end an account of anybody: they name nobody */
  nobodys: string[]
  accounts: { own: string; theirs: string }
  packageCode: string
  /** whether the caller may neither see nor change rows of the other person */
  isOtherPerson: boolean
  theirIds: string[]
  /** texts of the other person, by what they are */
  secrets: Record<string, string>
}

export interface FuzzOptions {
  url: string
  token: string | undefined
  seed: number
  /** requests to each operation, at most, beside the fixed ones of the coverage phase */
  examples: number
  phases: 'coverage,fuzzing' | 'fuzzing'
  /** goes on making requests until so much time has passed */
  seconds?: number | undefined
  plan: FuzzPlan
}

export interface FuzzResult {
  cases: number
  operations: number
  statuses: Record<string, number>
  /** the last request that was refused to a known caller: those after it may show nothing */
  lastForbidden: { operation: string; casesAfter: number } | undefined
  /** the report of schemathesis when a check failed */
  failures: string | undefined
}

const sent = z.object({ operation: z.string(), status: z.number() })

/** Lets schemathesis ask the API as one caller. */
export async function fuzz(schemathesis: string, options: FuzzOptions): Promise<FuzzResult> {
  const work = await mkdtemp(join(tmpdir(), 'ama-fuzz-'))
  try {
    const answers = join(work, 'answers.jsonl')
    await writeFile(answers, '')
    await writeFile(join(work, 'plan.json'), JSON.stringify({ ...options.plan, answers }))
    const failures = await runProgram(schemathesis, work, options)
    const lines = (await readFile(answers, 'utf8')).split('\n').filter((line) => line !== '')
    const all = lines.map((line) => sent.parse(JSON.parse(line)))
    const statuses: Record<string, number> = {}
    for (const { status } of all) statuses[status] = (statuses[status] ?? 0) + 1
    const operations = new Set(all.map(({ operation }) => operation)).size
    const last = all.findLastIndex(({ status }) => status === 403)
    const lastForbidden = all[last] && { operation: all[last].operation, casesAfter: all.length - 1 - last }
    return { cases: all.length, operations, statuses, lastForbidden, failures }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function runProgram(
  schemathesis: string,
  work: string,
  { url, token, seed, examples, phases, seconds }: FuzzOptions,
): Promise<string | undefined> {
  const args = [
    'run',
    `${url}/openapi.json`,
    `--url=${url}`,
    `--phases=${phases}`,
    `--seed=${seed}`,
    `--max-examples=${examples}`,
    `--checks=${checks.join(',')}`,
    '--continue-on-failure',
    '--no-shrink',
    '--no-color',
    '--warnings=off',
    '--request-timeout=30',
    '--suppress-health-check=all',
    '--generation-database=none',
    ...(seconds === undefined ? [] : [`--max-time=${seconds}`]),
    ...(token === undefined ? [] : [`--header=Authorization: Bearer ${token}`]),
  ]
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: hooks,
    FUZZ_PLAN: join(work, 'plan.json'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
  return execute(schemathesis, args, { cwd: work, env, maxBuffer: 64 * 1024 * 1024 }).then(
    () => undefined,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? String(error)}`,
  )
}
