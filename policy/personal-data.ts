/**
 * Every column of the database: its class, the promise that covers it, and what erasure does to it. A test compares the
 * list with the live schema in both directions; export and erasure are tested against it.
 */
import type { PromiseId } from './promises.ts'

export type DataClass =
  /** about a person */
  | 'personal'
  /** gives access to something */
  | 'secret'
  /** replaces personal data, which cannot be computed from it without a key */
  | 'pseudonym'
  /** links a row to a person, or to the person's record at an outside party */
  | 'link'
  /** about our business and no person */
  | 'business'
  /** needed to run the software */
  | 'technical'

/** `anonymous`: the column stays, and identifies nobody because its link to the person is deleted. */
export type OnErasure = 'delete' | 'keep' | 'anonymous'

/** Names of policy/periods.ts; `none` when the column is kept without a limit. */
export type KeptUntil = {
  period:
    | 'account'
    | 'privacyRequest'
    | 'stripeRedactionAfterDays'
    | 'books'
    | 'operatorRecords'
    | 'securityLog'
    | 'signInLinkMs'
    | 'webSession'
    | 'allowanceMs'
    | 'idempotencyKeysMs'
    | 'webhookDedupeMs'
    | 'endedSignInMs'
    | 'velocityAcrossAccounts'
    | 'erasedReferenceMs'
    | 'reconciliationsMs'
    | 'eventsMs'
    | 'none'
  why: string
}

export interface ColumnEntry {
  class: DataClass
  promise?: PromiseId
  /** encrypted under a data key: a column of domain `sealed` */
  sealed: boolean
  /** why a personal or secret column is not sealed */
  clearBecause?: string
  /** the field of the export that has it, or why none has (G5: everybody can take their data along) */
  export: string | { not: string }
  /** a text that may name the id of somebody's thing among other words */
  mentions?: true
  onErasure: OnErasure
  keptUntil: KeptUntil
}

/**
 * The owner of a row, and the column that has its id: an account, an order, any record of an account (the view
 * `owned_ids`), or a deletion's receipt. Erasure goes by this column only; the triggers `protect_living` use it, too.
 */
export interface Owner {
  is: 'account' | 'order' | 'subject' | 'receipt'
  column: string
}

type Column = Omit<ColumnEntry, 'onErasure' | 'keptUntil'>
type Table = { keptUntil: KeptUntil; columns: Record<string, Column> } & (
  | { onErasure: 'delete'; owner: Owner }
  | { onErasure: Exclude<OnErasure, 'delete'> }
)

const sealed = (promise: PromiseId, field: string): Column => ({
  class: 'personal',
  promise,
  sealed: true,
  export: field,
})
const clear = (promise: PromiseId, field: string, clearBecause: string): Column => ({
  class: 'personal',
  promise,
  sealed: false,
  clearBecause,
  export: field,
})
const bought = (field: string): Column =>
  clear('C3', `orders[].${field}`, 'says what was bought, and by an opaque id who')
const sealedSecret = (promise: PromiseId, not: string): Column => ({
  class: 'secret',
  promise,
  sealed: true,
  export: { not },
})
const blind = (of: string): Column => ({ class: 'pseudonym', sealed: false, export: { not: `a keyed hash of ${of}` } })
const pseudonym = (not: string): Column => ({ class: 'pseudonym', sealed: false, export: { not } })
const link = (to: string): Column => ({ class: 'link', sealed: false, export: { not: `an internal tie to ${to}` } })
const technical: Column = { class: 'technical', sealed: false, export: { not: 'says nothing about the person' } }
/** What runs and operators write of a thing, without personal data. */
const words: Column = { ...technical, mentions: true }
const business: Column = { class: 'business', sealed: false, export: { not: 'is about our trade' } }

/** What runs and operators write of a person's things, and the person is given. */
const aboutPerson = (field: string): Column => ({
  ...clear('G1', field, 'names nobody: operators are refused addresses and long numbers'),
  mentions: true,
})
const byUs: Column = { ...technical, export: { not: 'names who of us did it' } }

/** What operators have typed about our trade. */
const typedBusiness: Column = { ...business, mentions: true }

const ofTheBank: Column = {
  class: 'business',
  sealed: false,
  export: { not: 'is between the bank and us; the state of the dispute is in the export' },
}

const secretHash = { class: 'secret', sealed: false, clearBecause: 'a hash of 256 random bits' } as const

const ofAccount: Owner = { is: 'account', column: 'account_id' }
const ofOrder: Owner = { is: 'order', column: 'order_id' }

const withAccount: KeptUntil = { period: 'account', why: 'R1: as long as the account' }
const forTheBooks: KeptUntil = { period: 'books', why: 'R2: required by tax law' }
const whileUseful: KeptUntil = { period: 'none', why: 'holds no personal data' }

