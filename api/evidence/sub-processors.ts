/**
 * P5, the mail provider gets transactional mail; P7, the servers are in the EU; P8, nothing is shared with anybody
 * else: the hosts and the region in the settings. In development, hosts of this machine are allowed, too.
 */
import { type Config, settingNames } from '../../config.ts'
import { listed } from '../../db/evidence/schema.ts'
import type { Readings } from '../../policy/figures.ts'
import { isInEea } from '../../policy/hosting.ts'
import { subProcessors } from '../../policy/sub-processors.ts'

type PartySettings = Pick<Config, 'NODE_ENV' | 'HOSTING_REGION' | 'SMTP_URL'> & Partial<Config>

/**
 * Addresses of our own, and the mail server's, whose host is the operator's own choice: see policy/sub-processors.ts.
 */
const ownChoice = ['PUBLIC_URL', 'DATABASE_URL', 'TEMPORAL_UI_URL', 'SMTP_URL']
/** Settings with the host of an outside party: each new one counts by itself. */
const addressSettings = settingNames.filter((name) => name.endsWith('_URL') && !ownChoice.includes(name))

const known = new Set(Object.values(subProcessors).flatMap(({ hosts }): readonly string[] => hosts))
const thisMachine = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** The settings that lead to a host which no entry of policy/sub-processors.ts has. */
export function readSubProcessorFigures(config: PartySettings): Readings {
  const isProduction = config.NODE_ENV === 'production'
  const trusted = (host: string) => known.has(host) || (!isProduction && thisMachine.has(host))
  const unlisted = addressSettings.filter((name) => {
    const url = config[name]
    return typeof url === 'string' && !trusted(new URL(url).hostname)
  })
  if (config.FIREBASE_CONNECT_TO && !trusted(config.FIREBASE_CONNECT_TO.split(':')[0] ?? '')) {
    return { ...others(), unlisted_hosts: listed([...unlisted, 'FIREBASE_CONNECT_TO']) }
  }
  return { ...others(), unlisted_hosts: listed(unlisted) }

  function others(): Readings {
    const mail = new URL(config.SMTP_URL)
    // providers/mail/mail.ts requires STARTTLS of every `smtp:` server but one on this machine.
    const isOpen = mail.protocol === 'smtp:' && isProduction && thisMachine.has(mail.hostname)
    const region = config.HOSTING_REGION
    const isForeign = !isInEea(region)
    return {
      open_mail: listed(isOpen ? ['SMTP_URL'] : []),
      foreign_regions: { value: isForeign ? 1 : 0, detail: region },
    }
  }
}
