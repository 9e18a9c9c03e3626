/** Operators set our prices and synchronise the catalogue with the eSIM providers. */
import { isGrpcDeadlineError } from '@temporalio/client'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { changeCatalogue, decideSale, setPrice } from '../../../db/catalogue/catalogue.ts'
import { findPackage } from '../../../db/catalogue/packages.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { checkPrice, exchangeRateOf, maxPriceMinor } from '../../../policy/pricing.ts'
import { queryRun, startUnlessOpen } from '../../../temporal/runs.ts'
import {
  type CatalogueSyncState,
  catalogueSyncState,
  catalogueSyncType,
  catalogueSyncWorkflowId,
} from '../../../workflows/catalogue/catalogue-sync.contract.ts'
import { actAndRecord, entryOn } from '../../acts/recorded-acts.ts'
import { actorOf } from '../../http/caller.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { actReason, whyField } from '../../views/operator-words.ts'
import { packageCode } from '../checkouts.ts'
import { packageForSale, viewPackage } from '../packages.ts'

const price = z
  .strictObject({ minor: z.int().min(1).max(maxPriceMinor), currency: z.string().regex(/^[A-Z]{3}$/), ...whyField })
  .meta({ id: 'NewPrice' })

const pricedPackage = packageForSale
  .extend({
    onSale: z
      .boolean()
      .describe('false when no provider offers it, or when the price is below the cost of every offer'),
  })
  .meta({ id: 'PricedPackage' })

const count = z.int().nonnegative()
const outcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting') }),
  z.object({
    state: z.literal('listed'),
    packages: count,
    leftOut: z.record(z.string(), count).describe('number of packages that are not sold, by reason'),
  }),
  z.object({ state: z.literal('failed'), code: z.string() }),
])
const syncReport = z
  .object({
    providers: z.record(z.string(), outcome),
    changes: z.object({
      packagesAdded: count,
      offersChanged: count,
      offersWithdrawn: count,
      putOnSale: count,
      takenOffSale: count,
    }),
  })
  .meta({ id: 'CatalogueSync' })

/** Providers answer within seconds; the run retries one that is down for longer than a caller waits. */
const answerWithinMs = 8_000

export function catalogueRoutes(api: ApiContext): Route[] {
  const { sql, config, temporal } = api
  const exchange = exchangeRateOf(config)

  return [
    defineRoute({
      method: 'put',
      path: '/v1/packages/{code}/price',
      tag: 'packages',
      summary: 'Set our price',
      description: 'A price below what the cheapest offer costs us takes the package off sale.',
      promises: ['U2'],
      callers: ['operator'],
      params: z.strictObject({ code: packageCode }),
      body: price,
      responses: { 200: { description: 'The package with its price', schema: pricedPackage } },
      problems: ['not_found'],
      async handle({ params: { code }, body, caller, ip, requestId }) {
        if (body.currency !== exchange.currency) {
          const reason = `must be ${exchange.currency}, the shop's currency`
          throw new Problem('invalid_request', { errors: [{ field: 'currency', reason }] })
        }
        // An entry about no account is kept: what is no package does not come into it.
        orNotFound(await findPackage(sql, code))
        const at = new Date()
        const { before, after } = await actAndRecord(
          api,
          caller,
          undefined,
          entryOn('set-price', code, body),
          async () => {
            const { before, after } = await changeCatalogue(sql, async (tx) => {
              const before = await setPrice(tx, { code, minor: body.minor, currency: body.currency, at })
              await decideSale(tx, { checkPrice: (price, cost) => checkPrice(price, cost, exchange), at, only: code })
              return { before, after: await findPackage(tx, code) }
            })
            if (!before || !after) throw new Problem('not_found')
            return { before, after }
          },
        )
        const change = `${before.minor} ${before.currency} > ${body.minor} ${body.currency}`
        const event = { kind: 'operator_action', actor: actorOf(caller), ip, requestId, at } as const
        await recordSecurityEvent(sql, api, { ...event, detail: `price of ${code}: ${change}` })
        const { onSale, ...sold } = after
        return { status: 200, body: { ...viewPackage(sold), onSale } }
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/packages/sync',
      tag: 'packages',
      summary: 'Read the offers of the eSIM providers now',
      description: 'The offers are also read every hour. The call joins a run that is already open.',
      promises: ['U2'],
      callers: ['operator'],
      body: actReason.optional(),
      responses: {
        200: { description: 'The changes', schema: syncReport },
        202: {
          description: 'The changes so far: a provider has not answered and will be asked again',
          schema: syncReport,
        },
      },
      async handle({ body, caller }) {
        await actAndRecord(api, caller, undefined, entryOn('sync-catalogue', null, body), () =>
          startUnlessOpen(temporal, {
            type: catalogueSyncType,
            workflowId: catalogueSyncWorkflowId,
            taskQueue: config.TEMPORAL_TASK_QUEUE,
            staticSummary: 'Asked for by an operator',
          }),
        )
        try {
          const run = temporal.workflow.getHandle(catalogueSyncWorkflowId)
          const done: CatalogueSyncState = await temporal.withDeadline(Date.now() + answerWithinMs, () => run.result())
          return { status: 200, body: done }
        } catch (error) {
          if (!isGrpcDeadlineError(error)) throw error
          const soFar = await queryRun(temporal, catalogueSyncWorkflowId, catalogueSyncState)
          if (!soFar) throw error
          return { status: 202, body: soFar }
        }
      },
    }),
  ]
}
