/**
 * Each page with its main and its failing path, and each form with its refusal. The walk in a browser
 * (`walk.long.test.ts`), the screenshots and the check that no page and no form is missing (`page-table.test.ts`) are
 * made from it.
 */
import type { OperatorsPaths, PersonsPaths } from './furnished.ts'

/** The steps that lead to a page. */
export interface Way {
  /** whose browser it is; default: the one of the page */
  by?: 'nobody'
  path: string
  /** a form of that page that is sent, as it would be without the browser's own checks */
  sends?: { action: string; fields?: Readonly<Record<string, string>> }
  /** what is folded away on the page is opened */
  opens?: true
  /** default: 200; of the failing path: 404; of a form that is refused: 400 */
  status?: number
}

export interface PageCase<Paths> {
  name: string
  /** that it shows, as the OpenAPI document names it */
  route: string
  by: 'nobody' | 'person' | 'operator'
  main(of: Paths): Way
  /** what the page says when it cannot do what was asked; a text: the row that shows it (`as ...`) */
  failing: ((of: Paths) => Way) | string
  /** the forms that the failing path sends, as the OpenAPI document names them */
  refuses?: readonly string[]
}

/** A form whose refusal is the failing path of no page. */
export interface FormCase<Paths> {
  name: string
  route: string
  by: PageCase<Paths>['by']
  refused(of: Paths): Way
}

/** A visit to a page of a table: by its main path, its failing path, or a form that is refused. */
export interface Visit<Paths> {
  name: string
  by: PageCase<Paths>['by']
  way(of: Paths): Way
  /** unless the way says another */
  status: number
}

export const visitsOf = <Paths>(
  pages: readonly PageCase<Paths>[],
  forms: readonly FormCase<Paths>[],
): readonly Visit<Paths>[] => [
  // Some ask for a sign-in of the last minutes.
  ...forms.map(({ name, by, refused }) => ({ name: `${name}-refused`, by, way: refused, status: 400 })),
  ...pages.flatMap(({ name, by, main, failing }) => [
    { name, by, way: main, status: 200 },
    ...(typeof failing === 'string' ? [] : [{ name: `${name}-failing`, by, way: failing, status: 404 }]),
  ]),
]

const unknownId = '00000000-0000-4000-8000-000000000000'
const unknownSecret = 'A'.repeat(43)
const sameAsDelivered = 'as order-delivered'

