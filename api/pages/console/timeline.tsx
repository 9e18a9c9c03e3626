import { day, moment } from '../../../mails/format.ts'
import type { TimelineEntry } from '../../views/order-timeline.ts'
import { Table } from './parts.tsx'
import { runLink, type TemporalUi } from './temporal-links.ts'

export function Timeline({
  entries,
  ui,
  operators,
}: {
  entries: readonly TimelineEntry[]
  ui: TemporalUi
  operators: ReadonlyMap<string, string>
}) {
  return (
    <Table heads={['When', 'Who', 'What', 'Run']}>
      {entries.map(({ at, dayOnly, source, actor, words, isFault, workflowId }) => {
        const link = workflowId === null ? undefined : runLink(ui, workflowId)
        return (
          <tr key={`${at.toISOString()} ${source} ${words}`}>
            <td>
              <time dateTime={at.toISOString()}>{dayOnly ? day(at) : moment(at)}</time>
            </td>
            <td>{operators.get(actor) ?? actor}</td>
            <td className={isFault ? 'broken' : undefined}>{words}</td>
            <td>
              {link ? (
                <a href={link} aria-label={`Run ${workflowId}`}>
                  run
                </a>
              ) : null}
            </td>
          </tr>
        )
      })}
    </Table>
  )
}
