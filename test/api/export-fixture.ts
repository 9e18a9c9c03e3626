/** A person with every field that an export can have, and long histories. */
import { randomUUID } from 'node:crypto'
import type { ApiContext } from '../../context.ts'
import type { Policies, SealedColumns } from '../../db/connection/schema.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'

export interface FilledPerson {
  accountId: string
  /** random texts that occur nowhere else */
  canary: string
}

/** Fills the fields that sign-up leaves empty, and inserts one row of each other table. */
export async function fillPerson(api: ApiContext, accountId: string): Promise<FilledPerson> {
  const { sql, cipher, dataKeys } = api
  const key = await dataKeys.get(sql, accountId)
  const seal = <Table extends keyof SealedColumns>(table: Table, column: SealedColumns[Table], text: string) =>
    tableEncryption(cipher, key, table).seal(column, text)
  const system = tableEncryption(cipher, await dataKeys.system(sql), 'security_log')
  const canary = randomUUID()
  const at = new Date()
  const blind = () => cipher.blindIndex('test', randomUUID())
  const [orderId, topUpId, esimId] = [randomUUID(), randomUUID(), randomUUID()]

  await sql`update accounts set ${sql({
    phone: seal('accounts', 'phone', '+491701234567'),
    sign_up_ip: seal('accounts', 'sign_up_ip', '203.0.113.7'),
    last_login_ip: seal('accounts', 'last_login_ip', '203.0.113.8'),
    firebase_uid: seal('accounts', 'firebase_uid', `uid ${canary}`),
    firebase_uid_index: blind(),
    promotions: true,
  })} where id = ${accountId}`
  await sql`insert into consents ${sql({ account_id: accountId, purpose: 'promotions', granted: true, source: 'web', at })}`
  await sql`insert into identities ${sql({
    account_id: accountId,
    provider: 'apple',
    subject: seal('identities', 'subject', `subject ${canary}`),
    subject_index: blind(),
    client_id: 'app',
    refresh_token: seal('identities', 'refresh_token', `SECRET ${canary}`),
    linked_at: at,
  })}`
  await sql`insert into devices ${sql({
    account_id: accountId,
    device_index: blind(),
    device_id: seal('devices', 'device_id', `device ${canary}`),
    platform: 'ios',
    push_token: seal('devices', 'push_token', `push ${canary}`),
    push_token_index: blind(),
    app_version: seal('devices', 'app_version', '4.2.0'),
    model: seal('devices', 'model', 'iPhone17,1'),
    os_version: seal('devices', 'os_version', '18.1'),
    app_instance_id: seal('devices', 'app_instance_id', `instance ${canary}`),
    seen_at: at,
  })}`
  for (const id of [orderId, topUpId]) {
    await sql`insert into orders ${sql({
      id,
      account_id: accountId,
      parent_order_id: id === topUpId ? orderId : null,
      esim_id: id === topUpId ? esimId : null,
      request_hash: blind(),
      package_code: 'de-1gb',
      package_name: 'Germany, 1 GB',
      destination: 'DE',
      quantity: 1,
      data_bytes: 1_000_000_000,
      days: 7,
      gross_minor: 500,
      currency: 'EUR',
      status: 'ended',
      reason: 'returned_unused',
      payment_intent_id: `pi_${id}`,
      payment_client_secret: seal('orders', 'payment_client_secret', `SECRET ${canary}`),
      payment_kind: 'card',
      ad_user_data: true,
      ad_personalization: true,
      install_token: seal('orders', 'install_token', `SECRET ${canary}`),
      install_token_index: blind(),
      created_at: at,
      payment_due_at: at,
      paid_at: at,
      delivered_at: at,
      ended_at: at,
      ip_country: 'DE',
      card_country: 'DE',
      performance_consent: '2026-06-19',
      performance_consent_at: at,
    })}`
  }
  const name = seal('withdrawals', 'name', `consumer ${canary}`)
  await sql`insert into withdrawals ${sql({ order_id: orderId, name, statement: 'I withdraw.', opened_at: at, stated_at: at })}`
  await sql`insert into esims ${sql({
    id: esimId,
    order_id: orderId,
    provider: 'airalo',
    esim_ref: seal('esims', 'esim_ref', 'ref'),
    esim_ref_index: blind(),
    iccid: seal('esims', 'iccid', `iccid ${canary}`),
    activation_code: seal('esims', 'activation_code', `LPA:1$rsp.example.com$${canary}`),
    confirmation_code: seal('esims', 'confirmation_code', '4711'),
    state: 'expired',
    total_bytes: 1_000_000_000,
    used_bytes: 12,
    activated_at: at,
    unused_until: at,
    expires_at: at,
    checked_at: at,
  })}`
  const refund = { refund_key: randomUUID(), amount_minor: 500, state: 'succeeded', reason: 'returned_unused' }
  await sql`insert into refunds ${sql({ order_id: orderId, ...refund, created_at: at })}`
  const asked = { amount_minor: 500, currency: 'EUR', reason: 'general' }
  const dispute = { stripe_dispute_id: `du_${randomUUID()}`, state: 'won', ...asked, opened_at: at, closed_at: at }
  await sql`insert into disputes ${sql({ order_id: orderId, ...dispute })}`
  const noticed = { kind: 'payment_declined', source: `evt_${canary}`, at, detail: 'SECRET rule' }
  await sql`insert into order_history ${sql({ order_id: orderId, ...noticed })}`
  await sql`insert into sign_in_events ${sql({ account_id: accountId, provider: 'apple', topic: 'email', at })}`
  const note = { note: 'called the bank', note_by: 'operator:SECRET', noted_at: at }
  const settled = { resolved_at: at, resolved_by: 'operator:SECRET' }
  await sql`insert into attention ${sql({
    id: randomUUID(),
    kind: 'refund_failed',
    subject_id: orderId,
    detail: 'refund_bounced',
    opened_at: at,
    ...note,
    ...settled,
  })}`
  await sql`insert into operator_acts ${sql({
    id: randomUUID(),
    account_id: accountId,
    order_id: orderId,
    act: 'order.refund',
    operator: 'operator:SECRET',
    reason: 'the bank has said so',
    amount_minor: 500,
    state: 'done',
    asked_at: at,
    done_at: at,
  })}`
  await insertDocument(api, orderId, `T-${canary}`, null, at)
  await insertDocument(api, orderId, `TC-${canary}`, `T-${canary}`, at)
  const send = { kind: 'mail:confirmation', state: 'sent', attempts: 1, first_at: at }
  await sql`insert into sends ${sql({ subject_id: orderId, account_id: accountId, ...send })}`
  await sql`insert into email_changes ${sql({
    id: randomUUID(),
    account_id: accountId,
    old_email: seal('email_changes', 'old_email', `old-${canary}@people.example`),
    new_email: seal('email_changes', 'new_email', `new-${canary}@people.example`),
    state: 'changed',
    requested_at: at,
    old_confirmed_at: at,
    new_confirmed_at: at,
    expires_at: at,
    ended_at: at,
  })}`
  const [policy] = await sql<Pick<Policies, 'version'>[]>`select version from policies limit 1`
  const notice = {
    version: policy?.version ?? '',
    notice: 'announced',
    state: 'sent',
    attempts: 1,
    message_ref: canary,
  }
  await sql`insert into policy_deliveries ${sql({
    ...notice,
    account_id: accountId,
    told_for: at,
    claimed_at: at,
    sent_at: at,
  })}`
  const campaign = { id: randomUUID(), subject: `Offer ${canary}`, paragraphs: ['Cheap.'], created_by: 'test' }
  await sql`insert into campaigns ${sql({ ...campaign, created_at: at })}`
  const delivery = { campaign_id: campaign.id, account_id: accountId, state: 'sent', at }
  await sql`insert into campaign_deliveries ${sql(delivery)}`
  await sql`insert into privacy_requests ${sql({
    id: randomUUID(),
    account_id: accountId,
    kind: 'access',
    message: seal('privacy_requests', 'message', `question ${canary}`),
    reply_to: seal('privacy_requests', 'reply_to', `other-${canary}@people.example`),
    reply_to_index: blind(),
    state: 'answered',
    received_at: at,
    answer_by: at,
    extended_because: 'complexity',
    answer_kind: 'granted',
    answer: seal('privacy_requests', 'answer', `answer ${canary}`),
    answered_at: at,
  })}`
  await sql`insert into security_log ${sql({ at, kind: 'sign_in', actor: 'person', account_id: accountId, ip: system.seal('ip', '203.0.113.9') })}`
  return { accountId, canary }
}

