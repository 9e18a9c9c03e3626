import { createServer } from 'node:http'
import express, { type Express } from 'express'
import helmet from 'helmet'
import type { ApiContext } from '../context.ts'
import { listenOn } from '../shared/process/listen.ts'
import { createEvidence } from './evidence/evidence.ts'
import { registerEvidenceGauges } from './evidence/gauges.ts'
import { registerOperationGauges } from './evidence/operation-gauges.ts'
import { startWatch } from './evidence/watch.ts'
import { type AnsweringTimes, defaultAnswering } from './http/answering.ts'
import { createAuthenticator } from './http/auth.ts'
import { createDatabaseGate } from './http/database-gate.ts'
import { createErrorHandler } from './http/error-handler.ts'
import { createLimiter, defaultLimits, type Limits } from './http/limits.ts'
import { mountRoutes } from './http/mount.ts'
import { describeRoutes, type OpenApiDocument } from './http/openapi.ts'
import { Problem } from './http/problem.ts'
import { createRequestLog } from './http/request-log.ts'
import type { Route } from './http/route.ts'
import { accessRoutes } from './routes/accesses.ts'
import { accountDeletionRoutes } from './routes/accounts/account-deletion.ts'
import { accountRoutes } from './routes/accounts/accounts.ts'
import { deletionRoutes } from './routes/accounts/deletions.ts'
import { deviceRoutes } from './routes/accounts/devices.ts'
import { signOutRoutes } from './routes/accounts/sign-outs.ts'
import { checkoutRoutes } from './routes/checkouts.ts'
import { consentRoutes } from './routes/consents.ts'
import { consoleRoutes } from './routes/console/console.ts'
import { emailChangeRoutes } from './routes/email-changes.ts'
import { esimRoutes } from './routes/esims.ts'
import { eventRoutes } from './routes/events/events.ts'
import { webhookEndpointRoutes } from './routes/events/webhook-endpoints.ts'
import { exportRoutes } from './routes/exports.ts'
import { healthRoutes } from './routes/health.ts'
import { backupRoutes } from './routes/operator/backups/backups.ts'
import { restoreRoutes } from './routes/operator/backups/restores.ts'
import { booksRoutes } from './routes/operator/books/books.ts'
import { datevRoutes } from './routes/operator/books/datev.ts'
import { taxBooksRoutes } from './routes/operator/books/tax-books.ts'
import { breachRoutes } from './routes/operator/breaches.ts'
import { bulkActionRoutes } from './routes/operator/bulk-actions.ts'
import { campaignRoutes } from './routes/operator/campaigns.ts'
import { catalogueRoutes } from './routes/operator/catalogue.ts'
import { codecCors, codecRoutes } from './routes/operator/codec.ts'
import { disputeRoutes } from './routes/operator/disputes.ts'
import { keyRotationRoutes } from './routes/operator/key-rotations.ts'
import { operatorTaskRoutes } from './routes/operator/operator-tasks.ts'
import { operatorActRoutes } from './routes/operator/order-acts.ts'
import { orderTimelineRoutes } from './routes/operator/order-timeline.ts'
import { outageRoutes } from './routes/operator/outages.ts'
import { reconciliationRoutes } from './routes/operator/reconciliations.ts'
import { sandboxRoutes } from './routes/operator/sandbox.ts'
import { searchRoutes } from './routes/operator/search.ts'
import { orderRoutes } from './routes/orders.ts'
import { packageRoutes } from './routes/packages.ts'
import { policyRoutes } from './routes/policies.ts'
import { privacyRequestRoutes } from './routes/privacy-requests.ts'
import { promiseRoutes } from './routes/promises.ts'
import { signInRoutes } from './routes/sign-ins.ts'
import { transparencyRoutes } from './routes/transparency.ts'
import { accessPageRoutes } from './routes/web/accesses.ts'
import { accountPageRoutes } from './routes/web/account-pages.ts'
import { deletionPageRoutes } from './routes/web/deletion-pages.ts'
import { docsRoutes } from './routes/web/docs.ts'
import { installRoutes } from './routes/web/install.ts'
import { languageRoutes } from './routes/web/language.ts'
import { myEsimsPageRoutes } from './routes/web/my-esims-page.ts'
import { orderDocumentPageRoutes } from './routes/web/order-document-pages.ts'
import { orderPageRoutes } from './routes/web/order-pages.ts'
import { sessionRoutes } from './routes/web/sessions.ts'
import { startPageRoutes } from './routes/web/start-page.ts'
import { topUpPageRoutes } from './routes/web/top-up-pages.ts'
import { unsubscribeRoutes } from './routes/web/unsubscribe.ts'
import { bounceRoutes } from './routes/webhooks/bounces.ts'
import { webhookRoutes } from './routes/webhooks/payments-and-esims.ts'
import { signInWebhookRoutes } from './routes/webhooks/sign-in.ts'
import { withdrawalRoutes } from './routes/withdrawals.ts'
import { createWebhookInbox } from './runs/webhook-inbox.ts'
import { enumerations } from './views/enumeration.ts'
import { eventWebhook } from './views/event-view.ts'

