/** The purpose of each setting, and the source of its value. `npm run doctor` shows both beside a fault. */
import type { Config } from '../../config.ts'
import { isKeyOf } from '../../shared/keys-of.ts'

type SettingName = keyof Config | 'TEMPORAL_ADDRESS' | 'META_*' | 'GA_*' | 'DATEV_*' | 'OPERATOR_OPENID_*'

const keyring =
  'id:key of 32 random bytes in base64 (openssl rand -base64 32), the newest first, older ones after a comma'
const elsewhere = 'leave it out, unless another server replaces the usual one'

export const explanations: Readonly<Record<SettingName, string>> = {
  NODE_ENV: '`production` in production; then nothing is embedded or simulated, and every setting is checked',
  LOG_LEVEL: 'trace, debug, info, warn, error or silent',
  HOSTING_REGION:
    'the region of the data, which begins with its country, for example de-nuremberg; it must be in the EU/EEA',
  API_HOST: 'the address on which the API listens',
  API_PORT: 'the port on which the API listens',
  PUBLIC_URL: 'the address (https) at which people and providers reach the API: links in mails begin with it',
  CONSOLE_KEY_SIGN_IN: '`true` lets an operator key open the console until the first operator is saved',
  OPERATOR_OPENID_ISSUER_URL:
    'the OpenID provider at which operators sign in; it sends them to PUBLIC_URL/console/sign-in/openid/callback',
  OPERATOR_OPENID_CLIENT_ID: 'the client id that the OpenID provider gives the console',
  OPERATOR_OPENID_CLIENT_SECRET: 'its secret',
  OPERATOR_OPENID_SCOPE:
    'begins with openid; some providers name roles, or give refresh tokens, only when a further scope is asked for',
  OPERATOR_OPENID_ROLES_CLAIM: 'the claim that holds what a person may do, by its name or as outer.inner',
  OPERATOR_OPENID_ROLES: 'what its values mean here: value=role,value=role; the first that a person has counts',
  'OPERATOR_OPENID_*': 'all are needed for the sign-in at an OpenID provider: docs/operators.md',
  TRUSTED_PROXIES: 'how many proxies in front of the API set X-Forwarded-For; a wrong number believes forged addresses',
  WORKER_METRICS_HOST: 'where Prometheus and probes reach a worker; 0.0.0.0 in a container',
  WORKER_METRICS_PORT: 'the port of a worker for Prometheus and probes',
  SANDBOX: '`true` only where all outside parties are simulators: it lets operators move the clock',
  SECOND_OPERATOR_ABOVE_MINOR:
    'what one operator refunds alone within 24 hours, in the smallest unit of the currency; beyond it a second operator is needed',
  DATABASE_URL: 'postgres://user:password@host:5432/database?sslmode=verify-full of PostgreSQL 15 or newer',
  DATABASE_CONNECTIONS: 'connections of each process at the most; all processes together must fit into max_connections',
  TEMPORAL_ADDRESS: 'host:port of Temporal; TEMPORAL_NAMESPACE and TEMPORAL_API_KEY go with it (docs/deploying.md)',
  TEMPORAL_TASK_QUEUE: 'the task queue of API and workers; the same for all of them',
  TEMPORAL_UI_URL: 'the origin of the Temporal Web UI, which may then ask the codec endpoint',
  WORKER_CONCURRENCY: 'how many activities one worker runs at the same time',
  WORKER_BUILD_ID: 'the build of a versioned worker, usually its commit: docs/changing-workflows.md',
  WORKER_DEPLOYMENT: 'the Worker Deployment that versioned workers belong to',
  FIELD_KEYS: `wraps the data keys of accounts; losing it loses all personal data. ${keyring}`,
  INDEX_KEY:
    'look-ups by address; 32 random bytes in base64 (openssl rand -base64 32); changing it orphans every look-up',
  PAYLOAD_KEYS: `encrypts what Temporal stores. ${keyring}`,
  BACKUP_KEYS: `encrypts backups; keep it apart from them. ${keyring}`,
  SIGNING_KEYS: 'signs receipts; `npm run keys -- create signing` prints one',
  STRIPE_SECRET_KEY: 'Stripe dashboard, Developers, API keys: sk_live_...',
  STRIPE_PUBLISHABLE_KEY: 'Stripe dashboard, Developers, API keys: pk_live_..., of the same account',
  STRIPE_WEBHOOK_SECRET:
    'Stripe dashboard, Developers, Webhooks: whsec_... of the endpoint PUBLIC_URL/v1/webhooks/stripe',
  STRIPE_API_URL: 'development only: a simulator of Stripe',
  STRIPE_REDACTION_API_VERSION:
    'the API version of an account in the redaction preview, for example 2026-04-22.preview',
  ESIM_ACCESS_URL: elsewhere,
  ESIM_ACCESS_CODE: 'eSIM Access console, Developer: AccessCode',
  ESIM_ACCESS_SECRET: 'eSIM Access console, Developer: SecretKey',
  ESIM_ACCESS_WEBHOOK_TOKEN: '24 random characters or more (openssl rand -hex 24); ends the path of its webhook',
  ESIM_ACCESS_WEBHOOK_IPS: 'the only senders of its webhooks, with commas between',
  AIRALO_URL: elsewhere,
  AIRALO_CLIENT_ID: 'Airalo Partners, API: client id',
  AIRALO_CLIENT_SECRET: 'Airalo Partners, API: client secret',
  APPLE_URL: elsewhere,
  APPLE_TEAM_ID: 'Apple Developer, Membership: team id',
  APPLE_KEY_ID: 'Apple Developer, Keys: id of the key with "Sign in with Apple"',
  APPLE_PRIVATE_KEY: 'the .p8 file of that key, line ends as \\n',
  APPLE_CLIENT_IDS: 'bundle ids of the apps and services ids, with commas between',
  GOOGLE_CLIENT_IDS: 'Google Cloud, Credentials: OAuth client ids of the apps, with commas between',
  GOOGLE_CERTS_URL: elsewhere,
  GOOGLE_REVOKE_URL: elsewhere,
  GOOGLE_RISC_CERTS_URL: elsewhere,
  FIREBASE_PROJECT_ID: 'Firebase console, Project settings: project id',
  FIREBASE_CLIENT_EMAIL: 'client_email of a service account that may delete users and send messages',
  FIREBASE_PRIVATE_KEY: 'private_key of that service account, line ends as \\n',
  FIREBASE_CERTS_URL: elsewhere,
  FIREBASE_CONNECT_TO: 'development only: a server that replaces Firebase',
  FIREBASE_CONNECT_CA: 'development only: its certificate',
  SMTP_URL: 'smtps://user:password@host:465, or smtp://...:587 with STARTTLS, of the mail server',
  MAIL_FROM: 'the sender, for example "AMA eSIM <hello@example.com>", of a domain that the mail server signs (DKIM)',
  MAIL_BOUNCE_DOMAIN: 'the domain whose MX hands bounces to us',
  MAIL_BOUNCE_TOKEN: '24 random characters or more; part of the address at which the mail system hands in bounces',
  MAIL_RATE_PER_SECOND: 'mails per second of each process, as the mail server allows',
  SUPPORT_MAIL: 'the address of support, which mails and pages name',
  META_URL: elsewhere,
  META_API_VERSION: 'the version of the Graph API, for example v24.0',
  META_DATASET_ID: 'Meta Events Manager: id of the dataset',
  META_ACCESS_TOKEN: 'Meta Events Manager: access token of the Conversions API',
  'META_*':
    'Meta needs META_API_VERSION, META_DATASET_ID and META_ACCESS_TOKEN; without measurement leave all three out',
  GA_URL: 'where Google Analytics takes events; the default is in the EU',
  GA_FIREBASE_APP_ID: 'Google Analytics, Data streams: Firebase app id',
  GA_API_SECRET: 'Google Analytics, Data streams, Measurement Protocol API secrets',
  'GA_*': 'Google Analytics needs GA_FIREBASE_APP_ID and GA_API_SECRET; without measurement leave both out',
  SELLER_NAME: 'the seller on invoices',
  SELLER_TAX_ID: 'the tax number of the seller on invoices',
  TAX_RATE_BPS: 'the rate of VAT in hundredths of a percent: docs/vat.md',
  SELLER_TIME_ZONE: 'the time zone whose days invoices, credit notes and VAT rates have: docs/vat.md',
  VAT_BY: 'seller_country or buyer_country: docs/vat.md',
  SELLER_COUNTRY: 'the ISO 3166 code of the seller; VAT_BY=buyer_country needs it',
  VAT_ONE_PIECE_SUFFICES: 'only for a seller in a member state of the EU: docs/vat.md',
  COUNTRY_HEADER:
    'the header in which the CDN says the country of the caller, in lower case; the CDN must overwrite it',
  DATEV_CONSULTANT: 'the export for DATEV (docs/vat.md): the number of the tax adviser',
  DATEV_CLIENT: 'the export for DATEV: our number at the tax adviser',
  DATEV_ACCOUNT_LENGTH: 'the export for DATEV: digits of an account',
  DATEV_FISCAL_YEAR_START: 'the export for DATEV: the first day of the fiscal year, MM-DD',
  DATEV_CLEARING_ACCOUNT: 'the export for DATEV: the account of what the payment processor owes us',
  DATEV_REVENUE_ACCOUNTS: 'the export for DATEV: accounts by VAT scope, or by scope and rate: docs/vat.md',
  DATEV_TAX_KEYS: 'the export for DATEV: tax keys by VAT scope, or by scope and rate: docs/vat.md',
  'DATEV_*':
    'DATEV needs DATEV_CONSULTANT, DATEV_CLIENT, DATEV_CLEARING_ACCOUNT and DATEV_REVENUE_ACCOUNTS; or leave all out',
  SHOP_CURRENCY: 'ISO 4217, with hundredths or with no minor unit, as Stripe counts it',
  PRICE_MARKUP_PERCENT: 'what the shop adds to the prices of providers',
  SHOP_RATE_PER_USD_MICROS: 'millionths of the currency of the shop for one US dollar',
  BACKUP_FOLDER: 'a permanent volume that all workers share',
  PG_TOOLS_FOLDER: 'the folder of pg_dump and pg_restore, unless they are on PATH',
  BOOKS_YEARS: 'how many years the books are kept, 7 to 11',
  BOOKS_COUNT_FROM: 'issue or year_end: from when these years count',
}

/** The explanation of a setting by its name or pattern. */
export const explanationOf = (setting: string): string | undefined =>
  isKeyOf(explanations, setting) ? explanations[setting] : undefined
