/**
 * U3, activation codes are sent: an eSIM in every form that phones accept, and its usage. The mailed link opens the
 * page without a sign-in.
 */
import { locales } from '../../../messages/languages.ts'
import type { Texts } from '../../../messages/texts.ts'
import { isUsable } from '../../../providers/esim.ts'
import { dataOf } from '../account/order-words.ts'
import { Icon } from '../brand/icons.tsx'
import { Facts } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { hasStarted, isUntouched, StateBadge, StateHelp, Usage, Validity } from './esim-status.tsx'
import { type Device, devices, type InstallableEsim, InstallSteps } from './install-steps.tsx'
import { Troubleshooting } from './troubleshooting.tsx'

export interface InstallPage {
  destination: string
  /** ISO 3166-1 alpha-2 */
  countries: readonly string[]
  /** null: unlimited */
  dataBytes: number | null
  /** the volume is per day */
  daily: boolean
  days: number
  /** the order was refunded and its eSIMs returned */
  refunded: boolean
  /** there are top-ups that one of its eSIMs takes */
  takesTopUps: boolean
  /** the phone whose steps are shown */
  device: Device
  esims: InstallableEsim[]
}

export function renderInstall(bought: InstallPage, page: PageContext): string {
  const { destination, esims, refunded, takesTopUps, device } = bought
  const { texts } = page
  const { t } = texts
  const inUse = !refunded && esims.some(isUsable)
  const returnable = esims.every(isUntouched)
  return renderLayout({
    ...page,
    title: t('install.title', { place: texts.place(destination) }),
    copyButtons: true,
    children: (
      <>
        <Bought texts={texts} of={bought} />
        {refunded ? <p className="notice">{t('install.refunded', { count: esims.length })}</p> : null}
        {inUse ? <DeviceSwitch texts={texts} device={device} /> : null}
        {esims.length > 1 ? (
          <nav aria-label={t('install.all')} className="switch">
            {esims.map((esim, index) => (
              <a key={esim.activationCode} href={`#esim-${index + 1}`}>
                {t('install.short', { number: index + 1 })}
              </a>
            ))}
          </nav>
        ) : null}
        {esims.map((esim, index) => (
          <Esim
            key={esim.activationCode}
            id={`esim-${index + 1}`}
            texts={texts}
            esim={esim}
            order={bought}
            name={
              esims.length === 1 ? t('common.yourEsim') : t('common.esimOf', { number: index + 1, count: esims.length })
            }
          />
        ))}
        {inUse ? (
          <p>
            <a className="button plain" href="/account">
              {takesTopUps
                ? t(returnable ? 'install.moreOrReturn' : 'install.more')
                : t(returnable ? 'install.orderOrReturn' : 'install.order')}
            </a>
          </p>
        ) : null}
        {inUse ? <Troubleshooting page={page} device={device} /> : null}
        <p className="quiet">{t('install.secret')}</p>
      </>
    ),
  })
}

function Bought({ texts, of }: { texts: Texts; of: InstallPage }) {
  const { countries, days } = of
  const { t, language, validity } = texts
  const names = countries.map(texts.place).toSorted((a, b) => a.localeCompare(b, locales[language]))
  return (
    <>
      <Facts
        of={[
          [t('install.data'), dataOf(texts, of)],
          [t('order.fact.validFor'), validity(days)],
          ...(names.length === 0 ? [] : [[t('install.worksIn'), shortList(names)] as const]),
        ]}
      />
      {names.length > mostNames ? (
        <details>
          <summary>{t('install.countries', { count: names.length })}</summary>
          {names.join(', ')}
        </details>
      ) : null}
    </>
  )
}

const shortList = (names: readonly string[]): string =>
  names.slice(0, mostNames).join(', ') + (names.length > mostNames ? ', …' : '')

/** Of countries, before they need an opener of their own. */
const mostNames = 8

const deviceNames = { ios: 'iPhone', android: 'Android' } as const