export interface ApiOptions {
  /** override the defaults of limits.ts, which tests would exceed */
  limits?: Partial<Limits>
  receiving?: Partial<ReceivingTimeouts>
  answering?: Partial<AnsweringTimes>
}

/** How long a caller may take, in milliseconds. After that the connection is cut. */
export interface ReceivingTimeouts {
  /** all headers: a few kB, which need a few round trips */
  headersMs: number
  /** headers and body: 64 kB over the slowest mobile connection, about 4 kB/s */
  requestMs: number
  /** the interval of the check, by which a request may exceed the bounds above */
  checkMs: number
  /** while nothing is sent or taken: an answer that nobody takes would be held for ever. Longer than any takes to make */
  silentMs: number
}

export interface Api {
  app: Express
  routes: readonly Route[]
  readonly document: OpenApiDocument
  /** Starts to listen. @param port 0 picks a free port */
  listen(port: number, host?: string): Promise<RunningApi>
}

export interface RunningApi {
  url: string
  port: number
  /**
   * Answers `/readyz` with 503, accepts no new connections and finishes open requests.
   * @param options.drainMs after this time connections that are still open are cut
   */
  stop(options?: { drainMs?: number }): Promise<void>
}

/**
 * For answers that are not pages: a browser may load and run nothing for them. Pages have their own policy
 * (api/pages/layout.tsx).
 */
const allowsNothing = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** Longer than a proxy keeps idle connections: if we closed first, the proxy could send a request into a closed one. */
const keepAliveMs = 65_000
const defaultReceiving: ReceivingTimeouts = { headersMs: 10_000, requestMs: 20_000, checkMs: 1_000, silentMs: 60_000 }
/** A request that has come before the end gets its answer, if it is 503 after all its time. */
export const apiDrainMs = defaultAnswering.usual + 1_000

