/** The privacy requests, the first due first. */
import {
  type PrivacyRequestFilter,
  privacyRequestFilters,
  privacyRequestKinds,
} from '../../../../db/privacy-requests.ts'
import { moment } from '../../../../mails/format.ts'
import { type ConsoleFrame, renderConsolePage } from '../frame.tsx'
import { Options, Table } from '../parts.tsx'

export interface ListedRequest {
  id: string
  reference: string
  kind: string
  state: string
  receivedAt: Date
  answerBy: Date
  late: boolean
}

export interface RequestsPage {
  state: PrivacyRequestFilter
  kind: string
  count: number
  items: readonly ListedRequest[]
  /** the address of the page after; null on the last one */
  next: string | null
}

export function renderRequests(frame: ConsoleFrame, { state, kind, count, items, next }: RequestsPage): string {
  return renderConsolePage(frame, {
    part: '/console/privacy-requests',
    title: `Privacy requests: ${state} (${count}${items.length < count ? `, ${items.length} shown` : ''})`,
    children: (
      <>
        <form method="get" action="/console/privacy-requests">
          <label>
            State
            <select name="state" defaultValue={state}>
              <Options of={privacyRequestFilters} words={(filter) => filter} />
            </select>
          </label>
          <label>
            About
            <select name="kind" defaultValue={kind}>
              <option value="">all</option>
              <Options of={privacyRequestKinds} words={(each) => each} />
            </select>
          </label>
          <button type="submit">Show</button>
        </form>
        <p>
          <a href="/console/enter-request">Enter one that came by phone, letter or mail</a>
        </p>
        {items.length === 0 ? <p className="quiet">Nothing.</p> : <RequestTable of={items} />}
        {next ? (
          <p>
            <a href={next}>Those due later</a>
          </p>
        ) : null}
      </>
    ),
  })
}

export function RequestTable({ of }: { of: readonly ListedRequest[] }) {
  return (
    <Table heads={['Request', 'About', 'Received', 'Answer']} stacks>
      {of.map((request) => (
        <tr key={request.id}>
          <td className="what short">
            <a href={`/console/privacy-requests/${request.id}`}>{request.reference}</a>
          </td>
          <td>{request.kind}</td>
          <td>{moment(request.receivedAt)}</td>
          <td className={request.late ? 'broken' : undefined}>
            {request.late ? 'LATE, was due by' : request.state === 'answered' ? 'was due by' : 'by'}{' '}
            {moment(request.answerBy)}
          </td>
        </tr>
      ))}
    </Table>
  )
}
