/** GDPR article 33(3): the notification of the authority, as a text that an operator downloads, edits and sends. */
import type { Config } from '../../config.ts'
import type { Breach } from '../../db/access/breaches.ts'
import { type FieldGroup, fieldGroups } from '../../policy/field-groups.ts'

/** The form in Markdown. @param fields the groups of fields that were read */
export function authorityForm(
  config: Pick<Config, 'SELLER_NAME' | 'SELLER_TAX_ID' | 'SUPPORT_MAIL'>,
  breach: Breach,
  fields: readonly FieldGroup[],
  at: Date,
): string {
  const isLate = at > breach.authority_due_at && breach.authority_told_at === null
  const peopleNotified = {
    undecided: 'Not decided yet.',
    tell: breach.people_told_at ? `Notified by mail until ${time(breach.people_told_at)}.` : 'Being notified by mail.',
    not_required: `Not notified: ${breach.people_not_told_because ?? ''}`,
  }[breach.people_decision ?? 'undecided']
  const lines = [
    '# Notification of a personal data breach (GDPR article 33)',
    '',
    `Controller: ${config.SELLER_NAME}, ${config.SELLER_TAX_ID}, ${config.SUPPORT_MAIL}`,
    `Our reference: ${breach.id}`,
    `Aware since: ${time(breach.aware_at)}. Due by: ${time(breach.authority_due_at)}. Written: ${time(at)}.`,
    '',
    '## (a) Nature of the breach',
    '',
    breach.nature,
    '',
    `- Approximate number of data subjects: ${breach.people ?? 'not known yet'}`,
    `- Approximate number of personal data records: ${breach.reads ?? 'not known yet'} answers of our API`,
    '- Categories of data subjects: customers of a shop for travel eSIMs',
    `- Period: ${time(breach.read_from)} to ${time(breach.read_until)}`,
    '- Categories of personal data records:',
    ...fields.map((field) => `  - ${fieldGroups[field].holds}`),
    '',
    '## (b) Contact',
    '',
    breach.contact,
    '',
    '## (c) Likely consequences',
    '',
    breach.consequences,
    '',
    '## (d) Measures taken or proposed',
    '',
    breach.measures,
    '',
    '## Communication to the data subjects (article 34)',
    '',
    peopleNotified,
    '',
    ...(isLate ? ['## Reasons for the delay (article 33(1))', '', 'TO BE WRITTEN', ''] : []),
  ]
  return lines.join('\n')
}

const time = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