/** Creates the API. It listens only after `listen`. */
export function createApi(api: ApiContext, options: ApiOptions = {}): Api {
  let stopping = false
  const receiving = { ...defaultReceiving, ...options.receiving }
  const limiter = createLimiter({ ...defaultLimits, ...options.limits }, api.metrics)
  const evidence = createEvidence(api)
  registerEvidenceGauges(api.metrics, evidence)
  registerOperationGauges(api)
  api.metrics.process.set({ process: 'api' }, 1)
  const inbox = createWebhookInbox(api)
  const routes: Route[] = [
    ...packageRoutes(api),
    ...catalogueRoutes(api),
    ...accountRoutes(api),
    ...accountDeletionRoutes(api),
    ...accessRoutes(api),
    ...deletionRoutes(api),
    ...transparencyRoutes(api),
    ...signInRoutes(api),
    ...deviceRoutes(api),
    ...signOutRoutes(api),
    ...exportRoutes(api),
    ...eventRoutes(api),
    ...webhookEndpointRoutes(api),
    ...emailChangeRoutes(api),
    ...consentRoutes(api),
    ...checkoutRoutes(api),
    ...orderRoutes(api),
    ...esimRoutes(api),
    ...disputeRoutes(api),
    ...withdrawalRoutes(api),
    ...taxBooksRoutes(api),
    ...datevRoutes(api),
    ...privacyRequestRoutes(api),
    ...breachRoutes(api),
    ...campaignRoutes(api),
    ...bulkActionRoutes(api),
    ...keyRotationRoutes(api),
    ...promiseRoutes(api, evidence),
    ...operatorTaskRoutes(api),
    ...outageRoutes(api),
    ...searchRoutes(api),
    ...orderTimelineRoutes(api),
    ...operatorActRoutes(api),
    ...consoleRoutes(api, evidence, limiter),
    ...codecRoutes(api),
    ...unsubscribeRoutes(api),
    ...startPageRoutes(),
    ...myEsimsPageRoutes(api),
    ...orderPageRoutes(api),
    ...orderDocumentPageRoutes(api),
    ...topUpPageRoutes(api),
    ...languageRoutes(api),
    ...accountPageRoutes(api),
    ...accessPageRoutes(api),
    ...sessionRoutes(api),
    ...deletionPageRoutes(api),
    ...installRoutes(api),
    ...policyRoutes(api),
    ...booksRoutes(api),
    ...backupRoutes(api),
    ...reconciliationRoutes(api),
    ...restoreRoutes(api),
    ...webhookRoutes(api, inbox),
    ...bounceRoutes(api),
    ...sandboxRoutes(api),
    ...signInWebhookRoutes(api, inbox),
    ...healthRoutes(api, () => stopping),
    ...docsRoutes(() => ({ routes, document: described() })),
  ]
  // Made when somebody reads it.
  let document: OpenApiDocument | undefined
  const described = (): OpenApiDocument => {
    document ??= describeRoutes(routes, api.config.PUBLIC_URL, eventWebhook, enumerations)
    return document
  }

  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('case sensitive routing', true)
  app.set('query parser', 'simple')
  // P6, the security provider in front of the service processes request IPs: only a configured proxy may state the
  // caller's IP address.
  app.set('trust proxy', api.config.TRUSTED_PROXIES)
  app.use(...createRequestLog(api.log, api.metrics))
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: allowsNothing } }))
  app.use((_request, response, next) => {
    if (stopping) response.set('Connection', 'close')
    next()
  })
  app.use('/codec', codecCors(api.config.TEMPORAL_UI_URL))
  const answering = { ...defaultAnswering, ...options.answering }
  const fail = createErrorHandler(api)
  mountRoutes(app, routes, {
    context: api,
    limiter,
    authenticate: createAuthenticator(api, limiter),
    answering,
    fail,
    assertUsable: createDatabaseGate(api),
  })
  app.use(() => {
    throw new Problem('not_found')
  })
  app.use(fail)

  return {
    app,
    routes,
    get document() {
      return described()
    },
    listen,
  }

  async function listen(port: number, host = '127.0.0.1'): Promise<RunningApi> {
    const server = createServer(
      {
        keepAliveTimeout: keepAliveMs,
        headersTimeout: receiving.headersMs,
        requestTimeout: receiving.requestMs,
        connectionsCheckingInterval: receiving.checkMs,
      },
      app,
    )
    server.setTimeout(receiving.silentMs)
    // Node would answer an expectation that it does not know with 417, before there is a route, without a header of ours.
    // RFC 9110, section 10.1.1: it may be ignored.
    server.on('checkExpectation', app)
    const actual = await listenOn(server, port, host)
    const stopWatch = startWatch(api)
    return {
      url: `http://${host}:${actual}`,
      port: actual,
      async stop({ drainMs = apiDrainMs } = {}) {
        stopping = true
        const closed = new Promise((resolve) => server.close(resolve))
        const cut = setTimeout(() => server.closeAllConnections(), drainMs)
        await Promise.all([closed, stopWatch()])
        clearTimeout(cut)
        limiter.stop()
      },
    }
  }
}