function DeviceSwitch({ texts: { t }, device }: { texts: Texts; device: Device }) {
  return (
    <nav aria-label={t('install.phone')} className="switch">
      {devices.map((each) => (
        <a key={each} href={`?device=${each}`} aria-current={each === device ? 'true' : undefined}>
          {each === 'other' ? t('install.other') : deviceNames[each]}
        </a>
      ))}
    </nav>
  )
}

interface EsimProps {
  id: string
  texts: Texts
  esim: InstallableEsim
  name: string
  order: InstallPage
}

function Esim({ id, texts, esim, name, order: { refunded, device, days, takesTopUps } }: EsimProps) {
  const { t } = texts
  const { state, suspended } = esim
  const usable = !refunded && isUsable(esim)
  const installable = !refunded && !suspended && (state === 'new' || state === 'unknown')
  return (
    <section className="card" id={id}>
      <div className="head">
        <h2>{name}</h2>
        <StateBadge texts={texts} esim={esim} />
      </div>
      {refunded ? null : <StateHelp texts={texts} esim={esim} takesTopUps={takesTopUps} />}
      {refunded ? null : <Validity texts={texts} esim={esim} days={days} />}
      {hasStarted(esim) ? <Usage texts={texts} esim={esim} name={name} /> : null}
      {installable ? (
        <>
          <h3>
            <Icon of="phone" /> {t('install.install')}
          </h3>
          <InstallSteps texts={texts} esim={esim} device={device} name={name} />
        </>
      ) : null}
      {usable ? <Abroad texts={texts} esim={esim} device={device} /> : null}
      {refunded ? null : <Codes texts={texts} esim={esim} id={id} name={name} installable={installable} />}
    </section>
  )
}

/** The steps at the destination, which stay on the page after the installation. */
function Abroad({ texts: { t, rich }, esim, device }: { texts: Texts; esim: InstallableEsim; device: Device }) {
  return (
    <>
      <h3>
        <Icon of="plane" /> {t('install.there')}
      </h3>
      <ol className="steps">
        <li>{t(`install.roaming.${device}`)}</li>
        <li>
          {esim.apn
            ? rich('install.apn', { apn: esim.apn, code: (apn) => <code>{apn}</code> })
            : t('install.apnItself')}
        </li>
        <li>{t('install.ownSim')}</li>
      </ol>
    </>
  )
}

interface CodesProps {
  texts: Texts
  esim: InstallableEsim
  id: string
  name: string
  installable: boolean
}

function Codes({ texts: { t }, esim, id, name, installable }: CodesProps) {
  const facts = [
    ['smdp-address', t('common.smdpAddress'), esim.smdpAddress],
    ['activation-code', t('common.activationCode'), esim.matchingId],
    ['confirmation-code', t('common.confirmationCode'), esim.confirmationCode],
    ['one-line', t('install.oneLine'), esim.activationCode],
    ['iccid', 'ICCID', esim.iccid],
    ['apn', 'APN', esim.apn],
  ] as const
  return (
    <details open={installable}>
      <summary>{t('install.codes')}</summary>
      {installable ? (
        <>
          <p>{t('install.scan')}</p>
          <img className="qr" src={esim.qr} alt={t('common.qrAlt', { name })} />
        </>
      ) : null}
      <dl>
        {facts.map(([key, label, value]) =>
          value === null ? null : (
            <div key={key}>
              <dt>{label}</dt>
              <dd>
                <code id={`${id}-${key}`}>{value}</code>
                <button
                  type="button"
                  hidden
                  className="copy plain"
                  data-copies={`${id}-${key}`}
                  data-done={t('install.copied')}
                  aria-label={t('install.copyOf', { label, name })}
                >
                  {t('install.copy')}
                </button>
              </dd>
            </div>
          ),
        )}
      </dl>
      <p className="quiet">{t('install.once')}</p>
    </details>
  )
}
