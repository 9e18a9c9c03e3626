import { generateKeyPair, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

export type Secrets = Record<string, string>

/**
 * Random keys and secrets for development, which production configures: settings by their names.
 * @param file stores them for the next start; without it new ones are made each time
 */
export async function developmentSecrets(file?: string): Promise<Secrets> {
  const kept = file === undefined ? {} : await readSecrets(file)
  const missing = Object.entries(recipes).filter(([name]) => kept[name] === undefined)
  const made = await Promise.all(missing.map(async ([name, make]) => [name, await make()] as const))
  const secrets = { ...kept, ...Object.fromEntries(made) }
  if (file !== undefined && made.length > 0) await keepSecrets(file, secrets)
  return secrets
}

async function readSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return JSON.parse(text)
}

/** Replaces the file atomically. */
export async function keepSecrets(file: string, secrets: Secrets): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}.tmp`
  await writeFile(unfinished, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  await chmod(unfinished, 0o600)
  await rename(unfinished, file)
}

const key32 = (): string => randomBytes(32).toString('base64')
const word = (prefix = ''): string => prefix + randomBytes(18).toString('base64url')

const recipes: Record<string, () => string | Promise<string>> = {
  FIELD_KEYS: () => `field-1:${key32()}`,
  INDEX_KEY: key32,
  BACKUP_KEYS: () => `backup-1:${key32()}`,
  SIGNING_KEYS: () => `signing-1:${key32()}`,
  STRIPE_SECRET_KEY: () => word('sk_test_'),
  STRIPE_PUBLISHABLE_KEY: () => word('pk_test_'),
  STRIPE_WEBHOOK_SECRET: () => word('whsec_'),
  ESIM_ACCESS_CODE: word,
  ESIM_ACCESS_SECRET: word,
  ESIM_ACCESS_WEBHOOK_TOKEN: () => randomBytes(24).toString('hex'),
  AIRALO_CLIENT_ID: word,
  AIRALO_CLIENT_SECRET: word,
  APPLE_PRIVATE_KEY: () => pem('ec'),
  FIREBASE_PRIVATE_KEY: () => pem('rsa'),
  META_ACCESS_TOKEN: word,
  GA_API_SECRET: word,
}

/** The settings that are random in development. */
export const secretNames: readonly string[] = Object.keys(recipes)

async function pem(kind: 'ec' | 'rsa'): Promise<string> {
  const { privateKey } =
    kind === 'ec'
      ? await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
      : await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
