import type { Found, SearchForm } from '../../../db/operator/search.ts'
import { moment } from '../../../mails/format.ts'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { Table } from './parts.tsx'

const formNames: Readonly<Record<SearchForm, string>> = {
  email: 'an e-mail address',
  id: 'the id of an order, account, eSIM, privacy request or run',
  iccid: 'an ICCID',
  document: 'the number of an invoice or credit note',
  payment: 'a payment at Stripe',
  refund: 'a refund at Stripe',
  dispute: 'a dispute at Stripe',
  account_ref: 'the AccountRef of a run',
}

const pathOf = ({ kind, id }: Found): string => `/console/${kind}s/${id}`

export function renderSearch(
  frame: ConsoleFrame,
  { query, tried, found }: { query: string; tried: readonly SearchForm[]; found: readonly Found[] },
): string {
  return renderConsolePage(frame, {
    title: found.length === 0 ? 'Nothing found' : `${found.length} found`,
    search: query,
    children:
      found.length === 0 ? (
        <Tried forms={tried} />
      ) : (
        <Table heads={['What', 'Found by', 'Order']}>
          {found.map((each) => (
            <tr key={each.id}>
              <td>
                <a href={pathOf(each)}>
                  {each.kind} {each.id}
                </a>
              </td>
              <td>{formNames[each.by]}</td>
              <td>
                {each.order
                  ? `${each.order.packageName}, ${each.order.status.replaceAll('_', ' ')}, ${moment(each.order.createdAt)}`
                  : ''}
              </td>
            </tr>
          ))}
        </Table>
      ),
  })
}

function Tried({ forms }: { forms: readonly SearchForm[] }) {
  if (forms.length === 0) {
    return (
      <>
        <p>The text has none of the forms that can be found:</p>
        <ul>
          {Object.values(formNames).map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      </>
    )
  }
  return (
    <>
      <p>It was looked for as:</p>
      <ul>
        {forms.map((form) => (
          <li key={form}>{formNames[form]}</li>
        ))}
      </ul>
      <p className="quiet">What belonged to an erased person cannot be found.</p>
    </>
  )
}
