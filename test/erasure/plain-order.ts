import type { NewOrder } from '../../db/order/orders.ts'

/** An order of one package, as the checkout stores it: unpaid, without a secret of the payment. */
export const plainOrder = ({
  id,
  accountId,
  at,
  ...columns
}: { id: string; accountId: string; at: Date } & Partial<NewOrder>): NewOrder => ({
  id,
  account_id: accountId,
  parent_order_id: null,
  esim_id: null,
  ip_country: null,
  performance_consent: null,
  performance_consent_at: null,
  package_code: 'any',
  package_name: 'Any',
  destination: 'DE',
  quantity: 1,
  data_bytes: null,
  days: 7,
  gross_minor: 500,
  currency: 'EUR',
  payment_intent_id: `pi_${id}`,
  checkout_session_id: null,
  payment_client_secret: null,
  customer_session_secret: null,
  ad_user_data: false,
  ad_personalization: false,
  measurement_event_id: null,
  created_at: at,
  payment_due_at: at,
  ...columns,
})
