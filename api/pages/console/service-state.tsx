/** The page with the state of outside parties, mails, webhooks, backups and keys. */
import type { ServiceState } from '../../../db/operator/service-state.ts'
import { day, moment } from '../../../mails/format.ts'
import { outsideParties } from '../../../policy/outside-parties.ts'
import { isKeyOf } from '../../../shared/keys-of.ts'
import { Facts } from '../form.tsx'
import { age } from './parts.tsx'

export const partyName = (party: string): string => (isKeyOf(outsideParties, party) ? outsideParties[party] : party)

/** @param backupIsLate the newest backup is older than it may be, or there is none */
export function State({ of: state, asOf, backupIsLate }: { of: ServiceState; asOf: Date; backupIsLate: boolean }) {
  const { parties, mails, webhooks, backups, keys } = state
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
        ...(webhooks.length === 0 ? [['Webhooks', 'none came yet'] as const] : []),
        ...webhooks.map(
          // Only their day is kept.
          ({ source, last, today }) => [`Webhooks of ${source}`, `${today} today, the last on ${day(last)}`] as const,
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
