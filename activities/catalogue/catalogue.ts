/** Updates our packages and offers from the providers' price lists. */
import type { Context } from '../../context.ts'
import {
  addPackages,
  changeCatalogue,
  decideSale,
  listFamilies,
  withdrawUnseen,
  writeOffers,
} from '../../db/catalogue/catalogue.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import type { EsimProviderId } from '../../policy/outside-parties.ts'
import { periods } from '../../policy/periods.ts'
import { checkPrice, costCurrency, exchangeRateOf, firstPriceMinor } from '../../policy/pricing.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { CatalogueActivities, ProviderOutcome } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import { mergeLists, type PriceList } from './merge.ts'

type Answer = { provider: EsimProviderId } & (
  | { list: PriceList<EsimProviderId>; unreadable: number }
  | { failure: ProviderFailure }
  | { unforeseen: unknown }
)

const staleTask = 'provider_offers_stale'
const unreadableTask = 'provider_packages_unreadable'

export function createCatalogueActivities(context: Context): CatalogueActivities {
  const { sql, config } = context
  const exchange = exchangeRateOf(config)

  return {
    async syncCatalogue({ providers, asOf }) {
      const at = new Date(asOf)
      const answers = await Promise.all(providers.map(ask))
      const synced = await changeCatalogue(sql, (tx) => write(tx, answers, at))
      const unforeseen = answers.find((answer) => 'unforeseen' in answer)
      if (unforeseen) throw unforeseen.unforeseen
      return synced
    },
  }

  async function ask(provider: EsimProviderId): Promise<Answer> {
    try {
      let unreadable = 0
      const packages = await context.esimProviders[provider].listPackages(() => {
        unreadable += 1
      })
      context.metrics.unreadablePackages.set({ provider }, unreadable)
      // The format of the list has changed: what is left of it would withdraw most offers.
      if (unreadable > packages.length) throw new ProviderFailure(provider, 'unavailable', 'unreadable_catalogue')
      // An empty list is more likely a fault of the provider. Its offers are withdrawn after `staleAfterMs`.
      if (packages.length === 0) throw new ProviderFailure(provider, 'unavailable', 'empty_catalogue')
      return { provider, list: { provider, packages }, unreadable }
    } catch (error) {
      if (!isProviderFailure(error)) return { provider, unforeseen: error }
      return { provider, failure: error }
    }
  }

  async function write(tx: Transaction, answers: Answer[], at: Date) {
    const lists = answers.flatMap((answer) => ('list' in answer ? [answer.list] : []))
    const { packages, leftOut } = mergeLists(lists, await listFamilies(tx), (costs) =>
      firstPriceMinor(costs, exchange, config.PRICE_MARKUP_PERCENT),
    )
    const packagesAdded = await addPackages(tx, packages, { currency: exchange.currency, at })
    const changes = { packagesAdded, offersChanged: 0, offersWithdrawn: 0 }
    const outcomes: Partial<Record<EsimProviderId, ProviderOutcome>> = {}
    for (const answer of answers) {
      const { provider } = answer
      if ('list' in answer) {
        const seenSince = plusMs(at, -periods.catalogue.seenGrainMs)
        const offers = await writeOffers(tx, provider, packages, { costCurrency, at, seenSince })
        changes.offersChanged += offers.changed
        changes.offersWithdrawn += offers.withdrawn
        await resolveOperatorTask(tx, { kind: staleTask, subjectId: provider, by: 'catalogue', at })
        await noteUnreadable(tx, provider, answer.unreadable, at)
        outcomes[provider] = {
          state: 'listed',
          packages: answer.list.packages.length,
          leftOut: {
            ...leftOut.get(provider),
            ...(answer.unreadable > 0 && { unreadable: answer.unreadable }),
          },
        }
      } else if ('failure' in answer) {
        changes.offersWithdrawn += await noteFailure(tx, answer.failure, at)
        outcomes[provider] = { state: 'failed', code: answer.failure.code }
      }
    }
    const sale = await decideSale(tx, { checkPrice: (price, cost) => checkPrice(price, cost, exchange), at })
    return { outcomes, changes: { ...changes, ...sale } }
  }

  /** An entry that we cannot read is not sold until an operator has looked at it. */
  async function noteUnreadable(tx: Transaction, provider: EsimProviderId, count: number, at: Date): Promise<void> {
    const task = { kind: unreadableTask, subjectId: provider, at }
    if (count > 0) await raiseOperatorTask(tx, { ...task, detail: `${count} entries` })
    else await resolveOperatorTask(tx, { ...task, by: 'catalogue' })
  }

  /** Keeps the provider's offers until they are too old to be sold. Returns how many were too old. */
  async function noteFailure(tx: Transaction, { provider, code }: ProviderFailure, at: Date): Promise<number> {
    const stale = await withdrawUnseen(tx, provider, plusMs(at, -periods.catalogue.staleAfterMs))
    if (stale > 0) await raiseOperatorTask(tx, { kind: staleTask, subjectId: provider, detail: code, at })
    return stale
  }
}