async function insertDocument(
  { sql }: ApiContext,
  orderId: string,
  number: string,
  corrects: string | null,
  at: Date,
): Promise<void> {
  const day = at.toISOString().slice(0, 10)
  await sql`insert into invoices ${sql({
    number,
    series: number,
    sequence: 1,
    kind: corrects ? 'credit_note' : 'invoice',
    issued_on: day,
    supplied_on: day,
    seller: 'Us',
    description: 'Germany, 1 GB',
    destination: 'DE',
    quantity: 1,
    net_minor: 424,
    tax_minor: 76,
    gross_minor: 500,
    tax_rate_bps: 1800,
    currency: 'EUR',
    payment_kind: 'card',
    corrects,
  })}`
  await sql`insert into invoice_links ${sql({ order_id: orderId, document_key: corrects ?? 'invoice', number })}`
}

/** Inserts a number of orders, each with an eSIM and a message, by one statement for each table. */
export async function fillHistory(api: ApiContext, accountId: string, orders: number): Promise<void> {
  const { sql, cipher, dataKeys } = api
  const esims = tableEncryption(cipher, await dataKeys.get(sql, accountId), 'esims')
  const sealed = { code: esims.seal('activation_code', 'LPA:1$rsp.example.com$X'), iccid: esims.seal('iccid', '89') }
  await sql`
    insert into orders (id, account_id, request_hash, package_code, package_name, destination, quantity, days,
      gross_minor, currency, status, created_at, payment_due_at)
    select gen_random_uuid(), ${accountId}, '', 'de-1gb', 'Germany, 1 GB', 'DE', 1, 7, 500, 'EUR', 'unpaid',
      timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-01-01'
    from generate_series(1, ${orders}) n`
  await sql`
    insert into esims (id, order_id, provider, esim_ref, esim_ref_index, iccid, activation_code, state, checked_at)
    select gen_random_uuid(), id, 'airalo', ${sealed.iccid}, id::text::bytea, ${sealed.iccid}, ${sealed.code}, 'new',
      created_at
    from orders where account_id = ${accountId}`
  await sql`
    insert into sends (subject_id, kind, account_id, state, first_at)
    select id, 'mail:confirmation', account_id, 'sent', created_at from orders where account_id = ${accountId}`
}
