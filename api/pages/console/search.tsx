import type { Found, SearchForm } from '../../../db/operator/search.ts'
import { moment } from '../../../mails/format.ts'
import { privacyReference } from '../../../policy/privacy-reference.ts'
import { plain } from '../../views/plain.ts'
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
  customer: 'a customer at Stripe',
  provider_order: 'the number of an order at an eSIM provider',
  account_ref: 'the AccountRef of a run',
  privacy_request: 'the reference of a privacy request (PR-...)',
}

const folders: Readonly<Record<Found['kind'], string>> = {
  order: 'orders',
  account: 'accounts',
  privacy_request: 'privacy-requests',
}

export const pageOfFound = ({ kind, id }: Found): string => `/console/${folders[kind]}/${id}`

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
        <Table heads={['What', 'Found by', 'More']} stacks>
          {found.map((each) => (
            <tr key={each.id}>
              <td className="what short">
                <a href={pageOfFound(each)}>
                  {plain(each.kind)} {each.kind === 'privacy_request' ? privacyReference(each.id) : each.id}
                </a>
              </td>
              <td>by {formNames[each.by]}</td>
              <td>
                <More of={each} />
              </td>
            </tr>
          ))}
        </Table>
      ),
  })
}

function More({ of }: { of: Found }) {
  if (of.kind === 'account') return null
  if (of.kind === 'order') return `${of.order.packageName}, ${plain(of.order.status)}, ${moment(of.order.createdAt)}`
  return (
    <>
      {of.request.kind}, {of.request.state}, answer by {moment(of.request.answerBy)}
      {of.accountId === null ? (
        ', of somebody without an account'
      ) : (
        <>
          , of <a href={`/console/accounts/${of.accountId}`}>account {of.accountId.slice(0, 8)}</a>
        </>
      )}
    </>
  )
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
