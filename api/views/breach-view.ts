/** A personal data breach, as operators see it. */
import { z } from 'zod'
import type { Breach } from '../../db/access/breaches.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { enumeration } from './enumeration.ts'

const time = z.iso.datetime().nullable()

const breachState = enumeration('BreachState', 'How far a breach is dealt with', {
  draft: 'It is being opened: the reads are counted',
  open: 'Authority and people have to be notified, or not, with a reason',
  closed: 'Both are settled',
})

export const breach = z
  .object({
    id: z.uuid(),
    state: breachState.schema,
    keyId: z.string().nullable(),
    session: z.string().nullable(),
    from: time,
    until: time,
    nature: z.string(),
    consequences: z.string(),
    measures: z.string(),
    contact: z.string(),
    people: z.int().nullable().describe('whose data was read'),
    reads: z.int().nullable(),
    fields: z.array(z.string()).describe('the groups of fields that were read'),
    awareAt: time,
    authorityDueAt: time,
    overdue: z.boolean().describe('the authority was not notified within 72 hours'),
    authorityToldAt: time,
    authorityReference: z.string().nullable(),
    authorityNotToldBecause: z.string().nullable(),
    peopleDecision: z.enum(['tell', 'not_required']).nullable(),
    peopleNotToldBecause: z.string().nullable(),
    peopleToldAt: time,
    closedAt: time,
  })
  .meta({ id: 'Breach' })
export const breaches = z.object({ items: z.array(breach) }).meta({ id: 'Breaches' })

/** @param fields the groups of fields that were read */
export function viewBreach(row: Breach, fields: string[], now: Date): z.input<typeof breach> {
  const settled = row.authority_told_at !== null || row.authority_not_told_because !== null
  return {
    id: row.id,
    state: row.state,
    keyId: row.key_id,
    session: row.session,
    from: isoOrNull(row.read_from),
    until: isoOrNull(row.read_until),
    nature: row.nature,
    consequences: row.consequences,
    measures: row.measures,
    contact: row.contact,
    people: row.people,
    reads: row.reads,
    fields,
    awareAt: isoOrNull(row.aware_at),
    authorityDueAt: isoOrNull(row.authority_due_at),
    overdue:
      row.late_at !== null ||
      (settled
        ? row.authority_told_at !== null && row.authority_told_at > row.authority_due_at
        : now > row.authority_due_at),
    authorityToldAt: isoOrNull(row.authority_told_at),
    authorityReference: row.authority_reference,
    authorityNotToldBecause: row.authority_not_told_because,
    peopleDecision: row.people_decision,
    peopleNotToldBecause: row.people_not_told_because,
    peopleToldAt: isoOrNull(row.people_told_at),
    closedAt: isoOrNull(row.closed_at),
  }
}
