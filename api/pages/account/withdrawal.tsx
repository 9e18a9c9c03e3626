/** The second step of a withdrawal: what it says and leads to, and the button that makes it (policy/withdrawal.ts). */
import type { Money } from '../../../policy/currency.ts'
import type { RefusedForm } from '../../http/route.ts'
import { longestWholeName } from '../../views/account-fields.ts'
import { Facts, FaultSummary, Field, Form, formState } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'

export interface WithdrawalPage {
  csrf: string
  refused: RefusedForm | undefined
  withdrawal: {
    orderId: string
    statement: string
    name: string
    confirmationBy: { address: string }
    refund: Money
    /** of its eSIMs */
    quantity: number
    possibleUntil: string
  }
}

export function renderWithdrawal({ csrf, refused, withdrawal }: WithdrawalPage, page: PageContext): string {
  const { texts } = page
  const { t, money, moment } = texts
  const path = `/account/orders/${withdrawal.orderId}`
  const state = refused && formState(texts, refused, { name: t('account.ask.name') })
  return renderLayout({
    ...page,
    title: t('purchase.withdrawal.title'),
    back: { href: path, label: t('purchase.withdrawal.back') },
    hasFault: refused !== undefined,
    children: (
      <>
        <FaultSummary of={state} />
        <section className="card">
          <p>{t('purchase.withdrawal.meaning', { count: withdrawal.quantity })}</p>
          <Facts
            of={[
              [t('purchase.withdrawal.say'), withdrawal.statement],
              [t('purchase.withdrawal.getBack'), money(withdrawal.refund)],
              [t('purchase.withdrawal.confirmTo'), withdrawal.confirmationBy.address],
              [t('purchase.withdrawal.until'), moment(new Date(withdrawal.possibleUntil))],
            ]}
          />
          <Form action={`${path}/withdrawal/confirm`} csrf={csrf}>
            <Field
              name="name"
              label={t('purchase.withdrawal.name')}
              value={withdrawal.name}
              state={state}
              autoComplete="name"
              required
              maxLength={longestWholeName}
            />
            <button type="submit" className="danger">
              {t('purchase.withdrawal.confirm')}
            </button>
          </Form>
        </section>
      </>
    ),
  })
}
