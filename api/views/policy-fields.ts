/** N1, a material change of the policy is posted: versions of the privacy policy in the API. */
import { z } from 'zod'
import { oneLine, sentTime } from '../http/storable.ts'
import { enumeration } from './enumeration.ts'
import { whyField } from './operator-words.ts'

export const policyVersion = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.-]{0,39}$/, 'must be the name of a version')

/** Bounded, since the list is written into a mail. */
const changes = z
  .array(z.string().trim().min(1).max(500))
  .max(20)
  .describe('what changes, one sentence each, for the mail to every account')

export const newPolicy = z
  .strictObject({
    version: policyVersion,
    title: oneLine(120),
    text: z.string().min(1).max(60_000).describe('Markdown: headings (##), lists (-) and paragraphs'),
    changes: changes.default([]),
    effectiveAt: sentTime.describe('at least 31 days ahead for a material change: a day to notify everybody'),
    material: z.boolean().describe('mailed to everybody 30 days before'),
    ...whyField,
  })
  .refine(({ material, changes }) => !material || changes.length > 0, {
    path: ['changes'],
    message: 'a material change must say what changes',
  })
  .meta({ id: 'NewPolicy' })

const time = z.iso.datetime()
const policyState = enumeration('PolicyState', 'Whether a version of the privacy policy counts', {
  coming: 'Posted; takes effect at `effectiveAt`',
  in_force: 'The version that counts now',
  superseded: 'Replaced by a later version',
  withdrawn: 'Taken back before it took effect',
})
const noticeState = enumeration('PolicyNoticeState', 'Why a mail about a policy has not reached an account', {
  failed: 'The mail was refused for good or given up',
  bounced: 'The mail came back',
})
export const policySummary = z
  .object({
    version: z.string(),
    title: z.string(),
    state: policyState.schema,
    material: z.boolean(),
    changes: z.array(z.string()),
    postedAt: time,
    effectiveAt: time,
    movedFrom: time.nullable().describe('the date that was announced first, if it had to move'),
    endedAt: time.nullable().describe('when it was superseded, or withdrawn before it took effect'),
    forNewcomers: z.boolean().describe('whether a sign-up accepts this version now'),
  })
  .meta({ id: 'PolicySummary' })

export const policyDetails = policySummary.extend({ text: z.string() }).meta({ id: 'Policy' })

const count = z.int().nonnegative()
export const policyNotices = z
  .object({
    notices: z.array(
      z.object({
        notice: z
          .string()
          .describe('`announced`, `moved:<n>` or `withdrawn`; `again` and `withdrawn:again`: to a corrected address'),
        sent: count,
        waiting: count.describe('mails that wait for a retry'),
        failed: count.describe(
          'mails that were refused for good or given up: only the policy page announces the change to these accounts',
        ),
        bounced: count.describe('mails that bounced: only the policy page announces the change to these accounts'),
      }),
    ),
    unreached: z.object({
      items: z.array(z.object({ accountId: z.uuid(), state: noticeState.schema, code: z.string().nullable() })),
      nextCursor: z.string().nullable(),
    }),
  })
  .meta({ id: 'PolicyNotices' })
