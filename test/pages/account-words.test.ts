/** Words of a person's pages that come from another party's values. */
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { mailName } from '../../api/pages/account/order-words.ts'
import { SavedCards } from '../../api/pages/account/saved-cards.tsx'
import { textsOf } from '../../messages/texts.ts'

test('a saved card is named as its brand writes itself, and one of an unknown brand is a card', () => {
  const of = ['visa', 'amex', 'unionpay', 'unknown', 'toString'].map((brand) => ({
    cardId: `pm_${brand}`,
    brand,
    last4: '4242',
    expires: { month: 3, year: 2031 },
  }))
  const html = renderToStaticMarkup(createElement(SavedCards, { of, csrf: 'token', texts: textsOf('de') }))
  const names = [...html.matchAll(/<span>(.*?) ••••/g)].map(([, name]) => name)
  expect(names).toEqual(['Visa', 'American Express', 'UnionPay', 'Karte', 'Karte'])
})

test('a mail of a partial refund is one of a refund, and what a later version has sent is about the order', () => {
  const occasions = [
    'confirmation',
    'partial_refund_refunded',
    'partial_refund_failed',
    'apology',
    'of_later',
    'toString',
  ]
  expect(occasions.map(mailName)).toEqual(['confirmation', 'refunded', 'refund_failed', 'apology', 'other', 'other'])
})
