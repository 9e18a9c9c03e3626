/**
 * The arguments of a command. Wrong ones end the process before its work: with the reason, the usage and exit code 2.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>

/**
 * Reads the arguments of this process. An option that the command does not know ends the process, as does a word beside
 * its options when it takes none. @param usage begins with `Usage:` and names the command as it is typed
 */
export function readArguments<Known extends Options>(usage: string, options: Known, { words = false } = {}) {
  const given = process.argv.slice(2)
  if (given.some((each) => each === '--help' || each === '-h')) {
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  }
  const read = parsed(usage, given, options)
  const [unexpected] = read.positionals
  if (!words && unexpected !== undefined) endWithUsage(usage, `Unexpected argument '${unexpected}'.`)
  return read
}

function parsed<Known extends Options>(usage: string, args: string[], options: Known) {
  try {
    return parseArgs<{ args: string[]; options: Known; allowPositionals: true }>({
      args,
      options,
      allowPositionals: true,
    })
  } catch (error) {
    if (isOfArguments(error)) return endWithUsage(usage, firstSentence(error.message))
    throw error
  }
}

/** Ends the process: its arguments are well formed, but together they ask nothing that the command can do. */
export function endWithUsage(usage: string, why: string): never {
  process.stderr.write(`${why}\n${usage}\n`)
  process.exit(2)
}

/** The options that an act needs and that were not given, as a sentence; undefined when there is none. */
export function missingOf(needed: Readonly<Record<string, unknown>>): string | undefined {
  const missing = Object.keys(needed).filter((name) => needed[name] === undefined || needed[name] === '')
  return missing.length === 0 ? undefined : `Missing: ${missing.map((name) => `--${name}`).join(', ')}.`
}

const isOfArguments = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')

/** Node goes on with advice for those who write programs. */
const firstSentence = (message: string): string => `${(message.split(/\. |\.?\n/)[0] ?? '').replace(/\.$/, '')}.`