/** Pages in the three languages. */
export const peoplesPages: readonly PageCase<PersonsPaths>[] = [
  {
    name: 'start',
    route: 'GET /',
    by: 'nobody',
    main: () => ({ path: '/' }),
    failing: () => ({ path: '/nowhere' }),
  },
  {
    name: 'sign-in',
    route: 'GET /account/sign-in',
    by: 'nobody',
    main: () => ({ path: '/account/sign-in' }),
    failing: () => ({
      path: '/account/sign-in',
      sends: { action: '/account/sign-in', fields: { email: 'nora at people' } },
      status: 400,
    }),
    refuses: ['POST /account/sign-in'],
  },
  {
    name: 'sign-in-sent',
    route: 'POST /account/sign-in',
    by: 'nobody',
    main: () => ({
      path: '/account/sign-in',
      sends: { action: '/account/sign-in', fields: { email: 'nobody@people.example' } },
    }),
    failing: 'as sign-in',
  },
  {
    name: 'sign-in-link',
    route: 'GET /account/sign-in/{token}',
    by: 'nobody',
    main: ({ signInLink: path }) => ({ path }),
    failing: () => ({ path: `/account/sign-in/${unknownSecret}` }),
  },
  {
    name: 'account',
    route: 'GET /account',
    by: 'person',
    main: () => ({ path: '/account' }),
    failing: () => ({ by: 'nobody', path: '/account', status: 200 }),
  },
  {
    name: 'data',
    route: 'GET /account/data',
    by: 'person',
    main: () => ({ path: '/account/data' }),
    failing: () => ({
      path: '/account/data',
      sends: { action: '/account/profile', fields: { firstName: '', lastName: 'L', phone: 'no number' } },
      status: 400,
    }),
    refuses: ['POST /account/profile'],
  },
  {
    name: 'accesses',
    route: 'GET /account/accesses',
    by: 'person',
    main: () => ({ path: '/account/accesses' }),
    failing: () => ({ path: '/account/accesses?cursor=invented', status: 400 }),
  },
  {
    name: 'order-delivered',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ delivered: path }) => ({ path }),
    failing: () => ({ path: `/account/orders/${unknownId}` }),
  },
  {
    name: 'order-unpaid',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ unpaid: path }) => ({ path }),
    failing: ({ unpaid: path }) => ({ by: 'nobody', path, status: 401 }),
  },
  {
    name: 'order-held',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ held: path }) => ({ path }),
    failing: sameAsDelivered,
  },
  {
    name: 'order-cancel-opened',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ held: path }) => ({ path, opens: true }),
    failing: sameAsDelivered,
  },
  {
    name: 'order-return-opened',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ returnable: path }) => ({ path, opens: true }),
    failing: sameAsDelivered,
  },
  {
    name: 'order-refunded',
    route: 'GET /account/orders/{id}',
    by: 'person',
    main: ({ refunded: path }) => ({ path }),
    failing: sameAsDelivered,
  },
  {
    name: 'withdrawal',
    route: 'POST /account/orders/{id}/withdrawal',
    by: 'person',
    main: ({ delivered: path }) => ({ path, sends: { action: `${path}/withdrawal` } }),
    // Its own page offers no form any more, and has no token of one.
    failing: ({ refunded }) => ({ path: '/account/data', sends: { action: `${refunded}/withdrawal` }, status: 409 }),
    refuses: ['POST /account/orders/{id}/withdrawal'],
  },
  {
    name: 'invoice',
    route: 'GET /account/orders/{id}/documents/{number}',
    by: 'person',
    main: ({ invoice: path }) => ({ path }),
    failing: ({ delivered }) => ({ path: `${delivered}/documents/AMA-0` }),
  },
  {
    name: 'top-up',
    route: 'GET /account/esims/{id}/top-up',
    by: 'person',
    main: ({ topUp: path }) => ({ path }),
    failing: ({ topUp: path }) => ({ path, sends: { action: path, fields: { packageCode: 'sold-out' } }, status: 409 }),
    refuses: ['POST /account/esims/{id}/top-up'],
  },
  {
    name: 'paid',
    route: 'GET /account/paid',
    by: 'nobody',
    main: ({ paid: path }) => ({ path }),
    failing: () => ({ path: '/account/paid?order=none', status: 400 }),
  },
  {
    name: 'install-ios',
    route: 'GET /i/{token}',
    by: 'nobody',
    main: ({ install }) => ({ path: `${install}?device=ios` }),
    failing: () => ({ path: `/i/${unknownSecret}` }),
  },
  {
    name: 'install-android',
    route: 'GET /i/{token}',
    by: 'nobody',
    main: ({ install }) => ({ path: `${install}?device=android` }),
    failing: 'as install-ios',
  },
  {
    name: 'install-other',
    route: 'GET /i/{token}',
    by: 'nobody',
    main: ({ installUsed }) => ({ path: `${installUsed}?device=other` }),
    failing: 'as install-ios',
  },
  {
    name: 'install-opened',
    route: 'GET /i/{token}',
    by: 'nobody',
    main: ({ installUsed }) => ({ path: `${installUsed}?device=ios`, opens: true }),
    failing: 'as install-ios',
  },
  {
    name: 'email-change',
    route: 'GET /email-change/{token}',
    by: 'nobody',
    main: ({ emailChange: path }) => ({ path }),
    failing: () => ({ path: `/email-change/${unknownSecret}` }),
  },
  {
    name: 'unsubscribe',
    route: 'GET /u/{token}',
    by: 'nobody',
    main: ({ unsubscribe: path }) => ({ path }),
    failing: () => ({ path: `/u/${unknownSecret}` }),
  },
  {
    name: 'delete-account',
    route: 'GET /delete-account',
    by: 'person',
    main: () => ({ path: '/delete-account' }),
    failing: () => ({ path: '/delete-account', sends: { action: '/delete-account' }, status: 400 }),
    refuses: ['POST /delete-account'],
  },
  {
    name: 'delete-account-signed-out',
    route: 'GET /delete-account',
    by: 'nobody',
    main: () => ({ path: '/delete-account' }),
    failing: 'as delete-account',
  },
  {
    name: 'receipt',
    route: 'GET /receipts/{id}',
    by: 'nobody',
    main: ({ receipt: path }) => ({ path }),
    failing: () => ({ path: `/receipts/${unknownId}` }),
  },
  {
    name: 'privacy',
    route: 'GET /privacy',
    by: 'nobody',
    main: () => ({ path: '/privacy' }),
    failing: 'as privacy-version',
  },
  {
    name: 'privacy-version',
    route: 'GET /privacy/{version}',
    by: 'nobody',
    main: ({ policy: path }) => ({ path }),
    failing: () => ({ path: '/privacy/never' }),
  },
]

