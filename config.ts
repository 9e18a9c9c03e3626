/**
 * The only reader of the environment. One message reports all faults, by the settings' names and never by their values.
 * The embedded stack (dev/) provides missing settings outside production only.
 */
import { z } from 'zod'
import { canPriceIn } from './policy/currency.ts'
import { evidenceOf } from './policy/vat.ts'
import { keysOf } from './shared/keys-of.ts'
import { CannotListen } from './shared/process/listen.ts'
import { faultsTogether, type SettingFault } from './shared/settings/faults.ts'
import {
  addresses,
  beginningWith,
  byVat,
  databaseUrl,
  domain,
  ecKey,
  flag,
  key32,
  keyring,
  list,
  origin,
  pathSecret,
  pem,
  port,
  rolesByValue,
  rsaKey,
  sender,
  smtpUrl,
  timeZone,
  url,
  whole,
} from './shared/settings/formats.ts'

const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** P7, the servers are in the EU: the region of the data; production accepts regions of the EEA only */
  HOSTING_REGION: z.string().regex(/^[a-z]{2}(-[a-z0-9-]+)?$/),

  API_HOST: z.string().default('0.0.0.0'),
  API_PORT: port.default(8080),
  PUBLIC_URL: origin,
  /** whether an operator key opens the console; persons sign in by themselves. Without it: not in production */
  CONSOLE_KEY_SIGN_IN: flag.optional(),
  /** the company's OpenID provider, where operators sign in: docs/operators.md */
  OPERATOR_OPENID_ISSUER_URL: url.optional(),
  OPERATOR_OPENID_CLIENT_ID: z.string().min(1).optional(),
  OPERATOR_OPENID_CLIENT_SECRET: z.string().min(1).optional(),
  OPERATOR_OPENID_SCOPE: z
    .string()
    .regex(/^openid( |$)/, 'must begin with openid')
    .default('openid profile email'),
  /** the claim that says who may do what, by its name or as `outer.inner` */
  OPERATOR_OPENID_ROLES_CLAIM: z.string().min(1).default('roles'),
  OPERATOR_OPENID_ROLES: rolesByValue.default(new Map()),
  /** what one operator gives back alone within 24 hours, in the minor units of all currencies: docs/operators.md */
  SECOND_OPERATOR_ABOVE_MINOR: whole(0, 2_000_000_000).default(100_000),
  /**
   * P6, the security provider in front processes request IPs: the number of proxies in front of the API that set
   * X-Forwarded-For; production has to say it
   */
  TRUSTED_PROXIES: whole(0, 5).default(0),
  WORKER_METRICS_HOST: z.string().default('127.0.0.1'),
  WORKER_METRICS_PORT: port.default(9464),
  SANDBOX: flag.default(false),

  DATABASE_URL: databaseUrl,
  /** connections of each API and each worker process at the most: docs/capacity.md */
  DATABASE_CONNECTIONS: whole(2, 500).default(20),
  TEMPORAL_TASK_QUEUE: z.string().default('ama-esim'),
  TEMPORAL_UI_URL: url.optional(),
  WORKER_CONCURRENCY: whole(1, 2000).default(200),
  /** the worker's build, usually its commit; with it the worker is versioned: see docs/changing-workflows.md */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be up to 100 letters, digits, dots, dashes and underscores')
    .optional(),
  /** the Worker Deployment that versioned workers belong to */
  WORKER_DEPLOYMENT: z
    .string()
    .regex(/^[\w-]{1,100}$/, 'must be up to 100 letters, digits, dashes and underscores')
    .default('ama-esim'),

  FIELD_KEYS: keyring,
  INDEX_KEY: key32,
  PAYLOAD_KEYS: keyring.optional(),
  BACKUP_KEYS: keyring,
  /** Ed25519 seeds; a public key stays published after its seed has been removed here */
  SIGNING_KEYS: keyring,

  STRIPE_SECRET_KEY: beginningWith('sk_', 'rk_'),
  /** each app gets it: a secret key in its place would be published */
  STRIPE_PUBLISHABLE_KEY: beginningWith('pk_'),
  STRIPE_WEBHOOK_SECRET: beginningWith('whsec_'),
  STRIPE_API_URL: url.optional(),
  /** the API version of an account with access to the redaction preview; without it nothing is redacted */
  STRIPE_REDACTION_API_VERSION: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}\.preview$/)
    .optional(),

  ESIM_ACCESS_URL: url.default('https://api.esimaccess.com/api/v1/open'),
  ESIM_ACCESS_CODE: z.string().min(1),
  ESIM_ACCESS_SECRET: z.string().min(1),
  ESIM_ACCESS_WEBHOOK_TOKEN: pathSecret,
  ESIM_ACCESS_WEBHOOK_IPS: addresses.optional(),
  AIRALO_URL: url.default('https://partners-api.airalo.com/v2'),
  AIRALO_CLIENT_ID: z.string().min(1),
  AIRALO_CLIENT_SECRET: z.string().min(1),

  APPLE_URL: url.default('https://appleid.apple.com'),
  APPLE_TEAM_ID: z.string().min(1),
  APPLE_KEY_ID: z.string().min(1),
  APPLE_PRIVATE_KEY: ecKey,
  APPLE_CLIENT_IDS: list,
  GOOGLE_CLIENT_IDS: list,
  GOOGLE_CERTS_URL: url.default('https://www.googleapis.com/oauth2/v3/certs'),
  GOOGLE_REVOKE_URL: url.default('https://oauth2.googleapis.com/revoke'),
  GOOGLE_RISC_CERTS_URL: url.default('https://www.googleapis.com/oauth2/v3/certs'),
  FIREBASE_PROJECT_ID: z.string().min(1),
  FIREBASE_CLIENT_EMAIL: z.string().min(1),
  FIREBASE_PRIVATE_KEY: rsaKey,
  FIREBASE_CERTS_URL: url.default(
    'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
  ),
  /** development only: host:port of a server that replaces fcm.googleapis.com and identitytoolkit */
  FIREBASE_CONNECT_TO: z
    .string()
    .regex(/^[\w.-]+:\d+$/)
    .optional(),
  FIREBASE_CONNECT_CA: pem.optional(),

  SMTP_URL: smtpUrl,
  MAIL_FROM: sender,
  MAIL_BOUNCE_DOMAIN: domain,
  /** the secret in the address to which the mail system posts bounces; without it none is accepted */
  MAIL_BOUNCE_TOKEN: pathSecret.optional(),
  MAIL_RATE_PER_SECOND: whole(1).default(100),
  SUPPORT_MAIL: z.email(),

  META_URL: url.default('https://graph.facebook.com'),
  META_API_VERSION: z.string().optional(),
  META_DATASET_ID: z.string().optional(),
  META_ACCESS_TOKEN: z.string().optional(),
  // In the EU: developers.google.com/analytics/devguides/collection/protocol/ga4/reference, "Transport".
  GA_URL: url.default('https://region1.google-analytics.com'),
  GA_FIREBASE_APP_ID: z.string().optional(),
  GA_API_SECRET: z.string().optional(),

  SELLER_NAME: z.string().default('3AM GROUP L.L.C.'),
  SELLER_TAX_ID: z.string().default('812130334'),
  TAX_RATE_BPS: whole(0, 5000).default(1800),
  /** whose days documents have: docs/vat.md */
  SELLER_TIME_ZONE: timeZone.default('UTC'),
  /** where an order is taxed: policy/vat.ts and docs/vat.md */
  VAT_BY: z.enum(['seller_country', 'buyer_country']).default('seller_country'),
  SELLER_COUNTRY: z
    .string()
    .refine((code) => evidenceOf(code) === code, 'must be the ISO 3166 code of a country; for VAT Monaco is FR')
    .optional(),
  /** Implementing Regulation (EU) No 282/2011, Article 24b: for suppliers established in a member state only */
  VAT_ONE_PIECE_SUFFICES: flag.default(false),
  /** the request header in which the CDN says the caller's country, such as cf-ipcountry */
  COUNTRY_HEADER: z
    .string()
    .regex(/^[a-z0-9-]{1,60}$/, 'must be a header name in lower case')
    .optional(),
  /** the export for DATEV (docs/vat.md): numbers of the tax adviser and of us there */
  DATEV_CONSULTANT: whole(1001, 9_999_999).optional(),
  DATEV_CLIENT: whole(1, 99_999).optional(),
  DATEV_ACCOUNT_LENGTH: whole(4, 8).default(4),
  DATEV_FISCAL_YEAR_START: z
    .string()
    .regex(/^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$/, 'must be MM-DD')
    .default('01-01'),
  /** what the payment processor owes us */
  DATEV_CLEARING_ACCOUNT: z
    .string()
    .regex(/^\d{4,9}$/, 'must be an account')
    .optional(),
  DATEV_REVENUE_ACCOUNTS: byVat(/^\d{4,8}$/).optional(),
  DATEV_TAX_KEYS: byVat(/^\d{1,4}$/).optional(),
  SHOP_CURRENCY: z
    .string()
    .refine(canPriceIn, 'must be a currency in which Stripe takes our prices as they are')
    .default('EUR'),
  PRICE_MARKUP_PERCENT: whole(0, 1000).default(60),
  /** millionths of the shop's currency for one US dollar, in which providers charge */
  SHOP_RATE_PER_USD_MICROS: whole(1).default(920_000),

  BACKUP_FOLDER: z.string().default('.data/backups'),
  /** the folder of pg_dump and pg_restore, unless they are on PATH or in Debian's folders */
  PG_TOOLS_FOLDER: z.string().optional(),
  BOOKS_YEARS: whole(7, 11).default(7),
  BOOKS_COUNT_FROM: z.enum(['issue', 'year_end']).default('year_end'),
})

