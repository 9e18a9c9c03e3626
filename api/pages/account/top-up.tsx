/** The top-ups that an eSIM takes, each with the button that orders it. */

import type { Package } from '../../../db/catalogue/packages.ts'
import { numberOrNull } from '../../../db/connection/bigints.ts'
import { consentsInForce, performanceConsents } from '../../../policy/withdrawal.ts'
import type { RefusedForm } from '../../http/route.ts'
import { FaultSummary, Form, formState } from '../form.tsx'
import { type EsimLife, hasStarted, Usage, Validity } from '../install/esim-status.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { dataOf, type EsimPlace, esimName } from './order-words.ts'

export interface TopUpPage {
  csrf: string
  refused: RefusedForm | undefined
  esim: { id: string; place: EsimPlace; life: EsimLife; destination: string; days: number }
  /** the cheapest first; none when the eSIM cannot be topped up any more */
  offers: Package[]
  /** a new one for each page: a form that is sent twice is one order */
  once: string
}

export function renderTopUp({ csrf, refused, esim, offers, once }: TopUpPage, page: PageContext): string {
  const { texts } = page
  const { t } = texts
  const consent = consentsInForce[texts.language]
  const name = esimName(texts, esim.destination, esim.place)
  return renderLayout({
    ...page,
    title: t('purchase.topUp', { place: name }),
    back: { href: '/account', label: t('common.myEsims') },
    hasFault: refused !== undefined,
    children: (
      <>
        <FaultSummary of={refused && formState(texts, refused)} />
        <Validity texts={texts} esim={esim.life} days={esim.days} />
        {hasStarted(esim.life) ? <Usage texts={texts} esim={esim.life} name={name} /> : null}
        <p>{t(offers.length === 0 ? 'purchase.topUps.none' : 'purchase.topUps.text')}</p>
        {offers.length === 0 ? null : (
          <Form action={`/account/esims/${esim.id}/top-up`} csrf={csrf}>
            <input type="hidden" name="once" value={once} />
            <label className="choice">
              <input
                type="checkbox"
                name="performanceConsent"
                value={consent}
                defaultChecked={refused?.typed.performanceConsent === consent}
              />{' '}
              {performanceConsents[consent]}
            </label>
            {offers.map((offer) => (
              <Offer esimId={esim.id} offer={offer} page={page} key={offer.code} />
            ))}
          </Form>
        )}
        {offers.length === 0 ? null : <p className="quiet">{t('purchase.topUps.stripe')}</p>}
      </>
    ),
  })
}

/** A top-up with the button that orders it, at the price that it shows. */
function Offer({ esimId, offer, page }: { esimId: string; offer: Package; page: PageContext }) {
  const { t, money, validity } = page.texts
  const dataBytes = numberOrNull(offer.dataBytes)
  const name = t('purchase.topUps.offer', {
    amount: dataOf(page.texts, { dataBytes, daily: offer.daily }),
    days: validity(offer.days),
  })
  const price = money({ minor: offer.priceMinor, currency: offer.currency })
  return (
    <section className="card offer">
      <h2>{name}</h2>
      <p className="price">{price}</p>
      <button
        type="submit"
        name="packageCode"
        value={offer.code}
        formAction={`/account/esims/${esimId}/top-up?shown=${offer.priceMinor}-${offer.currency}`}
        aria-label={`${t('purchase.topUps.order')}: ${name}, ${price}`}
      >
        {t('purchase.topUps.order')}
      </button>
    </section>
  )
}

/**
 * Where a person comes back to from Stripe's page. Their session's cookie does not come with a link from another site.
 */
export function renderPaid(orderId: string, page: PageContext): string {
  const { t } = page.texts
  return renderLayout({
    ...page,
    title: t('purchase.back.title'),
    children: (
      <>
        <p>{t('purchase.back.text')}</p>
        <p>
          <a className="button" href={`/account/orders/${orderId}`}>
            {t('purchase.back.order')}
          </a>
        </p>
      </>
    ),
  })
}
