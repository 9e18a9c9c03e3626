/** The cards that Stripe keeps for a person, each with the button that deletes it. */
import type { Texts } from '../../../messages/texts.ts'
import type { SavedCard } from '../../../providers/stripe/hosted.ts'
import { Form } from '../form.tsx'
import { Card } from './frame.tsx'

interface SavedCardsProps {
  /** undefined: Stripe does not answer */
  of: readonly SavedCard[] | undefined
  csrf: string
  texts: Texts
}

/** As their owners write them, by Stripe's names: https://docs.stripe.com/api/payment_methods/object */
const brandNames: ReadonlyMap<string, string> = new Map([
  ['amex', 'American Express'],
  ['cartes_bancaires', 'Cartes Bancaires'],
  ['diners', 'Diners Club'],
  ['discover', 'Discover'],
  ['eftpos_au', 'eftpos Australia'],
  ['jcb', 'JCB'],
  ['link', 'Link'],
  ['mastercard', 'Mastercard'],
  ['unionpay', 'UnionPay'],
  ['visa', 'Visa'],
])

export function SavedCards({ of, csrf, texts: { t } }: SavedCardsProps) {
  return (
    <Card title={t('account.cards.title')}>
      {of === undefined ? <p className="notice">{t('account.cards.unknown')}</p> : null}
      {of?.length === 0 ? <p>{t('account.cards.none')}</p> : null}
      <ul className="rows">
        {of?.map(({ cardId, brand, last4, expires: { month, year } }) => {
          const name = t('account.cards.card', {
            brand: brandNames.get(brand) ?? t('account.cards.other'),
            last4,
            expires: `${String(month).padStart(2, '0')}/${year}`,
          })
          return (
            <li key={cardId} className="head">
              <span>{name}</span>
              <Form action={`/account/cards/${cardId}/remove`} csrf={csrf} inline>
                <button type="submit" className="plain" aria-label={`${t('account.cards.remove')}: ${name}`}>
                  {t('account.cards.remove')}
                </button>
              </Form>
            </li>
          )
        })}
      </ul>
      <p className="quiet">{t('account.cards.text')}</p>
    </Card>
  )
}
