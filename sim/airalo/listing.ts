/** GET /packages: filters, pages, and the different shape of pages after the first. */
import type { Request } from 'express'
import type { AiraloPackage, Destination } from './catalogue.ts'
import { pageOf } from './paging.ts'

/** Adds prices in euros, at a fixed rate: the adapter must choose the currency and not take the first price. */
const priced = (each: AiraloPackage) => ({
  ...each,
  prices: {
    net_price: { EUR: Math.round(each.net_price * 92) / 100, USD: each.net_price },
    recommended_retail_price: { EUR: Math.round(each.price * 92) / 100, USD: each.price },
  },
})

export function listCatalogue(catalogue: Destination[], request: Request): Record<string, unknown> {
  const { query } = request
  const type = query['filter[type]']
  const country = query['filter[country]']
  const withTopUps = query.include === 'topup'
  const all = catalogue
    .filter(
      ({ country_code, operators }) =>
        (!type || (type === 'local') === (country_code !== '')) &&
        (!country ||
          operators.some(({ countries }) => countries.some((each) => each.country_code === country)) ||
          country_code === country),
    )
    .map((destination) => ({
      ...destination,
      operators: destination.operators.map((operator) => ({
        ...operator,
        packages: operator.packages.filter((each) => withTopUps || each.type === 'sim').map(priced),
      })),
    }))
  // Without a limit the reply contains the whole catalogue.
  const { page, perPage, slice } = query.limit ? pageOf(request, all) : { page: 1, perPage: all.length, slice: all }
  const first = (page - 1) * perPage
  return {
    pricing: { model: 'net_pricing', discount_percentage: 0 },
    // Airalo sends page 2 and later as an object with the position as key instead of an array.
    data: page === 1 ? slice : Object.fromEntries(slice.map((each, index) => [first + index, each])),
    meta: {
      message: 'success',
      current_page: page,
      last_page: Math.max(1, Math.ceil(all.length / Math.max(1, perPage))),
      per_page: String(perPage),
      total: all.length,
    },
  }
}
