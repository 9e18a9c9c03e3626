import { day, moment } from '../../../mails/format.ts'
import type { TimelineEntry } from '../../views/timeline/timeline-entry.ts'
import { Table } from './parts.tsx'
import { runLink, type TemporalUi } from './temporal-links.ts'

export function Timeline({
  entries,
  ui,
  operators,
}: {
  /** with the order that each is about, where they are of several */
  entries: readonly (TimelineEntry & { orderId?: string | null })[]
  ui: TemporalUi
  operators: ReadonlyMap<string, string>
}) {
  // Without the Web UI no entry leads to its run, and an empty column takes the width of the words.
  const hasRuns = ui.url !== undefined
  return (
    <Table heads={['When', 'Who', 'What', ...(hasRuns ? ['Run'] : [])]} stacks>
      {entries.map(({ at, dayOnly, source, actor, words, isFault, workflowId, orderId }) => {
        const link = workflowId === null ? undefined : runLink(ui, workflowId)
        return (
          <tr key={`${at.toISOString()} ${source} ${orderId ?? ''} ${words}`}>
            <td className="when">
              <time dateTime={at.toISOString()}>{dayOnly ? day(at) : moment(at)}</time>
            </td>
            <td>{operators.get(actor) ?? actor}</td>
            <td className={isFault ? 'what broken' : 'what'}>
              {orderId ? (
                <>
                  <a href={`/console/orders/${orderId}`}>{orderId.slice(0, 8)}</a>:{' '}
                </>
              ) : null}
              {words}
            </td>
            {hasRuns ? (
              <td>
                {link ? (
                  <a href={link} aria-label={`Run ${workflowId}`}>
                    run
                  </a>
                ) : null}
              </td>
            ) : null}
          </tr>
        )
      })}
    </Table>
  )
}