/** Forms of these pages that are refused. */
export const peoplesForms: readonly FormCase<PersonsPaths>[] = [
  {
    name: 'sign-in-link',
    route: 'POST /account/sign-in/{token}',
    by: 'nobody',
    refused: ({ signInLink: path }) => ({
      path,
      sends: { action: `/account/sign-in/${unknownSecret}` },
      status: 404,
    }),
  },
  {
    name: 'data-email',
    route: 'POST /account/email',
    by: 'person',
    refused: () => ({
      path: '/account/data',
      sends: { action: '/account/email', fields: { email: 'nora at people' } },
    }),
  },
  {
    name: 'data-request',
    route: 'POST /account/privacy-request',
    by: 'person',
    refused: () => ({ path: '/account/data', sends: { action: '/account/privacy-request', fields: { message: '' } } }),
  },
  {
    name: 'data-promotions',
    route: 'POST /account/promotions',
    by: 'person',
    refused: () => ({ path: '/account/data', sends: { action: '/account/promotions', fields: { granted: 'a bit' } } }),
  },
  {
    name: 'data-language',
    route: 'POST /account/language',
    by: 'person',
    refused: () => ({ path: '/account/data', sends: { action: '/account/language', fields: { language: 'xx' } } }),
  },
  {
    name: 'data-session',
    route: 'POST /account/sessions/end',
    by: 'person',
    refused: () => ({ path: '/account/data', sends: { action: '/account/sessions/end', fields: { session: '' } } }),
  },
  {
    name: 'data-sign-out',
    route: 'POST /account/sessions/end-everywhere',
    by: 'person',
    refused: () => ({
      path: '/account/data',
      sends: { action: '/account/sessions/end-everywhere', fields: { session: 'x' } },
    }),
  },
  {
    name: 'data-card',
    route: 'POST /account/cards/{id}/remove',
    by: 'person',
    refused: () => ({ path: '/account/data', sends: { action: '/account/cards/pm_none/remove' }, status: 404 }),
  },
  {
    name: 'order-cancel',
    route: 'POST /account/orders/{id}/cancel',
    by: 'person',
    refused: ({ delivered: path }) => ({ path, sends: { action: `${path}/cancel` }, status: 409 }),
  },
  {
    name: 'order-return',
    route: 'POST /account/orders/{id}/return',
    by: 'person',
    refused: ({ unpaid: path }) => ({ path, sends: { action: `${path}/return` }, status: 409 }),
  },
  {
    name: 'order-resend',
    route: 'POST /account/orders/{id}/resend',
    by: 'person',
    refused: ({ delivered, unpaid }) => ({
      path: delivered,
      sends: { action: `${unpaid}/resend`, fields: { once: unknownId } },
      status: 409,
    }),
  },
  {
    name: 'withdrawal-confirm',
    route: 'POST /account/orders/{id}/withdrawal/confirm',
    by: 'person',
    refused: ({ delivered: path }) => ({
      path,
      sends: { action: `${path}/withdrawal/confirm`, fields: { name: '' } },
    }),
  },
  {
    name: 'email-change',
    route: 'POST /email-change/{token}',
    by: 'nobody',
    refused: ({ emailChange: path }) => ({ path, sends: { action: `/email-change/${unknownSecret}` }, status: 404 }),
  },
  {
    name: 'unsubscribe',
    route: 'POST /u/{token}',
    by: 'nobody',
    refused: ({ unsubscribe: path }) => ({ path, sends: { action: `/u/${unknownSecret}` }, status: 404 }),
  },
]

const signInFirst = (path: string): Way => ({ by: 'nobody', path, status: 401 })

/** An act with its form: it is refused without a reason. */
const act = (
  name: string,
  route: string,
  pathOf: (of: OperatorsPaths) => string,
  fields: Readonly<Record<string, string>> = {},
): PageCase<OperatorsPaths> => ({
  name: `console-${name}`,
  route: `GET /console/${route}`,
  by: 'operator',
  main: (of) => ({ path: pathOf(of) }),
  failing: (of) => ({
    path: pathOf(of),
    sends: { action: pathOf(of), fields: { ...fields, reason: '' } },
    status: 422,
  }),
  refuses: [`POST /console/${route}`],
})

