import { join } from 'node:path'
import { settingNames } from '../config.ts'
import type { Secrets } from './development-secrets.ts'

export type Settings = Record<string, string>

/** The settings in an environment, by their names; other variables are ignored. */
export function configuredSettings(environment: Record<string, string | undefined>): Settings {
  const names = [...settingNames, ...Object.keys(environment).filter((name) => name.startsWith('TEMPORAL_'))]
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name]
      return value === undefined || value === '' ? [] : [[name, value] as const]
    }),
  )
}

/** Whether a Temporal service is configured. A profile in the home folder does not count: it may be production's. */
export const temporalIsConfigured = (configured: Settings): boolean =>
  ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some((name) => configured[name] !== undefined)

/** Settings of an embedded server. The file does not exist, since an existing one could add TLS or an API key. */
export const embeddedTemporal = (address: string, namespace: string): Settings => ({
  TEMPORAL_ADDRESS: address,
  TEMPORAL_NAMESPACE: namespace,
  TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
})

/** Default values of settings that neither the environment nor a part of the stack provides. */
export function developmentDefaults(secrets: Secrets, dataDir: string): Settings {
  const { FIELD_KEYS = '', INDEX_KEY = '', BACKUP_KEYS = '', SIGNING_KEYS = '' } = secrets
  return {
    NODE_ENV: 'development',
    HOSTING_REGION: 'de-development',
    SANDBOX: 'true',
    API_HOST: '127.0.0.1',
    FIELD_KEYS,
    INDEX_KEY,
    BACKUP_KEYS,
    SIGNING_KEYS,
    BACKUP_FOLDER: join(dataDir, 'backups'),
    MAIL_FROM: 'AMA eSIM <hello@ama-esim.example>',
    MAIL_BOUNCE_DOMAIN: 'bounces.ama-esim.example',
    SUPPORT_MAIL: 'support@ama-esim.example',
  }
}

/** The environment of our processes without settings, which they get separately. */
export function inheritedEnvironment(
  environment: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const all = { ...process.env, ...environment }
  const settings = configuredSettings(all)
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in settings)))
}
