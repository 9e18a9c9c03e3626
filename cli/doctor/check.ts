/** Runs one check of `npm run doctor`: asked once, within a time, and only when its settings are right. */
import { type Config, ConfigurationError } from '../../config.ts'
import { isOutage } from '../../providers/call-watch.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { textPropertyOf } from '../../shared/keys-of.ts'
import { Fault, type Finding } from './finding.ts'

/** Longer than the slowest party answers a small question. */
const timeoutMs = 20_000

/** The settings of a check, which are there and right. */
export type Needed<Names extends keyof Config> = { [Name in Names]: NonNullable<Config[Name]> } & Partial<Config>

/**
 * Asks one question.
 * @param needs settings without which it cannot be asked
 * @param ask resolves to what is right, or throws Fault or ProviderFailure
 * @param address the setting that says where it is asked; default: the first that it needs
 */
export async function check<Names extends keyof Config>(
  config: Partial<Config>,
  about: string,
  needs: readonly Names[],
  ask: (settings: Needed<Names>) => Promise<string>,
  address: string | undefined = needs[0],
): Promise<Finding> {
  if (!hasAll(config, needs)) {
    const lacking = needs.filter((name) => config[name] === undefined)
    return { about, state: 'not_asked', detail: `needs ${lacking.join(', ')}` }
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault(`no answer within ${timeoutMs / 1000} s`, reachable)), timeoutMs)
  })
  try {
    const detail = await Promise.race([ask(config), late])
    return { about, state: 'ok', detail }
  } catch (error) {
    return { about, state: 'fault', ...faultOf(error, needs, address) }
  } finally {
    clearTimeout(timer)
  }
}

const hasAll = <Names extends keyof Config>(
  config: Partial<Config>,
  needs: readonly Names[],
): config is Needed<Names> => needs.every((name) => config[name] !== undefined)

const reachable = 'check address, DNS, firewall and TLS between this machine and the service'

function faultOf(
  error: unknown,
  needs: readonly string[],
  setting: string | undefined,
): { detail: string; remedy: string } {
  if (error instanceof Fault) return { detail: error.message, remedy: error.remedy }
  if (!isProviderFailure(error))
    return { detail: describe(error), remedy: setting ? `look at ${setting}: ${reachable}` : reachable }
  const detail = `${error.kind} (${error.code})`
  if (error.code === 'rate_limited')
    return { detail, remedy: 'it answers, and limits how often: ask again in a minute' }
  if (isOutage(error)) return { detail, remedy: reachable }
  return { detail, remedy: `correct ${needs.join(', ')}` }
}

/** Messages of PostgreSQL, Temporal and Node name hosts and codes; they quote no password. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigurationError) return error.lines.join('; ')
  const code = textPropertyOf(error, 'code')
  const text = error.message || error.name
  return code !== undefined && !text.includes(code) ? `${text} (${code})` : text
}