const orderAct = (name: string, of: 'order' | 'held' = 'order', fields: Readonly<Record<string, string>> = {}) =>
  act(name, `orders/{id}/${name}`, (paths) => `${paths[of]}/${name}`, fields)

/** Pages in English. */
export const operatorsPages: readonly PageCase<OperatorsPaths>[] = [
  {
    name: 'docs',
    route: 'GET /docs',
    by: 'nobody',
    main: () => ({ path: '/docs' }),
    failing: () => ({ path: '/docs/nowhere' }),
  },
  {
    name: 'docs-quickstart',
    route: 'GET /docs/quickstart',
    by: 'nobody',
    main: () => ({ path: '/docs/quickstart' }),
    failing: 'as docs',
  },
  {
    name: 'docs-order-states',
    route: 'GET /docs/order-states',
    by: 'nobody',
    main: () => ({ path: '/docs/order-states' }),
    failing: 'as docs',
  },
  {
    name: 'docs-events',
    route: 'GET /docs/events',
    by: 'nobody',
    main: () => ({ path: '/docs/events' }),
    failing: 'as docs',
  },
  {
    name: 'docs-problem',
    route: 'GET /problems/{code}',
    by: 'nobody',
    main: () => ({ path: '/problems/out_of_stock' }),
    failing: () => ({ path: '/problems/none' }),
  },
  {
    name: 'console-sign-in',
    route: 'GET /console',
    by: 'nobody',
    main: () => ({ path: '/console' }),
    failing: () => ({
      path: '/console',
      sends: { action: '/console/sign-in', fields: { key: 'invented' } },
      status: 401,
    }),
    refuses: ['POST /console/sign-in'],
  },
  {
    name: 'console-home',
    route: 'GET /console',
    by: 'operator',
    main: () => ({ path: '/console' }),
    failing: () => ({ path: '/console?tasks=invented', status: 400 }),
  },
  {
    name: 'console-search',
    route: 'POST /console/search',
    by: 'operator',
    main: () => ({
      path: '/console',
      sends: { action: '/console/search', fields: { query: 'nobody@people.example' } },
    }),
    failing: () => ({
      path: '/console',
      sends: { action: '/console/search', fields: { query: 'x'.repeat(400) } },
      status: 400,
    }),
    refuses: ['POST /console/search'],
  },
  {
    name: 'console-promises',
    route: 'GET /console/promises',
    by: 'operator',
    main: () => ({ path: '/console/promises' }),
    failing: () => signInFirst('/console/promises'),
  },
  {
    name: 'console-orders',
    route: 'GET /console/orders',
    by: 'operator',
    main: () => ({ path: '/console/orders' }),
    failing: () => ({ path: '/console/orders?currency=EURO', status: 400 }),
  },
  {
    name: 'console-order',
    route: 'GET /console/orders/{id}',
    by: 'operator',
    main: ({ order: path }) => ({ path }),
    failing: () => ({ path: `/console/orders/${unknownId}` }),
  },
  orderAct('approve', 'held'),
  orderAct('reject', 'held'),
  orderAct('cancel', 'held'),
  orderAct('resend'),
  orderAct('retry'),
  orderAct('refund'),
  orderAct('refund-part', 'order', { amount: 'a bit' }),
  orderAct('note'),
  act('dispute-submit', 'orders/{id}/disputes/{disputeId}/submit', ({ dispute }) => `${dispute}/submit`),
  act('dispute-accept', 'orders/{id}/disputes/{disputeId}/accept', ({ dispute }) => `${dispute}/accept`),
  {
    name: 'console-account',
    route: 'GET /console/accounts/{id}',
    by: 'operator',
    main: ({ account: path }) => ({ path }),
    failing: () => ({ path: `/console/accounts/${unknownId}` }),
  },
  act('account-note', 'accounts/{id}/note', ({ account }) => `${account}/note`),
  act('account-sign-out', 'accounts/{id}/sign-out', ({ account }) => `${account}/sign-out`),
  act('account-waive', 'accounts/{id}/waive-old-address', ({ account }) => `${account}/waive-old-address`),
  act('account-delete', 'accounts/{id}/delete', ({ account }) => `${account}/delete`),
  act('account-enter', 'accounts/{id}/enter-request', ({ account }) => `${account}/enter-request`, { message: '' }),
  act('account-child', 'accounts/{id}/child-report', ({ account }) => `${account}/child-report`),
  {
    name: 'console-bulk',
    route: 'GET /console/bulk-actions',
    by: 'operator',
    main: () => ({ path: '/console/bulk-actions' }),
    failing: () => ({
      path: '/console/bulk-actions',
      sends: { action: '/console/bulk-actions', fields: { paidFrom: 'yesterday', reason: '' } },
      status: 422,
    }),
    refuses: ['POST /console/bulk-actions'],
  },
  {
    name: 'console-bulk-report',
    route: 'GET /console/bulk-actions/{id}',
    by: 'operator',
    main: ({ bulk: path }) => ({ path }),
    failing: () => ({ path: `/console/bulk-actions/${unknownId}` }),
  },
  {
    name: 'console-bulk-ended',
    route: 'GET /console/bulk-actions/{id}',
    by: 'operator',
    main: ({ bulkEnded: path }) => ({ path }),
    failing: 'as console-bulk-report',
  },
  act('bulk-pause', 'bulk-actions/{id}/pause', ({ bulk }) => `${bulk}/pause`),
  act('bulk-resume', 'bulk-actions/{id}/resume', ({ bulk }) => `${bulk}/resume`),
  act('bulk-cancel', 'bulk-actions/{id}/cancel', ({ bulk }) => `${bulk}/cancel`),
  {
    name: 'console-tasks',
    route: 'GET /console/tasks',
    by: 'operator',
    main: () => ({ path: '/console/tasks' }),
    failing: () => ({ path: '/console/tasks?urgency=none', status: 400 }),
  },
  act('task-take', 'attention/{id}/take', ({ task }) => `${task}/take`),
  act('task-note', 'attention/{id}/note', ({ task }) => `${task}/note`),
  act('task-settle', 'attention/{id}/settle', ({ task }) => `${task}/settle`),
  act('task-complete', 'attention/{id}/complete', ({ task }) => `${task}/complete`),
  act('task-try-again', 'attention/{id}/try-again', ({ task }) => `${task}/try-again`),
  {
    name: 'console-requests',
    route: 'GET /console/privacy-requests',
    by: 'operator',
    main: () => ({ path: '/console/privacy-requests' }),
    failing: () => ({ path: '/console/privacy-requests?state=none', status: 400 }),
  },
  {
    name: 'console-request',
    route: 'GET /console/privacy-requests/{id}',
    by: 'operator',
    main: ({ request: path }) => ({ path }),
    failing: () => ({ path: `/console/privacy-requests/${unknownId}` }),
  },
  act('enter-request', 'enter-request', () => '/console/enter-request', { replyTo: 'nowhere' }),
  act('request-answer', 'privacy-requests/{id}/resolve', ({ request }) => `${request}/resolve`),
  act('request-extend', 'privacy-requests/{id}/extend', ({ request }) => `${request}/extend`),
  {
    name: 'console-sessions',
    route: 'GET /console/sessions',
    by: 'operator',
    main: () => ({ path: '/console/sessions' }),
    failing: () => signInFirst('/console/sessions'),
  },
]

