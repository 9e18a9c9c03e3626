/**
 * The interface of the eSIM providers. P1, providers learn nothing about a person: no field can hold a name, an e-mail
 * address, a phone number or payment data, and `clientRef` is random.
 *
 * Every operation throws ProviderFailure:
 * - unavailable: `still_allocating` (getEsims), `provider_busy`, `rate_limited`, `unreachable`; from reading calls also
 *   the codes of unknown_outcome
 * - unknown_outcome, only from calls that change something: `timed_out`, `connection_lost`, `http_5xx`,
 *   `malformed_reply`, `provider_error`, and for errors that the provider does not document `http_<status>` and
 *   `provider_code_<n>`
 * - rejected and misconfigured: as in codes/esim.ts, and from parseWebhook `bad_signature`, `malformed_webhook`
 */
export type EsimProviderId = 'esim-access' | 'airalo'

/** When the days of a package begin: at the installation on a phone, or at the first connection to a network. */
export type ValidityStart = 'installation' | 'first_use'

/** The mobile networks that a package uses in one country. */
export type Networks = {
  /** ISO 3166-1 alpha-2 */
  destination: string
  name: string
  /** `5G`, `LTE`, ...: as the provider names them; empty when it does not say */
  generations: string[]
}[]

export interface ProviderPackage {
  /** the provider's code of the package, for orders and top-ups */
  code: string
  kind: 'base' | 'top_up'
  name: string
  /** ISO 3166-1 alpha-2 */
  destinations: string[]
  /** of the whole package, or of one day if `daily`; null is unlimited */
  dataBytes: number | null
  /** data and cost are per day, and the order says for how many days */
  daily: boolean
  /** days of validity after its start */
  days: number
  /** the provider's price in millionths of the currency's main unit, for one package or for one day if `daily` */
  costMicros: number
  /** ISO 4217 */
  costCurrency: string
  /** null when the provider does not say */
  validityStarts: ValidityStart | null
  /** a top-up fits the base packages of its family */
  family: string
  supportsTopUp: boolean
  /** null when the provider does not say */
  networks: Networks | null
}

