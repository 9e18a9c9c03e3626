/** Hourly: updates packages, offers and costs from the providers' price lists. It does not change our prices. */
import { proxyActivities, sleep } from '@temporalio/workflow'
import { type EsimProviderId, esimProviderIds } from '../../policy/outside-parties.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { onQuery } from '../run/messages.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import { type CatalogueActivities, type CatalogueSyncState, catalogueSyncState } from './catalogue-sync.contract.ts'

const { syncCatalogue } = proxyActivities<CatalogueActivities>(retry.hourlyStep)

export async function catalogueSync(): Promise<CatalogueSyncState> {
  const state: CatalogueSyncState = {
    providers: { 'esim-access': { state: 'waiting' }, airalo: { state: 'waiting' } },
    changes: { packagesAdded: 0, offersChanged: 0, offersWithdrawn: 0, putOnSale: 0, takenOffSale: 0 },
  }
  onQuery(catalogueSyncState, () => state)
  showStatusDetails({ status: 'asking', waitingFor: esimProviderIds.join(', '), dueAt: null })

  let unanswered = await ask([...esimProviderIds])
  for (const pauseMs of periods.catalogue.askAgainAfterMs) {
    if (unanswered.length === 0) break
    showStatus({ status: 'asking_again', waitingFor: unanswered.join(', '), dueAt: plusMs(new Date(), pauseMs) })
    await sleep(pauseMs, { summary: `until ${unanswered.join(', ')} is asked again` })
    unanswered = await ask(unanswered)
  }
  showStatus({ status: unanswered.length === 0 ? 'synced' : 'incomplete', waitingFor: 'nothing', dueAt: null })
  return state

  /**
   * Returns the providers that did not answer. The answers in an older history lack one that was added since: it is not
   * missed.
   */
  async function ask(providers: EsimProviderId[]): Promise<EsimProviderId[]> {
    const { outcomes, changes } = await syncCatalogue({ providers, asOf: new Date().toISOString() })
    Object.assign(state.providers, outcomes)
    for (const name of keysOf(changes)) state.changes[name] += changes[name]
    return providers.filter((provider) => outcomes[provider]?.state === 'failed')
  }
}