/** Forms of these pages that are refused. */
export const operatorsForms: readonly FormCase<OperatorsPaths>[] = [
  {
    name: 'console-sign-in-person',
    route: 'POST /console/sign-in/person',
    by: 'nobody',
    refused: () => ({
      path: '/console',
      sends: { action: '/console/sign-in/person', fields: { email: 'ops@people.example', password: 'x', code: '0' } },
      status: 401,
    }),
  },
  {
    name: 'console-bulk-start',
    route: 'POST /console/bulk-actions/{id}/start',
    by: 'operator',
    refused: ({ bulk: path }) => ({
      path,
      sends: { action: `/console/bulk-actions/${unknownId}/start` },
      status: 404,
    }),
  },
  {
    name: 'console-session',
    route: 'POST /console/sessions/end',
    by: 'operator',
    refused: () => ({
      path: '/console/sessions',
      sends: { action: '/console/sessions/end', fields: { session: 'x' } },
    }),
  },
]

/** Pages and forms that no row shows, with the reason. */
export const notInTheTable: Readonly<Record<string, string>> = {
  'GET /console/sign-in/openid/callback': 'needs an OpenID provider: test/sign-in of operators',
  'POST /console/sign-in/openid': 'needs an OpenID provider: test/sign-in of operators',
  'POST /account/sign-out': 'nothing of it can be refused',
  'POST /console/sign-out': 'nothing of it can be refused',
}
