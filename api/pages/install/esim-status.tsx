/** The state, the validity and the usage of an eSIM in plain words. */
import { dataAmount, moment, days as someDays, validityStart } from '../../../mails/format.ts'
import type { EsimState, ValidityStart } from '../../../providers/esim.ts'

export interface EsimLife {
  state: EsimState
  suspended: boolean
  totalBytes: number | null
  usedBytes: number
  /** when the provider told the usage */
  checkedAt: Date
  validityStarts: ValidityStart | null
  activatedAt: Date | null
  /** the last day on which it can be installed */
  unusedUntil: Date | null
  expiresAt: Date | null
}

const states: Record<EsimState, string> = {
  new: 'Ready to be installed',
  installed: 'Installed, not used yet',
  in_use: 'In use',
  used_up: 'All data is used',
  expired: 'Has expired',
  removed: 'Was deleted from the phone',
  cancelled: 'Was given back',
  suspended: 'On hold',
  unknown: 'The network has not told its state yet',
}

const over: readonly EsimState[] = ['expired', 'removed', 'cancelled']

/** Whether an eSIM can still be installed or used. */
export const isUsable = ({ state }: Pick<EsimLife, 'state'>): boolean => !over.includes(state)

/** Airalo does not tell when an eSIM was activated. */
export const hasStarted = ({ state, activatedAt, usedBytes }: EsimLife): boolean =>
  activatedAt !== null || usedBytes > 0 || ['in_use', 'used_up', 'expired'].includes(state)

export function StateBadge({ esim }: { esim: EsimLife }) {
  const tone = esim.suspended || esim.state === 'used_up' ? ' attention' : isUsable(esim) ? '' : ' over'
  return <span className={`badge${tone}`}>{esim.suspended ? 'On hold' : states[esim.state]}</span>
}

export function Validity({ esim, days }: { esim: EsimLife; days: number }) {
  const { state, expiresAt, unusedUntil, validityStarts } = esim
  if (expiresAt) {
    return (
      <p>
        {state === 'expired' ? 'Ended' : 'Valid until'} {moment(expiresAt)}.
      </p>
    )
  }
  if (hasStarted(esim) || !isUsable(esim)) return null
  return (
    <p>
      Valid for {someDays(days)} {validityStart(validityStarts)}.
      {validityStarts === 'installation' ? ' Install it shortly before you leave.' : null}
      {validityStarts === 'first_use' ? ' You can install it at home today.' : null}
      {unusedUntil && state === 'new' ? ` Install it before ${moment(unusedUntil)}.` : null}
    </p>
  )
}

export function Usage({ esim: { usedBytes, totalBytes, checkedAt }, name }: { esim: EsimLife; name: string }) {
  return (
    <>
      {totalBytes === null ? (
        <p>{dataAmount(usedBytes)} used, without a limit</p>
      ) : (
        <>
          <progress value={Math.min(usedBytes, totalBytes)} max={totalBytes} aria-label={`Used data: ${name}`} />
          <p>
            {dataAmount(usedBytes)} of {dataAmount(totalBytes)} used
          </p>
        </>
      )}
      <p className="quiet">Read at the network on {moment(checkedAt)}. Networks count with a delay of some hours.</p>
    </>
  )
}
