/** The state, the validity and the usage of an eSIM in plain words. */
import type { Texts } from '../../../messages/texts.ts'
import { type EsimState, isUsable, type ValidityStart } from '../../../providers/esim.ts'

export interface EsimLife {
  state: EsimState
  suspended: boolean
  totalBytes: number | null
  usedBytes: number
  /** when the provider reported the usage */
  checkedAt: Date
  validityStarts: ValidityStart | null
  activatedAt: Date | null
  /** the last day on which it can be installed */
  unusedUntil: Date | null
  expiresAt: Date | null
}

/** Airalo does not report when an eSIM was activated. */
export const hasStarted = ({ state, activatedAt, usedBytes }: EsimLife): boolean =>
  activatedAt !== null || usedBytes > 0 || ['in_use', 'used_up', 'expired'].includes(state)

/** Nothing has been done with it that the network knows of: it can be returned. */
export const isUntouched = ({ state, usedBytes }: Pick<EsimLife, 'state' | 'usedBytes'>): boolean =>
  (state === 'new' || state === 'unknown') && usedBytes === 0

interface Shown {
  texts: Texts
  esim: EsimLife
}

export function StateBadge({ texts: { t }, esim }: Shown) {
  const tone = esim.suspended || esim.state === 'used_up' ? ' attention' : isUsable(esim) ? '' : ' over'
  const state = esim.suspended ? 'suspended' : esim.state
  return <span className={`badge${tone}`}>{t(`install.state.${state}`)}</span>
}

/** What to do about a state in which it does not go online. */
export function StateHelp({ texts: { t }, esim: { state, suspended }, takesTopUps }: Shown & { takesTopUps: boolean }) {
  if (suspended) return <p>{t('install.help.suspended')}</p>
  if (state === 'removed') return <p>{t('install.help.removed')}</p>
  return state === 'used_up' && !takesTopUps ? <p>{t('install.help.usedUp')}</p> : null
}

export function Validity({ texts: { t, day, moment, validity }, esim, days }: Shown & { days: number }) {
  const { state, expiresAt, unusedUntil, validityStarts } = esim
  if (expiresAt) {
    const at = moment(expiresAt)
    return <p>{state === 'expired' ? t('install.ended', { at }) : t('install.validUntil', { at })}</p>
  }
  if (hasStarted(esim) || !isUsable(esim)) return null
  const sentences = [
    t('install.validFor', { days: validity(days, validityStarts) }),
    ...(validityStarts ? [t(`install.hint.${validityStarts}`)] : []),
    ...(unusedUntil && state === 'new' ? [t('install.installBefore', { at: day(unusedUntil) })] : []),
  ]
  return <p>{sentences.join(' ')}</p>
}

export function Usage({ texts, esim: { usedBytes, totalBytes, checkedAt }, name }: Shown & { name: string }) {
  const { t, dataAmount, moment } = texts
  const used = dataAmount(usedBytes)
  return (
    <>
      {totalBytes === null ? (
        <p>{t('install.used', { used })}</p>
      ) : (
        <>
          <progress
            value={Math.min(usedBytes, totalBytes)}
            max={totalBytes}
            aria-label={t('install.usedBar', { name })}
          />
          <p>{t('install.usedOf', { used, total: dataAmount(totalBytes) })}</p>
        </>
      )}
      <p className="quiet">{t('install.read', { at: moment(checkedAt) })}</p>
    </>
  )
}
