/** An order in the API's different replies. */

import { showSim } from './sims.ts'
import type { Order } from './store.ts'
import { apiTime } from './wire.ts'

/** The reply to a placed order; it repeats the form's numbers as strings. */
export function showPlaced(order: Order, form: { quantity?: string | undefined; brand?: string | null }) {
  const { package: sold } = order
  return {
    ...showFacts(order),
    quantity: form.quantity ?? 1,
    validity: sold.day,
    price: sold.price,
    net_price: sold.net_price,
    pricing_model: 'net_pricing',
    text: null,
    voice: null,
    brand_settings_name: form.brand ?? '',
    sims: order.sims.map(showSim),
  }
}

/** An order in a list: numbers are strings, and related data is included only on request. */
export function showListed(order: Order, include: string): Record<string, unknown> {
  const { package: sold } = order
  const shown = {
    ...showFacts(order),
    quantity: order.quantity,
    validity: String(sold.day),
    price: sold.price.toFixed(2),
    net_price: sold.net_price.toFixed(2),
  }
  const sims = include.includes('sims') ? { sims: order.type === 'sim' ? order.sims.map(showSim) : [] } : {}
  const status = { name: statusNames[order.status], slug: order.status }
  return { ...shown, ...sims, ...(include.includes('status') ? { status } : {}) }
}

const statusNames = { completed: 'Completed', partially_refunded: 'Partially refunded', refunded: 'Refunded' } as const

const showFacts = (order: Order) => ({
  id: order.id,
  code: order.code,
  created_at: apiTime(order.createdAt),
  type: order.type,
  description: order.description,
  package_id: order.package.id,
  package: `${order.operator.title}-${order.package.title}`,
  esim_type: 'Prepaid',
  data: order.package.data,
  currency: 'USD',
  manual_installation: '<p>Enter the address and the code.</p>',
  qrcode_installation: '<p>Scan the code.</p>',
  installation_guides: { en: 'https://airalo.com/help' },
})