export interface PlaceOrder {
  /** random, at most 50 characters; the only id of ours that the provider stores */
  clientRef: string
  packageCode: string
  quantity: number
  /** daily packages only: 1 to 365 */
  days?: number
  /** the expected cost, for a provider that `checksPrice`: it refuses with `price_changed` when it differs */
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
  /** the provider's id of the eSIM (eSIM Access: a number of its own, Airalo: the ICCID); stored encrypted only */
  esimRef: string
  iccid: string
  /** `LPA:1$…`, a secret: the first phone that reads it can install the eSIM; stored encrypted only */
  activationCode: string
  confirmationCode: string | null
  apn: string | null
  /** ISO 8601; null when the provider does not say */
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
  /** returned, or ended by the provider: which of the two, our records tell */
  | 'cancelled'
  | 'suspended'
  /** the provider does not know: no decision may depend on it */
  | 'unknown'

const over: readonly EsimState[] = ['expired', 'removed', 'cancelled']

/** Whether an eSIM can still be installed or used, and so takes more data. */
export const isUsable = ({ state }: { state: EsimState }): boolean => !over.includes(state)

export interface EsimStatus {
  state: EsimState
  /** null is unlimited */
  totalBytes: number | null
  /** lags by 2 to 3 hours at eSIM Access, by 20 minutes at Airalo */
  usedBytes: number
  /** ISO 8601; null before the activation, or when the provider does not say */
  activatedAt: string | null
  /** ISO 8601; null before the validity starts */
  expiresAt: string | null
  /** of a suspended eSIM: it was not installed before, so it is as it was delivered once it may run again */
  suspendedNew?: true
}

/** Whether nobody has installed an eSIM, whether or not it may run. */
export const isNew = ({ state, suspendedNew }: Pick<EsimStatus, 'state' | 'suspendedNew'>): boolean =>
  state === 'new' || (state === 'suspended' && suspendedNew === true)

/**
 * A hint that something may have changed: the receiver has to ask the provider. `validity`: expired or about to expire.
 */
export interface ProviderHint {
  kind: 'order' | 'esim' | 'usage' | 'validity'
  orderNo?: string
  esimRef?: string
  clientRef?: string
  /** for `usage`: the used share of the data, 0 to 1, if the provider says it */
  usedShare?: number
}

/** An order or top-up in the provider's own books. */
export interface ListedOrder {
  kind: 'order' | 'top_up'
  orderNo: string
  /** null: it was not placed through this interface */
  clientRef: string | null
  /** false: returned, expired, or never filled; null when the provider does not say */
  alive: boolean | null
  /**
   * it was ended before its time, and the provider knows of no use: returned by us, ended by the provider, or never
   * filled
   */
  endedUnused: boolean
  /** what it cost, for one eSIM, in millionths of `costCurrency`; null when the provider does not say */
  unitCostMicros: number | null
  costCurrency: string | null
  /** ISO 8601; null when the provider does not say */
  createdAt: string | null
}

/** Other eSIMs that go back as well, for a provider that takes several in one request. */
export interface ReturnTogether {
  esimRefs: readonly string[]
  /**
   * what the provider has said of eSIMs a moment ago: about those it is not asked again, and what it says of others is
   * added
   */
  states: Map<string, Promise<EsimState>>
  /** called before the provider is asked, for each other one that the request is about as well */
  onAsked(esimRef: string): void
}

export interface WebhookRequest {
  rawBody: string
  /** names in lower case */
  headers: Record<string, string | undefined>
}

export interface WebhookEvent {
  /** the provider gives its events no ids: `eventId` is a hash of the content, which a later event may have as well */
  unnamed?: true
  /** the same for copies of one event */
  eventId: string
  /** empty for test events and for events that concern no eSIM */
  hints: ProviderHint[]
}

export interface EsimProvider {
  readonly id: EsimProviderId
  /**
   * whether a repeated `placeOrder` with the same clientRef returns the same order, and a repeated `cancelUnused`
   * changes nothing
   */
  readonly repeatsSafely: boolean
  /** whether `placeOrder` and `topUp` refuse a price that is not the expected one */
  readonly checksPrice: boolean
  /**
   * In milliseconds. `withinMs`: after this time the provider shows an order or top-up of a request whose reply was
   * lost, in all likelihood. `soughtForMs`: how long such an order is searched for after its customer was refunded.
   */
  readonly settling: { withinMs: number; soughtForMs: number }
  /**
   * Reads the catalogue. An entry that cannot be read is left out.
   * @param onUnreadable is called for each of them
   */
  listPackages(onUnreadable?: () => void): Promise<ProviderPackage[]>
  /**
   * The present price of a package, as in ProviderPackage. Null when the provider does not list it, or not in dollars.
   * @throws ProviderFailure unavailable `malformed_reply` when an entry that cannot be read may be the package's, or
   *   `empty_catalogue`
   */
  currentCost(wanted: Pick<ProviderPackage, 'code' | 'kind' | 'destinations'>): Promise<number | null>
  /**
   * Places an order. After an unknown outcome call `findOrder` first: only eSIM Access recognises a repeated clientRef.
   */
  placeOrder(order: PlaceOrder): Promise<{ orderNo: string }>
  /**
   * The order that was placed with this clientRef at or after `placedAfter` (ISO 8601). Null when the provider shows
   * none yet: an open request may still become one, and eSIM Access shows an order only once its eSIMs are allocated.
   * At Airalo a repeated request may have made `duplicates`, which cost the same and have to be returned.
   */
  findOrder(order: {
    clientRef: string
    placedAfter: string
  }): Promise<{ orderNo: string; duplicates: string[] } | null>
  /**
   * Pages of what the provider has in its books, placed between two times (ISO 8601). An order may come more than once,
   * and one of the day before the first time may come as well. An entry that cannot be read is left out, and operators
   * see that there is one.
   * @param onUnreadable is called for each of them
   */
  listOrders(between: { from: string; to: string }, onUnreadable?: () => void): AsyncGenerator<ListedOrder[]>
  /**
   * The orders placed at or after a time (ISO 8601) whose clientRef begins with one of these texts, the oldest first.
   * For a database that lost what it knew of them.
   */
  findOrdersOf(prefixes: readonly string[], placedAfter: string): Promise<{ clientRef: string; orderNo: string }[]>
  getEsims(orderNo: string): Promise<ProvidedEsim[]>
  getStatus(esimRef: string): Promise<EsimStatus>
  /** Adds data to an eSIM. After an unknown outcome call `hasTopUp` before repeating. */
  topUp(topUp: TopUp): Promise<void>
  hasTopUp(topUp: { clientRef: string; esimRef: string }): Promise<boolean>
  /**
   * The clientRefs of an eSIM's top-ups that begin with one of these texts. For a database that lost what it knew of
   * them.
   */
  topUpsOf(prefixes: readonly string[], esimRef: string): Promise<string[]>
  /**
   * Returns an unused eSIM. `requested`: an employee of the provider decides, and each call makes another request. Of
   * `together` those go back with it that nobody has installed; one that is in use, or of which the provider says
   * nothing now, has its own turn: it neither keeps the others back nor goes with them.
   */
  cancelUnused(esimRef: string, together?: ReturnTogether): Promise<'cancelled' | 'requested' | 'already'>
  suspend(esimRef: string): Promise<'done' | 'unsupported'>
  unsuspend(esimRef: string): Promise<'done' | 'unsupported'>
  balance(): Promise<{ amountMicros: number; currency: string }>
  /** Verifies and reads an event. The device identifier in it (EID) is not read. */
  parseWebhook(request: WebhookRequest): WebhookEvent
}
