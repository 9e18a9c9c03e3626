/** The second step of a withdrawal: what it says and leads to, and the button that makes it (policy/withdrawal.ts). */
import { moment, money } from '../../../mails/format.ts'
import type { RefusedForm } from '../../http/route.ts'
import { Facts, FaultSummary, Field, Form, formState } from '../form.tsx'
import { renderLayout } from '../layout.tsx'

export interface WithdrawalPage {
  supportMail: string
  csrf: string
  refused: RefusedForm | undefined
  withdrawal: {
    orderId: string
    statement: string
    name: string
    confirmationBy: { address: string }
    meaning: string
    confirmLabel: string
    refund: { minor: number; currency: string }
    possibleUntil: string
  }
}

const asks = { name: 'Write your name, with 100 characters at most.' } as const

export function renderWithdrawal({ supportMail, csrf, refused, withdrawal }: WithdrawalPage): string {
  const path = `/account/orders/${withdrawal.orderId}`
  const state = refused && formState(refused, asks)
  return renderLayout({
    title: 'Withdraw from the contract',
    supportMail,
    back: { href: path, label: 'Back to the order, without withdrawing' },
    hasFault: refused !== undefined,
    children: (
      <>
        <FaultSummary of={state} />
        <section className="card">
          <p>{withdrawal.meaning}</p>
          <Facts
            of={[
              ['You say', withdrawal.statement],
              ['You get back', money(withdrawal.refund)],
              ['We confirm it to', withdrawal.confirmationBy.address],
              ['Possible until', moment(new Date(withdrawal.possibleUntil))],
            ]}
          />
          <Form action={`${path}/withdrawal/confirm`} csrf={csrf}>
            <Field
              name="name"
              label="Your name"
              value={withdrawal.name}
              state={state}
              autoComplete="name"
              required
              maxLength={100}
            />
            <button type="submit" className="danger">
              {withdrawal.confirmLabel}
            </button>
          </Form>
        </section>
      </>
    ),
  })
}