const proofOfErasure: KeptUntil = { period: 'none', why: 'R3: says that a person was erased, and not who' }
const onceErased = 'comes to be when the account is deleted'

const tables: Record<string, Table> = {
  data_keys: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      kek_id: technical,
      wrapped_key: {
        class: 'secret',
        promise: 'S1',
        sealed: false,
        clearBecause: 'is encrypted already, under a key-encryption key',
        export: { not: 'a key of ours' },
      },
    },
  },
  accounts: {
    onErasure: 'delete',
    owner: { is: 'account', column: 'id' },
    keptUntil: withAccount,
    columns: {
      id: clear('U1', 'account.id', 'an opaque id'),
      account_ref: blind('the id'),
      email: sealed('C1', 'account.email'),
      email_index: blind('the address'),
      first_name: sealed('C1', 'account.firstName'),
      last_name: sealed('C1', 'account.lastName'),
      phone: sealed('C2', 'account.phone'),
      sign_up_ip: sealed('C5', 'account.signUpIp'),
      last_login_ip: sealed('C5', 'account.lastLoginIp'),
      stripe_customer_id: link('the customer record at Stripe'),
      firebase_uid: sealed('C6', 'account.firebaseUid'),
      firebase_uid_index: blind('the Firebase user'),
      policy_version: clear('N1', 'account.policyVersion', 'the same for everybody of a time'),
      language: clear('C1', 'account.language', 'one of three words'),
      promotions: clear('U4', 'account.consents.promotions.granted', 'campaigns select by it'),
      signed_out_at: technical,
      mail_state: clear('C1', 'account.mailState', 'one of two words'),
      created_at: clear('U1', 'account.createdAt', 'a time by itself'),
      last_active_at: clear('R1', 'account.lastActiveAt', 'the inactivity sweep selects by it'),
      version: technical,
    },
  },
  consents: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      purpose: clear('U4', 'consents[].purpose', 'the same for everybody'),
      granted: clear('U4', 'consents[].granted', 'a yes or no by an opaque id'),
      source: clear('U4', 'consents[].source', 'one of a few words'),
      at: clear('U4', 'consents[].at', 'a time by itself'),
    },
  },
  identities: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      provider: clear('C6', 'identities[].provider', 'Apple or Google'),
      subject: sealed('C6', 'identities[].subject'),
      subject_index: blind('the Apple or Google user'),
      client_id: technical,
      refresh_token: sealedSecret('G3', 'lets its holder act for our app at Apple; kept to be revoked'),
      linked_at: clear('C6', 'identities[].linkedAt', 'a time by itself'),
    },
  },
  sign_in_events: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      provider: clear('C6', 'signInEvents[].provider', 'Apple or Google'),
      topic: clear('C6', 'signInEvents[].topic', 'one of two words'),
      at: clear('C6', 'signInEvents[].at', 'a time by itself'),
    },
  },
  ended_sign_ins: {
    onErasure: 'keep',
    keptUntil: { period: 'endedSignInMs', why: 'a token that was made before the deletion must not sign up again' },
    columns: { user_hash: blind('the Firebase user'), ended_at: technical },
  },
  devices: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      device_index: blind('the device identifier'),
      device_id: sealed('C4', 'devices[].deviceId'),
      platform: clear('C5', 'devices[].platform', 'one of two words, by which messages are made'),
      push_token: sealed('C4', 'devices[].pushToken'),
      push_token_index: blind('the push token'),
      app_version: sealed('C5', 'devices[].appVersion'),
      model: sealed('C5', 'devices[].model'),
      os_version: sealed('C5', 'devices[].osVersion'),
      app_instance_id: sealed('P3', 'devices[].appInstanceId'),
      seen_at: clear('C4', 'devices[].seenAt', 'a time by itself'),
    },
  },
  api_keys: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      id: technical,
      secret_hash: {
        class: 'secret',
        sealed: false,
        clearBecause: 'a hash of 256 random bits',
        export: { not: 'a key of ours' },
      },
      kind: technical,
      label: technical,
      created_at: technical,
      revoked_at: technical,
      scopes: technical,
    },
  },
  packages: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      code: business,
      kind: business,
      name: business,
      destinations: business,
      data_bytes: business,
      daily: business,
      days: business,
      price_minor: business,
      currency: business,
      active: business,
      dominated: business,
      takes_top_ups: business,
      validity_starts: business,
      updated_at: business,
    },
  },
  package_offers: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      package_code: business,
      provider: business,
      provider_package_code: business,
      family: business,
      cost_micros: business,
      cost_currency: business,
      validity_starts: business,
      supports_top_up: business,
      networks: business,
      rank: business,
      available: business,
      seen_at: business,
    },
  },
  order_facts: {
    onErasure: 'anonymous',
    keptUntil: forTheBooks,
    columns: {
      id: technical,
      paid_on: business,
      package_name: business,
      destination: business,
      quantity: business,
      gross_minor: business,
      refunded_minor: business,
      currency: business,
      outcome: business,
    },
  },
  orders: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      id: bought('id'),
      account_id: link('the account'),
      parent_order_id: bought('topUpOf'),
      request_hash: pseudonym('a keyed hash of the request'),
      package_code: bought('packageCode'),
      package_name: bought('packageName'),
      destination: bought('destination'),
      quantity: bought('quantity'),
      data_bytes: bought('dataBytes'),
      days: bought('days'),
      gross_minor: bought('amountMinor'),
      currency: bought('currency'),
      status: bought('status'),
      reason: bought('reason'),
      payment_intent_id: link('the payment at Stripe'),
      checkout_session_id: link('the page at Stripe on which it is paid'),
      payment_client_secret: sealedSecret('P2', 'lets its holder pay this order'),
      customer_session_secret: sealedSecret('P2', 'opens the payment sheet'),
      payment_kind: bought('paymentKind'),
      ad_user_data: clear('P3', 'orders[].adConsent.userData', 'a yes or no by an opaque id'),
      ad_personalization: clear('P3', 'orders[].adConsent.personalization', 'a yes or no by an opaque id'),
      measurement_event_id: link('the conversion event at Meta and Google'),
      install_token: sealedSecret('U3', 'opens the install page without signing in'),
      install_token_index: blind('the install token'),
      esim_id: link('the eSIM it tops up'),
      fact_id: link('the order facts, which stay'),
      created_at: bought('createdAt'),
      payment_due_at: technical,
      paid_at: bought('paidAt'),
      deliver_by: technical,
      delivered_at: bought('deliveredAt'),
      ended_at: bought('endedAt'),
      ip_country: clear('U6', 'orders[].taxEvidence.ipCountry', 'a country, by an opaque id'),
      card_country: clear('U6', 'orders[].taxEvidence.cardCountry', 'a country, by an opaque id'),
      performance_consent: bought('performanceConsent.version'),
      performance_consent_at: bought('performanceConsent.at'),
    },
  },
  withdrawals: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      order_id: link('the order'),
      name: sealed('C3', 'orders[].withdrawal.name'),
      statement: bought('withdrawal.statement'),
      opened_at: bought('withdrawal.openedAt'),
      stated_at: bought('withdrawal.statedAt'),
    },
  },
  provider_orders: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      id: technical,
      order_id: link('the order'),
      provider: technical,
      provider_package_code: technical,
      client_ref: link('the order at the eSIM provider'),
      provider_order_no: link('the order at the eSIM provider'),
      state: technical,
      reason: technical,
      placed_after: technical,
      last_asked_at: technical,
      expected_cost_micros: business,
      charged_micros: business,
      confirmed_at: technical,
      returns_asked: blind("the provider's names for its eSIMs"),
      return_asking_until: technical,
    },
  },
  esims: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      id: technical,
      order_id: link('the order'),
      provider: clear('P1', 'orders[].esims[].provider', 'one of two names'),
      esim_ref: { class: 'link', promise: 'P1', sealed: true, export: { not: "the provider's own name for the eSIM" } },
      esim_ref_index: blind("the provider's name for the eSIM"),
      iccid: sealed('C3', 'orders[].esims[].iccid'),
      iccid_index: blind('the ICCID'),
      activation_code: sealed('C3', 'orders[].esims[].activationCode'),
      confirmation_code: sealed('C3', 'orders[].esims[].confirmationCode'),
      state: bought('esims[].state'),
      suspended: bought('esims[].suspended'),
      total_bytes: bought('esims[].totalBytes'),
      used_bytes: bought('esims[].usedBytes'),
      activated_at: bought('esims[].activatedAt'),
      unused_until: bought('esims[].unusedUntil'),
      expires_at: bought('esims[].expiresAt'),
      return_asked_at: technical,
      apn: technical,
      checked_at: technical,
      validity_starts: technical,
      supports_top_up: technical,
    },
  },
  refunds: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      order_id: link('the order'),
      refund_key: technical,
      amount_minor: bought('refunds[].amountMinor'),
      stripe_refund_id: link('the refund at Stripe'),
      state: bought('refunds[].state'),
      reason: bought('refunds[].reason'),
      credit_note: link('the credit note'),
      created_at: bought('refunds[].createdAt'),
      returns_esims: technical,
    },
  },
  order_history: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      order_id: link('the order'),
      kind: bought('history[].kind'),
      source: link('the event or warning at Stripe'),
      at: bought('history[].at'),
      detail: { ...technical, export: { not: 'says by which rule an order is held, which would help around it' } },
    },
  },
  disputes: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: {
      stripe_dispute_id: link('the dispute at Stripe'),
      order_id: link('the order'),
      state: bought('disputes[].state'),
      opened_at: bought('disputes[].openedAt'),
      closed_at: bought('disputes[].closedAt'),
      // An operator has to answer the bank after an erasure, too.
      amount_minor: { ...ofTheBank, export: 'orders[].disputes[].amountMinor' },
      currency: { ...ofTheBank, export: 'orders[].disputes[].currency' },
      reason: { ...ofTheBank, export: 'orders[].disputes[].reason' },
      network_reason_code: ofTheBank,
      due_by: ofTheBank,
      submission_count: ofTheBank,
      past_due: ofTheBank,
      has_evidence: ofTheBank,
      evidence_staged_at: ofTheBank,
      evidence_submitted_at: ofTheBank,
      taken_back: ofTheBank,
    },
  },
  invoices: {
    onErasure: 'anonymous',
    keptUntil: forTheBooks,
    columns: {
      number: { ...business, export: 'orders[].invoices[].number' },
      series: business,
      sequence: business,
      kind: { ...business, export: 'orders[].invoices[].kind' },
      issued_on: { ...business, export: 'orders[].invoices[].issuedOn' },
      supplied_on: { ...business, export: 'orders[].invoices[].suppliedOn' },
      seller: { ...business, export: 'orders[].invoices[].seller' },
      description: { ...business, export: 'orders[].invoices[].description' },
      destination: business,
      quantity: business,
      net_minor: { ...business, export: 'orders[].invoices[].netMinor' },
      tax_minor: { ...business, export: 'orders[].invoices[].taxMinor' },
      gross_minor: { ...business, export: 'orders[].invoices[].grossMinor' },
      tax_rate_bps: { ...business, export: 'orders[].invoices[].taxRateBps' },
      currency: { ...business, export: 'orders[].invoices[].currency' },
      payment_kind: business,
      vat_country: business,
      vat_scope: business,
      vat_evidence: business,
      vat_card_country: business,
      vat_ip_country: business,
      corrects: { ...business, export: 'orders[].invoices[].corrects' },
    },
  },
  invoice_links: {
    onErasure: 'delete',
    owner: ofOrder,
    keptUntil: withAccount,
    columns: { order_id: link('the order'), document_key: technical, number: link('the invoice') },
  },
  outside_parties: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      party: technical,
      answered_at: technical,
      failing_since: technical,
      last_failed_at: technical,
      code: technical,
      down_since: technical,
    },
  },
  reconciliations: {
    onErasure: 'keep',
    keptUntil: { period: 'reconciliationsMs', why: 'counts and sums, which name nobody' },
    columns: {
      id: technical,
      state: technical,
      started_at: technical,
      read_from: technical,
      finished_at: technical,
      report: business,
    },
  },
  reconciliation_differences: {
    onErasure: 'delete',
    owner: { is: 'subject', column: 'subject_id' },
    keptUntil: { period: 'reconciliationsMs', why: 'until its reconciliation is deleted, or the account' },
    columns: {
      reconciliation_id: technical,
      kind: technical,
      subject_id: { ...link('what differs'), mentions: true },
      part: technical,
      detail: words,
      subject_at: technical,
      explained_by: technical,
    },
  },
  processor_balances: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { currency: business, balance_minor: business, read_until: technical },
  },
  provider_balances: {
    onErasure: 'keep',
    keptUntil: { period: 'reconciliationsMs', why: 'by which the rate of spending is known' },
    columns: {
      provider: technical,
      read_at: technical,
      balance_micros: business,
      currency: business,
      spent_micros: business,
    },
  },
  provider_spending: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { provider: technical, spent_micros: business },
  },
  erased_references: {
    onErasure: 'keep',
    keptUntil: { period: 'erasedReferenceMs', why: 'outside parties list what we have erased' },
    columns: {
      reference: pseudonym('a keyed hash of what an outside party lists'),
      forget_after: technical,
    },
  },
  payment_sweeps: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { part: technical, read_until: technical, done_at: technical },
  },
  counters: { onErasure: 'keep', keptUntil: whileUseful, columns: { series: business, last: business } },
  sends: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      subject_id: link('what the message was about'),
      kind: clear('U3', 'messages[].kind', 'one of a few words'),
      account_id: link('the account'),
      state: clear('U3', 'messages[].state', 'one of a few words'),
      code: technical,
      attempts: technical,
      first_at: clear('U3', 'messages[].at', 'a time by itself'),
      claimed_at: technical,
      done_at: technical,
      message_ref: pseudonym('a keyed hash that names the mail'),
      address_index: blind('the address that the mail went to'),
    },
  },
  webhook_events: {
    onErasure: 'keep',
    keptUntil: {
      period: 'webhookDedupeMs',
      why: 'a repeated event must not take effect twice; the row has no content of the event',
    },
    columns: { source: technical, event_id: technical, received_at: technical },
  },
  events: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: {
      period: 'eventsMs',
      why: 'the app backend reads what it has missed; also that an account is gone, so that it deletes what it holds (GDPR article 19)',
    },
    columns: {
      id: technical,
      entry: technical,
      position: technical,
      type: technical,
      at: technical,
      account_id: link('the account'),
      data: link('orders and eSIMs'),
      erased_account: {
        class: 'pseudonym',
        sealed: true,
        export: { not: 'only of accounts that are gone: their id, for the app backend' },
      },
    },
  },
  webhook_endpoints: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      id: technical,
      url: technical,
      types: technical,
      state: technical,
      disabled_because: technical,
      created_at: technical,
      secret: { class: 'secret', sealed: true, export: { not: 'a key of the app backend' } },
      previous_secret: { class: 'secret', sealed: true, export: { not: 'a key of the app backend' } },
      previous_until: technical,
      position: technical,
      failures: technical,
      retry_at: technical,
      delivered_at: technical,
      failed_at: technical,
      code: technical,
      claimed_until: technical,
      rotation_id: technical,
    },
  },
  event_recipients: {
    onErasure: 'keep',
    keptUntil: { period: 'securityLog', why: 'counted from when the endpoint was told no more' },
    columns: {
      id: technical,
      endpoint_id: technical,
      actor_id: technical,
      made_at: technical,
      told_since: technical,
      told_until: technical,
      types: technical,
    },
  },
  event_retries: {
    onErasure: 'keep',
    keptUntil: {
      period: 'eventsMs',
      why: 'until the event has arrived; goes with the event, which an erasure deletes',
    },
    columns: {
      endpoint_id: technical,
      event_id: technical,
      position: technical,
      attempts: technical,
      first_at: technical,
      next_at: technical,
    },
  },
  event_stream: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { single: technical, last_position: technical },
  },
  idempotency_keys: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'idempotencyKeysMs', why: 'a repeated request must not take effect twice' },
    columns: {
      scope: technical,
      key_hash: pseudonym('a keyed hash of who asked, for whom, and under which key'),
      request_hash: pseudonym('a keyed hash of the request'),
      resource_id: link('what the request made'),
      account_id: link('the account'),
      created_at: technical,
      shared: technical,
    },
  },
  attention: {
    onErasure: 'delete',
    owner: { is: 'subject', column: 'subject_id' },
    keptUntil: {
      period: 'operatorRecords',
      why: 'counted from when the task was closed; before that with the account',
    },
    columns: {
      id: technical,
      kind: clear('G1', 'operatorTasks[].kind', 'one of a few words'),
      subject_id: { ...clear('G1', 'operatorTasks[].about', 'an opaque id'), mentions: true },
      detail: aboutPerson('operatorTasks[].detail'),
      opened_at: clear('G1', 'operatorTasks[].openedAt', 'a time by itself'),
      due_at: technical,
      attributes: { ...technical, export: { not: 'facts of the orders and eSIMs that are in the export' } },
      resolved_at: clear('G1', 'operatorTasks[].settledAt', 'a time by itself'),
      resolved_by: byUs,
      owner: byUs,
      taken_at: byUs,
      note: aboutPerson('operatorTasks[].note'),
      note_by: byUs,
      noted_at: clear('G1', 'operatorTasks[].notedAt', 'a time by itself'),
    },
  },
  operators: {
    onErasure: 'keep',
    keptUntil: { period: 'none', why: 'the logs name them; they work for us, and no customer is among them' },
    columns: {
      id: technical,
      name: technical,
      email: { ...technical, sealed: true },
      email_index: blind("an operator's address"),
      openid_index: blind('an operator at the OpenID provider'),
      role: technical,
      password_hash: {
        class: 'secret',
        sealed: false,
        clearBecause: 'a slow, salted hash',
        export: { not: 'a secret of ours' },
      },
      totp_secret: { class: 'secret', sealed: true, export: { not: 'a secret of ours' } },
      totp_step: technical,
      failed_codes: technical,
      last_failed_code_at: technical,
      created_at: technical,
      disabled_at: technical,
    },
  },
  operator_acts: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'operatorRecords', why: 'R1: as long as the account; this long if it is about no account' },
    columns: {
      id: technical,
      account_id: link('the account'),
      order_id: clear('G1', 'operatorActs[].orderId', 'an opaque id'),
      act: clear('G1', 'operatorActs[].act', 'one of a few words'),
      operator: byUs,
      reason: aboutPerson('operatorActs[].reason'),
      amount_minor: clear('G1', 'operatorActs[].amountMinor', 'a sum by an opaque id'),
      state: clear('G1', 'operatorActs[].state', 'one of a few words'),
      code: technical,
      asked_at: clear('G1', 'operatorActs[].at', 'a time by itself'),
      done_at: technical,
      bulk_action_id: technical,
      attempts: technical,
      interrupted: technical,
      subject: link('the dispute at Stripe, or the bulk action, campaign or breach, if the act is about one'),
    },
  },
  bulk_actions: {
    onErasure: 'keep',
    keptUntil: { period: 'none', why: 'the report of an incident, which names no person' },
    columns: {
      id: technical,
      act: technical,
      selection: technical,
      reason: words,
      order_count: technical,
      needs_second_operator: technical,
      state: technical,
      prepared_by: technical,
      prepared_at: technical,
      started_by: technical,
      started_at: technical,
      ended_at: technical,
    },
  },
  restores: {
    onErasure: 'keep',
    keptUntil: { period: 'none', why: 'explains the series of documents, which the books keep' },
    columns: {
      id: technical,
      backup_id: technical,
      reads_since: technical,
      restored_at: technical,
      series: business,
      opened_at: technical,
    },
  },
  restored_items: {
    onErasure: 'delete',
    owner: { is: 'subject', column: 'subject_id' },
    keptUntil: { period: 'none', why: 'the report of a restore; what is about an account goes with it' },
    columns: {
      restore_id: technical,
      kind: technical,
      subject_id: { ...link('what was restored'), mentions: true },
      outcome: technical,
      detail: words,
      plan: link('what has to be settled of an account that was lost with the database'),
    },
  },
  lost_numbers: {
    onErasure: 'keep',
    keptUntil: { period: 'none', why: 'explains gaps in the series of documents' },
    columns: { series: business, sequence: business, restore_id: technical },
  },
  security_log: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'securityLog', why: 'R4: deleted with its day, also without an account' },
    columns: {
      at: clear('U5', 'securityLog[].at', 'a time by itself'),
      kind: clear('U5', 'securityLog[].kind', 'one of a few words'),
      actor: technical,
      account_id: link('the account'),
      ip: sealed('U5', 'securityLog[].ip'),
      detail: technical,
      request_id: technical,
    },
  },
  access_log: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'securityLog', why: 'R4: deleted with its day' },
    columns: {
      at: clear('G1', 'accesses[].at', 'a time by itself'),
      id: technical,
      account_id: link('the account'),
      actor_kind: clear('G1', 'accesses[].by', 'one of three words'),
      actor_id: clear('G1', 'accesses[].key', 'the id of a key of ours'),
      session: technical,
      route: clear('G1', 'accesses[].route', 'the same for everybody'),
      fields: clear('G1', 'accesses[].fields[]', 'groups of fields, and no values'),
      request_id: technical,
    },
  },
  breaches: {
    onErasure: 'keep',
    keptUntil: { period: 'none', why: 'GDPR article 33(5): breaches are documented; it names no person' },
    columns: {
      id: technical,
      state: technical,
      key_id: technical,
      session: technical,
      read_from: technical,
      read_until: technical,
      nature: typedBusiness,
      consequences: typedBusiness,
      measures: typedBusiness,
      contact: typedBusiness,
      aware_at: technical,
      authority_due_at: technical,
      opened_at: technical,
      opened_by: technical,
      people: technical,
      reads: technical,
      authority_told_at: technical,
      authority_reference: words,
      authority_not_told_because: typedBusiness,
      late_at: technical,
      people_decision: technical,
      people_not_told_because: typedBusiness,
      people_told_at: technical,
      closed_at: technical,
    },
  },
  breach_people: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      id: technical,
      breach_id: link('the breach'),
      account_id: link('the account'),
      fields: { ...technical, export: { not: 'is mailed to the person, with what happened' } },
      reads: technical,
      first_at: technical,
      last_at: technical,
    },
  },
  inactivity: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      account_id: link('the account'),
      last_active_at: { ...technical, export: { not: 'is account.lastActiveAt' } },
      first_warned_at: technical,
      deletes_at: technical,
      check_by: technical,
    },
  },
  books_holds: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { month: business, reason: typedBusiness, held_at: technical, held_by: technical },
  },
  backups: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      id: technical,
      state: technical,
      started_at: technical,
      finished_at: technical,
      bytes: technical,
      key_id: technical,
      code: technical,
      pruned_at: technical,
      drilled_at: technical,
      drill: technical,
    },
  },
  backup_store: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { place: technical, read_at: technical, files: technical, oldest_at: technical, newest_at: technical },
  },
  deletions: {
    onErasure: 'keep',
    keptUntil: proofOfErasure,
    columns: {
      receipt_id: technical,
      account_ref: blind('the id of an account that is gone'),
      reason: technical,
      erased_at: technical,
      backups_gone_by: technical,
      completed_at: technical,
      logged: technical,
    },
  },
  deletion_steps: {
    onErasure: 'keep',
    keptUntil: proofOfErasure,
    columns: { receipt_id: technical, processor: technical, state: technical, code: technical, changed_at: technical },
  },
  deletion_seals: {
    onErasure: 'delete',
    owner: { is: 'receipt', column: 'receipt_id' },
    keptUntil: {
      period: 'stripeRedactionAfterDays',
      why: 'G3: until all erasure steps are done; each part is deleted by its step',
    },
    columns: {
      receipt_id: technical,
      apple: sealedSecret('G3', onceErased),
      google: sealedSecret('G3', onceErased),
      firebase: sealedSecret('G3', onceErased),
      stripe_customer: sealedSecret('G3', onceErased),
      settlements: sealedSecret('G3', onceErased),
      provider_orders: sealedSecret('G3', onceErased),
      payments: sealedSecret('G3', onceErased),
      address: sealedSecret('G3', onceErased),
      trace: sealedSecret('G3', onceErased),
    },
  },
  deletion_ledger: {
    onErasure: 'keep',
    keptUntil: proofOfErasure,
    columns: {
      account_ref: blind('the id of an account that is gone'),
      entry: technical,
      reason: technical,
      at: technical,
      backups_gone_by: technical,
    },
  },
  transparency_log: {
    onErasure: 'keep',
    keptUntil: proofOfErasure,
    columns: {
      seq: technical,
      kind: technical,
      day: technical,
      leaf: pseudonym('of a deletion: the hash of a statement with a salt that is in no table'),
      previous: technical,
      hash: technical,
      statement: business,
    },
  },
  transparency_head: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { only_row: technical, seq: technical, hash: technical, published_seq: technical },
  },
  signing_keys: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: { id: technical, public_key: technical, first_used_on: technical },
  },
  link_tokens: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'signInLinkMs', why: 'until the link is used or too old' },
    columns: {
      token_hash: { ...secretHash, export: { not: 'a hash of a secret that was mailed' } },
      purpose: technical,
      account_id: link('the account'),
      subject_id: link('the change that is confirmed'),
      next: technical,
      created_at: technical,
      expires_at: technical,
    },
  },
  allowances: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'allowanceMs', why: 'U5: until the count is a day old' },
    columns: {
      subject: pseudonym('a keyed hash of the account'),
      kind: technical,
      account_id: link('the account'),
      window_start: technical,
      used: technical,
    },
  },
  address_allowances: {
    onErasure: 'keep',
    keptUntil: {
      period: 'allowanceMs',
      why: 'U5: an address is not mailed anew by each new account; no row leads to a person',
    },
    columns: {
      subject: blind('an address that a person wants to have, which may belong to nobody'),
      kind: technical,
      window_start: technical,
      used: technical,
    },
  },
  velocity_counts: {
    onErasure: 'keep',
    keptUntil: {
      period: 'velocityAcrossAccounts',
      why: 'U5: a buyer who deletes the account and comes back is counted on; no row leads to a person or an order',
    },
    columns: {
      kind: technical,
      hash: blind("the card's fingerprint at Stripe, the device or the address, which no other table has"),
      hour: technical,
      orders: technical,
      gross_minor: technical,
      expires_at: technical,
    },
  },
  web_sessions: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'webSession', why: 'until the session is over' },
    columns: {
      token_hash: { ...secretHash, export: { not: "a hash of a cookie's secret" } },
      account_id: link('the account'),
      key_id: technical,
      operator_id: technical,
      signed_in_at: technical,
      expires_at: technical,
      openid_confirmed_at: technical,
      openid_asked_at: technical,
      openid_refresh_token: { class: 'secret', sealed: true, export: { not: 'of an operator at the OpenID provider' } },
      openid_sid_index: blind("an operator's session at the OpenID provider"),
    },
  },
  email_changes: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      id: technical,
      account_id: link('the account'),
      old_email: sealed('G2', 'emailChanges[].oldEmail'),
      new_email: sealed('G2', 'emailChanges[].newEmail'),
      state: clear('G2', 'emailChanges[].state', 'one of a few words'),
      requested_at: clear('G2', 'emailChanges[].requestedAt', 'a time by itself'),
      expires_at: technical,
      old_confirmed_at: clear('G2', 'emailChanges[].oldConfirmedAt', 'a time by itself'),
      old_waived_by: technical,
      new_confirmed_at: clear('G2', 'emailChanges[].newConfirmedAt', 'a time by itself'),
      ended_at: clear('G2', 'emailChanges[].endedAt', 'a time by itself'),
    },
  },
  encryption_keys: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      purpose: technical,
      id: technical,
      first_seen_at: technical,
      active_since: technical,
      retired_at: technical,
    },
  },
  key_rotations: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      id: technical,
      purpose: technical,
      to_key: technical,
      status: technical,
      rewrapped: technical,
      remaining: technical,
      started_at: technical,
      started_by: technical,
      checked_at: technical,
      ended_at: technical,
    },
  },
  campaigns: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      id: technical,
      subject: { ...business, export: 'promotions[].subject' },
      paragraphs: business,
      action_label: business,
      action_url: business,
      state: business,
      created_at: business,
      created_by: technical,
      ended_at: business,
    },
  },
  campaign_deliveries: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      campaign_id: link('the campaign'),
      account_id: link('the account'),
      state: clear('U4', 'promotions[].state', 'one of a few words'),
      at: clear('U4', 'promotions[].at', 'a time by itself'),
    },
  },
  privacy_requests: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: { period: 'privacyRequest', why: 'G6: for further questions after the answer' },
    columns: {
      id: clear('G6', 'privacyRequests[].id', 'an opaque id'),
      account_id: link('the account'),
      kind: clear('G6', 'privacyRequests[].kind', 'one of a few words'),
      message: sealed('G6', 'privacyRequests[].message'),
      reply_to: sealed('G6', 'privacyRequests[].replyTo'),
      reply_to_index: blind('the address to answer to'),
      state: clear('G6', 'privacyRequests[].state', 'one of three words'),
      received_at: clear('G6', 'privacyRequests[].receivedAt', 'a time by itself'),
      answer_by: clear('G6', 'privacyRequests[].answerBy', 'a time by itself'),
      extended_because: clear('G6', 'privacyRequests[].extendedBecause', 'one of two words'),
      acknowledged_at: technical,
      escalated_at: technical,
      late_at: technical,
      answer_kind: clear('G6', 'privacyRequests[].answerKind', 'one of a few words'),
      answer: sealed('G6', 'privacyRequests[].answer'),
      answer_id: technical,
      answer_stored_at: technical,
      answer_taken_at: technical,
      answered_at: clear('G6', 'privacyRequests[].answeredAt', 'a time by itself'),
    },
  },
  policies: {
    onErasure: 'keep',
    keptUntil: whileUseful,
    columns: {
      version: business,
      title: business,
      body: business,
      changes: business,
      material: business,
      state: technical,
      created_at: technical,
      created_by: technical,
      posted_at: business,
      announced_for: business,
      effective_at: business,
      moves: technical,
      ended_at: technical,
    },
  },
  policy_deliveries: {
    onErasure: 'delete',
    owner: ofAccount,
    keptUntil: withAccount,
    columns: {
      version: clear('N2', 'policyNotices[].version', 'the name of a public version'),
      notice: clear('N2', 'policyNotices[].notice', 'one of a few words'),
      account_id: link('the account'),
      state: clear('N2', 'policyNotices[].state', 'one of a few words'),
      code: technical,
      attempts: technical,
      told_for: clear('N2', 'policyNotices[].takesEffectOn', 'a time by itself'),
      claimed_at: technical,
      sent_at: clear('N2', 'policyNotices[].at', 'a time by itself'),
      message_ref: pseudonym('a keyed hash that names the mail'),
      address_index: blind('the address that the mail went to'),
    },
  },
  migrations: { onErasure: 'keep', keptUntil: whileUseful, columns: { name: technical, applied_at: technical } },
}

/** By `table.column`. */
export const personalData: Readonly<Record<string, ColumnEntry>> = Object.fromEntries(
  Object.entries(tables).flatMap(([table, { onErasure, keptUntil, columns }]) =>
    Object.entries(columns).map(
      ([column, entry]) => [`${table}.${column}`, { ...entry, onErasure, keptUntil }] as const,
    ),
  ),
)

/** Owners by table, of every table whose rows erasure deletes. */
export const owners: Readonly<Record<string, Owner>> = Object.fromEntries(
  Object.entries(tables).flatMap(([table, entry]) => ('owner' in entry ? [[table, entry.owner] as const] : [])),
)
