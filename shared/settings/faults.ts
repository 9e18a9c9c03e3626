/** What is wrong with settings that are right one by one, and what production refuses. */
import { isInEea } from '../../policy/hosting.ts'
import { isMemberState } from '../../policy/vat-rates.ts'

/** The fault of a setting, or of several together: then `setting` is a pattern such as `META_*`. */
export interface SettingFault {
  setting: string
  fault: string
}

type Given = Readonly<Partial<Record<string, string>>>

/** Each of these settings leads to a Temporal service: see temporal/client.ts. */
const temporalSettingNames = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE']

/**
 * The faults of combinations of settings, and those that count in production only.
 * @param given the settings as they are written, by their names
 * @param names of every setting
 */
export function faultsTogether(given: Given, names: readonly string[]): SettingFault[] {
  const faults: SettingFault[] = []
  const half = (together: readonly string[]): boolean => {
    const set = together.filter((name) => given[name] !== undefined).length
    return set > 0 && set < together.length
  }
  if (half(['META_API_VERSION', 'META_DATASET_ID', 'META_ACCESS_TOKEN']))
    faults.push({ setting: 'META_*', fault: 'set all three or none' })
  if (half(['GA_FIREBASE_APP_ID', 'GA_API_SECRET'])) faults.push({ setting: 'GA_*', fault: 'set both or none' })
  const openId = ['OPERATOR_OPENID_CLIENT_ID', 'OPERATOR_OPENID_CLIENT_SECRET', 'OPERATOR_OPENID_ROLES']
  if (half(['OPERATOR_OPENID_ISSUER_URL', ...openId]))
    faults.push({ setting: 'OPERATOR_OPENID_*', fault: 'set issuer, client id, client secret and roles, or none' })
  if (half(['DATEV_CONSULTANT', 'DATEV_CLIENT', 'DATEV_CLEARING_ACCOUNT', 'DATEV_REVENUE_ACCOUNTS']))
    faults.push({ setting: 'DATEV_*', fault: 'set consultant, client, clearing account and revenue accounts, or none' })
  faults.push(...longAccounts(given))
  if (given.VAT_BY === 'buyer_country' && given.SELLER_COUNTRY === undefined)
    faults.push({ setting: 'SELLER_COUNTRY', fault: 'missing (VAT_BY=buyer_country needs it)' })
  if (given.VAT_ONE_PIECE_SUFFICES === 'true' && !isMemberState(given.SELLER_COUNTRY ?? ''))
    faults.push({ setting: 'VAT_ONE_PIECE_SUFFICES', fault: 'only for a seller in a member state of the EU' })
  if (given.NODE_ENV !== 'production') return faults
  if (temporalSettingNames.every((name) => given[name] === undefined)) {
    faults.push({ setting: 'TEMPORAL_ADDRESS', fault: 'missing (or TEMPORAL_PROFILE, or TEMPORAL_CONFIG_FILE)' })
  }
  if (given.PAYLOAD_KEYS === undefined) faults.push({ setting: 'PAYLOAD_KEYS', fault: 'missing' })
  if (given.HOSTING_REGION !== undefined && !isInEea(given.HOSTING_REGION)) {
    faults.push({ setting: 'HOSTING_REGION', fault: 'must be in the EU/EEA' })
  }
  if (given.SANDBOX === 'true') faults.push({ setting: 'SANDBOX', fault: 'must not be true in production' })
  for (const name of ['FIREBASE_CONNECT_TO', 'FIREBASE_CONNECT_CA', 'STRIPE_API_URL']) {
    if (given[name] !== undefined) faults.push({ setting: name, fault: 'must not be set in production' })
  }
  if (given.TRUSTED_PROXIES === undefined) {
    faults.push({
      setting: 'TRUSTED_PROXIES',
      fault: 'missing (the number of proxies in front of the API; 0 when callers reach it directly)',
    })
  }
  return [...faults, ...unencrypted(given, names), ...weakKeys(given)]
}

/** DATEV refuses a batch with an account longer than its client's; that of a person may have one digit more. */
function longAccounts(given: Given): SettingFault[] {
  const length = Number(given.DATEV_ACCOUNT_LENGTH ?? 4)
  const fault = (setting: string, most: number): SettingFault[] => {
    const accounts = (given[setting] ?? '').split(',').map((each) => each.trim().split(/\D/).at(-1) ?? '')
    return accounts.some((account) => account.length > most)
      ? [{ setting, fault: `an account has at most ${most} digits (DATEV_ACCOUNT_LENGTH is ${length})` }]
      : []
  }
  return [...fault('DATEV_CLEARING_ACCOUNT', length + 1), ...fault('DATEV_REVENUE_ACCOUNTS', length)]
}

/** Settings that lead over the network without TLS. Services on the same machine need none. */
function unencrypted(given: Given, names: readonly string[]): SettingFault[] {
  const faults: SettingFault[] = []
  for (const name of names.filter((each) => each.endsWith('_URL'))) {
    const text = given[name]
    if (text === undefined || !URL.canParse(text)) continue
    const { protocol, hostname, searchParams } = new URL(text)
    if (name === 'DATABASE_URL') {
      if (!isHere(hostname) && !searchParams.has('sslmode')) {
        faults.push({
          setting: 'DATABASE_URL',
          fault: 'must say sslmode=verify-full, or sslmode=disable in a network that nobody else reaches',
        })
      }
    } else if (protocol === 'http:' && (name === 'PUBLIC_URL' || !isHere(hostname))) {
      faults.push({ setting: name, fault: 'must be https' })
    }
  }
  return faults
}

const isHere = (hostname: string): boolean =>
  hostname === '' || hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

/** Keys that nobody drew at random, and keys that serve two purposes. */
function weakKeys(given: Given): SettingFault[] {
  const faults: SettingFault[] = []
  const seen = new Map<string, string>()
  for (const name of ['FIELD_KEYS', 'INDEX_KEY', 'PAYLOAD_KEYS', 'BACKUP_KEYS', 'SIGNING_KEYS']) {
    for (const entry of (given[name] ?? '').split(',').filter(Boolean)) {
      const key = Buffer.from(entry.replace(/^[^:]*:/, ''), 'base64').toString('hex')
      // 32 random bytes have fewer than 16 different ones once in 10^17 draws.
      if (new Set(key.match(/../g)).size < 16)
        faults.push({ setting: name, fault: 'has a key that is not random (openssl rand -base64 32)' })
      const other = seen.get(key)
      if (other !== undefined)
        faults.push({ setting: name, fault: `has a key that ${other === name ? 'it' : other} has, too` })
      seen.set(key, name)
    }
  }
  return faults
}
