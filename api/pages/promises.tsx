/** The page of every promise, with the figures that show whether it is kept. */
import { moment } from '../../mails/format.ts'
import type { EvidenceView } from '../evidence/evidence-view.ts'
import { type ConsoleFrame, renderConsolePage } from './console/frame.tsx'
import { WideTable } from './form.tsx'

export function renderPromises(frame: ConsoleFrame, { readAt, promises }: EvidenceView): string {
  return renderConsolePage(frame, {
    part: '/console/promises',
    title: 'What we promised',
    children: (
      <>
        <p>Read from the live system: {moment(new Date(readAt))}.</p>
        <WideTable label="Promises" heads={['Promise', 'Kept by', 'Shown by', 'Status']}>
          {promises.map((promise) => (
            <tr key={promise.id}>
              <th scope="row">{promise.id}</th>
              <td>
                {promise.sentence}
                <br />
                <span className="quiet">
                  kept by <code>{promise.keptBy}</code>, proven by <code>{promise.provenBy.file}</code>
                </span>
              </td>
              <td>
                {promise.figures.map((figure) => (
                  <div key={figure.meaning}>
                    <span className={figure.status}>{figure.value ?? 'unreadable'}</span> {figure.unit}:{' '}
                    {figure.meaning}
                    {figure.detail ? <span className="quiet"> ({figure.detail})</span> : null}
                  </div>
                ))}
              </td>
              <td className={promise.status}>{promise.status}</td>
            </tr>
          ))}
        </WideTable>
      </>
    ),
  })
}
