/**
 * The port to the wholesale eSIM providers. No field here could carry a name, an e-mail address, a phone number or a
 * payment datum (promise P1), and a random `clientRef` ties nothing at the provider to a person.
 *
 * Every operation throws ProviderFailure:
 * - unavailable: `still_allocating` (getEsims), `provider_busy`, `rate_limited`, `unreachable`, and for calls that change
 *   nothing what follows
 * - unknown_outcome, only from calls that change something: `timed_out`, `connection_lost`, `http_5xx`,
 *   `malformed_reply`, `provider_error`, and what the vendor has not described: `http_<status>`, `provider_code_<n>`
 * - rejected and misconfigured: as in esim-codes.ts, and from parseWebhook `bad_signature`, `malformed_webhook`
 */
export type EsimProviderId = 'esim-access' | 'airalo'

export interface ProviderPackage {
  /** the provider's own code, given back in orders and top-ups */
  code: string
  kind: 'base' | 'top_up'
  name: string
  /** ISO 3166-1 alpha-2 */
  destinations: string[]
  /** of the whole package, or of one day if `daily`; null is unlimited */
  dataBytes: number | null
  /** data and cost are per day, and the order says for how many days */
  daily: boolean
  /** validity once it has begun */
  days: number
  /** what the provider charges us: millionths of the currency's main unit, of one package or of one day if `daily` */
  costMicros: number
  /** ISO 4217 */
  costCurrency: string
  /** days until an eSIM that was never installed lapses; null where the provider does not say */
  unusedValidDays: number | null
  /** a top-up fits the base packages of its family */
  family: string
  supportsTopUp: boolean
}

export interface PlaceOrder {
  /** random, at most 50 characters; the only thing of ours that the provider keeps */
  clientRef: string
  packageCode: string
  quantity: number
  /** daily packages only: 1 to 365 */
  days?: number
  /** refuses with `price_changed` when the catalogue has moved, where the provider can check that (Airalo cannot) */
  unitCostMicros?: number
}

export interface TopUp {
  clientRef: string
  esimRef: string
  packageCode: string
  days?: number
  unitCostMicros?: number
}

export interface ProvidedEsim {
  /** names the eSIM at its provider (eSIM Access: its own number, Airalo: the ICCID): encrypted columns only */
  esimRef: string
  iccid: string
  /** `LPA:1$…`: whoever has it first can install it. Encrypted columns only */
  activationCode: string
  confirmationCode: string | null
  apn: string | null
  /** ISO 8601; null where the provider does not say */
  unusedValidUntil: string | null
}

export type EsimState =
  | 'new'
  | 'installed'
  | 'in_use'
  | 'used_up'
  | 'expired'
  /** deleted from the phone */
  | 'removed'
  /** given back, or ended by us or by the provider */
  | 'cancelled'
  | 'suspended'
  /** the provider does not know: decide nothing from it */
  | 'unknown'

export interface EsimStatus {
  state: EsimState
  /** null is unlimited */
  totalBytes: number | null
  /** hours behind: 2 to 3 at eSIM Access, 20 minutes at Airalo */
  usedBytes: number
  /** ISO 8601; null before, and where the provider does not say */
  activatedAt: string | null
  /** ISO 8601; null until validity has begun */
  expiresAt: string | null
}

/** Something may have changed at the provider. Only a hint: ask for the truth. Expiry is `validity`, as its approach is. */
export interface ProviderHint {
  kind: 'order' | 'esim' | 'usage' | 'validity'
  orderNo?: string
  esimRef?: string
  clientRef?: string
  /** of `usage`: the share of the data that is used, 0 to 1, where the provider says it */
  usedShare?: number
}

export interface WebhookRequest {
  rawBody: string
  /** names in lower case */
  headers: Record<string, string | undefined>
}

export interface WebhookEvent {
  /** equal for copies of one event */
  eventId: string
  /** empty for test events and for news that concern no eSIM */
  hints: ProviderHint[]
}

export interface EsimProvider {
  readonly id: EsimProviderId
  /** a repeated `placeOrder` with the same clientRef is the same order */
  readonly repeatsSafely: boolean
  /**
   * `withinMs`: an order or top-up that a lost request made is shown by then, in all likelihood; `soughtForMs`: for how
   * long it is looked for once its customer has the money back, milliseconds
   */
  readonly settling: { withinMs: number; soughtForMs: number }
  listPackages(): Promise<ProviderPackage[]>
  /** After an unknown outcome ask `findOrder` before repeating: only eSIM Access knows a repeated clientRef. */
  placeOrder(order: PlaceOrder): Promise<{ orderNo: string }>
  /**
   * The order placed with this clientRef at or after `placedAfter` (ISO 8601). Null says that the provider shows none
   * yet: a request still under way may become one, and eSIM Access shows an order only once it is allocated. At Airalo a
   * repeated request may have made `duplicates`, which cost as much and have to be given back.
   */
  findOrder(order: {
    clientRef: string
    placedAfter: string
  }): Promise<{ orderNo: string; duplicates: string[] } | null>
  getEsims(orderNo: string): Promise<ProvidedEsim[]>
  getStatus(esimRef: string): Promise<EsimStatus>
  /** After an unknown outcome ask `hasTopUp` before repeating. */
  topUp(topUp: TopUp): Promise<void>
  hasTopUp(topUp: { clientRef: string; esimRef: string }): Promise<boolean>
  /** `requested`: a person at the provider decides, and each call makes another request. Repeatable otherwise. */
  cancelUnused(esimRef: string): Promise<'cancelled' | 'requested' | 'already'>
  suspend(esimRef: string): Promise<'done' | 'unsupported'>
  unsuspend(esimRef: string): Promise<'done' | 'unsupported'>
  balance(): Promise<{ amountMicros: number; currency: string }>
  /** Device identifiers in the event (EID) are dropped here. */
  parseWebhook(request: WebhookRequest): WebhookEvent
}