export type Config = z.output<typeof environmentSchema>

/** Names every setting that is missing or wrong, in one message. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly lines: readonly string[]

  /** @param lines `setting: fault` */
  constructor(lines: readonly string[]) {
    super(`The configuration has ${lines.length} fault(s):\n  ${lines.join('\n  ')}`)
    this.lines = lines
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings.
 * @param environment `process.env`, or the embedded stack's settings over it
 * @throws ConfigurationError naming every fault at once, without values
 */
export function readConfig(environment: Environment): Config {
  const { complete, faults } = inspectConfig(environment)
  if (complete) return complete
  const lines = faults.map(({ setting, fault }) => `${setting}: ${fault}`)
  throw new ConfigurationError(lines)
}

/**
 * Reads the settings that are right, and names every fault of the others, without values.
 * @returns `complete`: the same settings, if none has a fault
 */
export function inspectConfig(environment: Environment): {
  complete?: Config
  config: Partial<Config>
  faults: SettingFault[]
} {
  const given = givenSettings(environment)
  const parsed = environmentSchema.safeParse(given)
  const quoted = settingNames.filter((name) => isQuoted(given[name] ?? ''))
  if (parsed.success && quoted.length === 0) {
    const faults = faultsTogether(given, settingNames)
    return { config: parsed.data, faults, ...(faults.length === 0 && { complete: parsed.data }) }
  }
  const issues = [
    // Containers get a file of settings as it is written: docs/deploying.md.
    ...quoted.map((setting) => ({ setting, fault: 'is in quotes, which would be a part of it' })),
    ...(parsed.error?.issues ?? []).flatMap((issue) => {
      const setting = issue.path.join('.')
      if (quoted.some((name) => name === setting)) return []
      return [{ setting, fault: setting in given ? issue.message : 'missing' }]
    }),
  ]
  const wrong = new Set(issues.map(({ setting }) => setting))
  const right = settingNames.filter((name) => !wrong.has(name))
  const config = Object.fromEntries(right.map((name) => [name, environmentSchema.shape[name].parse(given[name])]))
  return { config, faults: [...issues, ...faultsTogether(given, settingNames)] }
}

/** `"AMA eSIM" <hello@example.com>` is not. */
const isQuoted = (text: string): boolean => /^(?:"[^"]*"|'[^']*')$/.test(text)

/** A secret that is kept in a file ends with a line break, which no header and no comparison takes. */
export const givenSettings = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      const text = value?.trim()
      return text === undefined || text === '' ? [] : [[name, text]]
    }),
  )

/**
 * Does a part of a program's start. Faults of settings are written to standard error without a stack, and the program
 * ends.
 * @param names of the settings that say where the part listens
 */
export async function startOrExit<Part>(
  part: () => Part | Promise<Part>,
  names: readonly (keyof Config)[] = [],
): Promise<Part> {
  try {
    return await part()
  } catch (error) {
    const isFault = error instanceof ConfigurationError
    if (!isFault && !(error instanceof CannotListen)) throw error
    process.stderr.write(isFault ? `${error.message}\n` : `${error.message}. Look at ${names.join(' and ')}.\n`)
    process.exit(1)
  }
}

/** Names of every setting, for checking .env.example against them. */
export const settingNames: readonly (keyof Config)[] = keysOf(environmentSchema.shape)
