/** The page with the state of outside parties, mails, webhooks, backups and keys. */
import type { ServiceState } from '../../../db/operator/service-state.ts'
import { day, moment } from '../../../mails/format.ts'
import { partyName } from '../../views/plain.ts'
import { Facts } from '../form.tsx'
import { age } from './parts.tsx'

/** @param backupIsLate the newest backup is older than it may be, or there is none */
export function State({ of: state, asOf, backupIsLate }: { of: ServiceState; asOf: Date; backupIsLate: boolean }) {
  const { parties, mails, webhooks, endpoints, backups, keys } = state
  return (
    <Facts
      of={[
        ...parties.map(
          (party) =>
            [
              partyName(party.party),
              party.down_since ? (
                <span key="down" className="broken">
                  down for {age(asOf, party.down_since)}
                </span>
              ) : party.failing_since ? (
                <span key="fails" className="unknown">
                  fails since {moment(party.failing_since)}: {party.code}
                </span>
              ) : (
                `answered ${party.answered_at ? `${age(asOf, party.answered_at)} ago` : 'never'}`
              ),
            ] as const,
        ),
        [
          'Mails of 24 h',
          <>
            {mails.sent} sent,{' '}
            <span className={mails.failed > 0 ? 'broken' : undefined}>{mails.failed} not delivered</span>,{' '}
            {mails.waiting} waiting
            {mails.oldestWaiting ? `, the oldest for ${age(asOf, mails.oldestWaiting)}` : ''}
          </>,
        ],
        ...(webhooks.length === 0 ? [['Webhooks to us', 'none came yet'] as const] : []),
        ...webhooks.map(
          // Only their day is kept.
          ({ source, last, today }) => [`Webhooks of ${source}`, `${today} today, the last on ${day(last)}`] as const,
        ),
        ...(endpoints.length === 0 ? [['Our events', 'are sent nowhere'] as const] : []),
        ...endpoints.map(
          (endpoint) =>
            [
              `Our events to ${addressOf(endpoint.url)} (${endpoint.id.slice(0, 8)})`,
              <Endpoint key={endpoint.id} of={endpoint} asOf={asOf} />,
            ] as const,
        ),
        [
          'Backups',
          <span key="backups" className={backupIsLate ? 'broken' : undefined}>
            {backups?.newest_at
              ? `${backups.files} kept, the newest ${age(asOf, backups.newest_at)} old`
              : 'there is none'}
          </span>,
        ],
        ...keys
          .filter(({ activeSince }) => activeSince !== null)
          .map(
            ({ purpose, id, activeSince }) =>
              [`Key for ${purpose}s`, `${id}${activeSince ? `, for ${age(asOf, activeSince)}` : ''}`] as const,
          ),
      ]}
    />
  )
}

/** Without what its query may hold: a password of the receiver. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

const disabledBecause: Record<NonNullable<ServiceState['endpoints'][number]['disabled_because']>, string> = {
  asked: 'as its owner has asked for',
  failing: 'it has taken nothing for three days',
  gone: 'it has answered 410',
}

function Endpoint({ of: endpoint, asOf }: { of: ServiceState['endpoints'][number]; asOf: Date }) {
  const { waiting, untaken_since: untakenSince, code } = endpoint
  const taken = endpoint.delivered_at ? `took one ${age(asOf, endpoint.delivered_at)} ago` : 'has taken none yet'
  if (endpoint.state === 'disabled')
    return (
      <span className={endpoint.disabled_because === 'asked' ? 'unknown' : 'broken'}>
        disabled: {disabledBecause[endpoint.disabled_because ?? 'asked']}; {taken}
      </span>
    )
  if (waiting === 0) return <>{taken}</>
  return (
    <>
      {taken},{' '}
      <span className="broken">
        {waiting} not taken{untakenSince ? `, the oldest for ${age(asOf, untakenSince)}` : ''}
        {code ? `: ${code}` : ''}
      </span>
    </>
  )
}
