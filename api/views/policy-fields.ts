/** N1: the privacy policy's versions, as they travel. */
import { z } from 'zod'
import { sentTime } from '../http/storable.ts'

export const policyVersion = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.-]{0,39}$/, 'must be the name of a version')

/** A cut beyond which nobody reads, and a mail is no mail any more. */
const changes = z
  .array(z.string().trim().min(1).max(500))
  .max(20)
  .describe('what changes, a sentence each: the mail to everybody')

export const newPolicy = z
  .strictObject({
    version: policyVersion,
    title: z.string().trim().min(1).max(120),
    text: z.string().min(1).max(60_000).describe('Markdown: headings (##), lists (-) and paragraphs'),
    changes: changes.default([]),
    effectiveAt: sentTime.describe('at least 31 days ahead for a material change: a day to tell everybody'),
    material: z.boolean().describe('mailed to everybody 30 days before'),
  })
  .refine(({ material, changes }) => !material || changes.length > 0, {
    path: ['changes'],
    message: 'a material change must say what changes',
  })
  .meta({ id: 'NewPolicy' })

const time = z.iso.datetime()
export const policySummary = z
  .object({
    version: z.string(),
    title: z.string(),
    state: z.enum(['coming', 'in_force', 'superseded', 'withdrawn']),
    material: z.boolean(),
    changes: z.array(z.string()),
    postedAt: time,
    effectiveAt: time,
    movedFrom: time.nullable().describe('the date it was first announced for, where it had to move'),
    endedAt: time.nullable().describe('superseded, or withdrawn before it took effect'),
    forNewcomers: z.boolean().describe('what somebody who signs up now accepts'),
  })
  .meta({ id: 'PolicySummary' })

export const policyDetails = policySummary.extend({ text: z.string() }).meta({ id: 'Policy' })

const count = z.int().nonnegative()
export const policyNotices = z
  .object({
    notices: z.array(
      z.object({
        notice: z.string().describe('`announced`, `moved:<n>` or `withdrawn`'),
        sent: count,
        waiting: count.describe('tried again later'),
        failed: count.describe('refused for good, or given up: told by the page alone'),
        bounced: count.describe('taken and come back: told by the page alone'),
      }),
    ),
    unreached: z.object({
      items: z.array(
        z.object({ accountId: z.uuid(), state: z.enum(['failed', 'bounced']), code: z.string().nullable() }),
      ),
      nextCursor: z.string().nullable(),
    }),
  })
  .meta({ id: 'PolicyNotices' })
