/** Bulk actions: their list, and the form that selects orders for one. */
import type { BulkActions } from '../../../db/connection/schema.ts'
import { moment } from '../../../mails/format.ts'
import { esimProviderIds } from '../../../policy/outside-parties.ts'
import type { BulkAct } from '../../../workflows/order/bulk-action.contract.ts'
import { orderStates } from '../../../workflows/order/order-states.ts'
import { partyName } from '../../views/plain.ts'
import { Choice, FaultSummary, Field, Form } from '../form.tsx'
import { operatorForm, ReasonField } from './act.tsx'
import { actWords, operatorName } from './bulk-action.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { choicesOf, counted, Section, Table } from './parts.tsx'

/** The states in which an order has been paid. */
const paidStates = Object.entries(orderStates)
  .filter(([, { customerHas }]) => customerHas !== 'paid nothing')
  .map(([status]) => status)

export interface BulkActionsPage {
  /** of all, not of the page */
  count: number
  actions: readonly BulkActions[]
  operators: ReadonlyMap<string, string>
  /** those that the role permits */
  acts: readonly BulkAct[]
  typed: {
    once: string
    reason: string
    faults: readonly { field: string; reason: string }[]
    fields: {
      act: string
      status: string
      provider: string
      paidFrom: string
      paidUntil: string
      sameOrdersAs: string
      limit: string
    }
  }
  next: string | null
}

export function renderBulkActions(frame: ConsoleFrame, page: BulkActionsPage): string {
  const { typed, acts, operators } = page
  const state = operatorForm({ ...typed.fields, reason: typed.reason }, typed.faults)
  const text = (name: keyof typeof typed.fields, label: string, placeholder?: string) => (
    <Field name={name} label={label} {...(placeholder && { placeholder })} autoComplete="off" state={state} />
  )
  return renderConsolePage(frame, {
    part: '/console/bulk-actions',
    title: 'Bulk actions',
    hasFault: state.hasFault,
    children: (
      <>
        <FaultSummary of={state.hasFault ? state : undefined} />
        {acts.length === 0 ? null : (
          <section>
            <h2>Select orders</h2>
            <p>Nothing is done to them yet: the next page shows their number and sum.</p>
            <Form action="/console/bulk-actions" csrf={frame.csrf}>
              <input type="hidden" name="once" value={typed.once} />
              <Choice name="act" label="Act" options={choicesOf(acts, (act) => actWords[act].label)} state={state} />
              <ul className="quiet">
                {acts.map((act) => (
                  <li key={act}>
                    {actWords[act].label}: {actWords[act].does}
                  </li>
                ))}
              </ul>
              <div className="pairs">
                <Choice
                  name="status"
                  label="Orders that are"
                  options={{ '': 'in any state, paid', ...choicesOf(paidStates) }}
                  state={state}
                />
                <Choice
                  name="provider"
                  label="Provider that was asked"
                  options={{ '': 'any or none', ...choicesOf(esimProviderIds, partyName) }}
                  state={state}
                />
                {text('paidFrom', 'Paid from (UTC)', '2026-11-29 07:00')}
                {text('paidUntil', 'Paid until (UTC)', '2026-11-29 09:00')}
                {text('sameOrdersAs', 'Same orders as the bulk action', 'its id')}
                {text('limit', 'Limit, at most')}
              </div>
              <ReasonField state={state} />
              <button type="submit">Select</button>
            </Form>
          </section>
        )}
        <Section title="Bulk actions" count={page.count} shown={page.actions.length} order="the newest first">
          <Table heads={['When', 'Act', 'Orders', 'State', 'Who', 'Why']} stacks>
            {page.actions.map((action) => (
              <tr key={action.id}>
                <td className="what short">
                  <a href={`/console/bulk-actions/${action.id}`}>{moment(action.prepared_at)}</a>
                </td>
                <td>{action.act}</td>
                <td className="amount">{counted(action.order_count, 'order')}</td>
                <td>{action.state}</td>
                <td>{operatorName(operators, action.started_by ?? action.prepared_by)}</td>
                <td>{action.reason}</td>
              </tr>
            ))}
          </Table>
        </Section>
        {page.next ? (
          <p>
            <a href={page.next}>Older ones</a>
          </p>
        ) : null}
      </>
    ),
  })
}
