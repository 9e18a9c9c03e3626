/** An entry of a timeline: what happened, when, and who did it. */
import { z } from 'zod'
import { plain } from '../plain.ts'

const timelineSources = [
  'order',
  'payment',
  'provider',
  'esim',
  'mail',
  'push',
  'document',
  'refund',
  'dispute',
  'withdrawal',
  'operator',
  'task',
  'event',
  'account',
  'privacy request',
] as const

export const timelineEntry = z
  .object({
    at: z.iso.datetime(),
    dayOnly: z.boolean().describe('only the day is known'),
    source: z.enum(timelineSources),
    actor: z.string().describe('`customer`, `us`, an outside party, or `operator:` and an id'),
    words: z.string(),
    isFault: z.boolean().describe('something did not work'),
    workflowId: z.string().nullable().describe('the run that did it'),
  })
  .meta({ id: 'TimelineEntry' })

export interface TimelineEntry {
  at: Date
  dayOnly: boolean
  source: (typeof timelineSources)[number]
  actor: string
  words: string
  isFault: boolean
  workflowId: string | null
}

export type Entry = Pick<TimelineEntry, 'source' | 'actor' | 'words'> & {
  at: Date | null
  dayOnly?: boolean
  isFault?: boolean
  workflowId?: string | null
}

/** The entries with a time, the oldest first. @param run the id of the run of entries that name none */
export function inOrderOfTime(entries: readonly Entry[], run: string | null): TimelineEntry[] {
  return entries
    .flatMap(({ at, dayOnly = false, isFault = false, workflowId = run, ...entry }) =>
      at === null ? [] : [{ ...entry, at, dayOnly, isFault, workflowId }],
    )
    .sort((a, b) => a.at.getTime() - b.at.getTime())
}

/** A code behind a colon, in words; nothing without a code. */
export const because = (reason: string | null): string => (reason === null ? '' : `: ${plain(reason)}`)
