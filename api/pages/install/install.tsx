/** U3: an eSIM in every form that phones accept, and its usage. The mailed link opens the page without a sign-in. */
import { dataAmount, placeName, days as someDays } from '../../../mails/format.ts'
import { Icon } from '../brand/icons.tsx'
import { Facts } from '../form.tsx'
import { renderLayout } from '../layout.tsx'
import { type EsimLife, hasStarted, isUsable, StateBadge, Usage, Validity } from './esim-status.tsx'
import { type Device, devices, InstallSteps } from './install-steps.tsx'
import { Troubleshooting } from './troubleshooting.tsx'

export interface InstallPage {
  supportMail: string
  destination: string
  packageName: string
  /** ISO 3166-1 alpha-2 */
  countries: readonly string[]
  /** null: unlimited */
  dataBytes: number | null
  /** the volume is per day */
  daily: boolean
  days: number
  /** the order was refunded and its eSIMs returned */
  refunded: boolean
  /** the phone whose steps are shown */
  device: Device
  esims: InstallableEsim[]
}

export interface InstallableEsim extends EsimLife {
  iccid: string
  activationCode: string
  smdpAddress: string | null
  matchingId: string | null
  confirmationCode: string | null
  apn: string | null
  iosInstallUrl: string | null
  androidInstallUrl: string | null
  /** `data:` URL of a PNG image */
  qr: string
}

export function renderInstall(page: InstallPage): string {
  const { supportMail, destination, esims, refunded, device } = page
  const inUse = !refunded && esims.some(isUsable)
  return renderLayout({
    title: `Your eSIM for ${placeName(destination)}`,
    supportMail,
    copyButtons: true,
    children: (
      <>
        <Bought page={page} />
        {refunded ? <p className="notice">This order was refunded. Its eSIM can no longer be installed.</p> : null}
        {inUse ? <DeviceSwitch device={device} /> : null}
        {esims.length > 1 ? (
          <nav aria-label="eSIMs of this order" className="switch">
            {esims.map((esim, index) => (
              <a key={esim.activationCode} href={`#esim-${index + 1}`}>
                eSIM {index + 1}
              </a>
            ))}
          </nav>
        ) : null}
        {esims.map((esim, index) => (
          <Esim
            key={esim.activationCode}
            id={`esim-${index + 1}`}
            esim={esim}
            page={page}
            name={esims.length === 1 ? 'Your eSIM' : `eSIM ${index + 1} of ${esims.length}`}
          />
        ))}
        {inUse ? <Troubleshooting supportMail={supportMail} device={device} /> : null}
        <p className="quiet">Keep this address to yourself: whoever has it can install the eSIM.</p>
      </>
    ),
  })
}

function Bought({ page: { packageName, countries, dataBytes, daily, days } }: { page: InstallPage }) {
  const names = countries.map(placeName).toSorted((a, b) => a.localeCompare(b, 'en'))
  return (
    <>
      <p>{packageName}.</p>
      <Facts
        of={[
          ['Data', dataAmount(dataBytes) + (daily ? ' a day' : '')],
          ['Days', someDays(days)],
          ...(names.length === 0 ? [] : [['Works in', shortList(names)] as const]),
        ]}
      />
      {names.length > mostNames ? (
        <details>
          <summary>All {names.length} countries</summary>
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

function DeviceSwitch({ device }: { device: Device }) {
  return (
    <nav aria-label="Phone" className="switch">
      {(Object.keys(devices) as Device[]).map((each) => (
        <a key={each} href={`?device=${each}`} aria-current={each === device ? 'true' : undefined}>
          {devices[each]}
        </a>
      ))}
    </nav>
  )
}

interface EsimProps {
  id: string
  esim: InstallableEsim
  name: string
  page: InstallPage
}

function Esim({ id, esim, name, page: { refunded, device, days } }: EsimProps) {
  const { state, suspended } = esim
  const usable = !refunded && isUsable(esim)
  const installable = !refunded && !suspended && (state === 'new' || state === 'unknown')
  return (
    <section className="card" id={id}>
      <div className="head">
        <h2>{name}</h2>
        <StateBadge esim={esim} />
      </div>
      {refunded ? null : <Validity esim={esim} days={days} />}
      {hasStarted(esim) ? <Usage esim={esim} name={name} /> : null}
      {installable ? (
        <>
          <h3>
            <Icon of="phone" /> Install it
          </h3>
          <InstallSteps esim={esim} device={device} name={name} />
        </>
      ) : null}
      {usable ? <Abroad esim={esim} device={device} /> : null}
      {refunded ? null : <Codes esim={esim} id={id} name={name} installable={installable} />}
    </section>
  )
}

/** What is needed at the destination, which stays after the installation. */
function Abroad({ esim, device }: { esim: InstallableEsim; device: Device }) {
  const roaming = {
    ios: 'Settings, Mobile Service, this eSIM: switch on the line and Data Roaming, and choose it under Mobile Data.',
    android: 'Settings, Network & internet, SIMs, this eSIM: switch on Use SIM, Mobile data and Roaming.',
    other: 'In the settings of the phone switch on this eSIM, choose it for mobile data, and switch on data roaming.',
  }
  return (
    <>
      <h3>
        <Icon of="plane" /> At your destination
      </h3>
      <ol className="steps">
        <li>{roaming[device]}</li>
        <li>
          {esim.apn ? (
            <>
              If no page loads after some minutes, enter the access point name (APN) <code>{esim.apn}</code> in the
              settings of this eSIM.
            </>
          ) : (
            'The phone sets the access point name (APN) by itself.'
          )}
        </li>
        <li>Leave data roaming of your own SIM switched off, so that it costs nothing.</li>
      </ol>
    </>
  )
}

const codeId = (id: string, label: string): string => `${id}-${label.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`

interface CodesProps {
  esim: InstallableEsim
  id: string
  name: string
  installable: boolean
}

function Codes({ esim, id, name, installable }: CodesProps) {
  const facts = [
    ['SM-DP+ address', esim.smdpAddress],
    ['Activation code', esim.matchingId],
    ['Confirmation code', esim.confirmationCode],
    ['In one line', esim.activationCode],
    ['ICCID', esim.iccid],
    ['APN', esim.apn],
  ] as const
  return (
    <details open={installable}>
      <summary>Codes of this eSIM</summary>
      {installable ? (
        <>
          <p>Scan this with the phone that will use the eSIM, from another screen:</p>
          <img className="qr" src={esim.qr} alt={`QR code of ${name}; the same details are below as text`} />
        </>
      ) : null}
      <dl>
        {facts.map(([label, value]) =>
          value === null ? null : (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                <code id={codeId(id, label)}>{value}</code>
                <button
                  type="button"
                  hidden
                  className="copy plain"
                  data-copies={codeId(id, label)}
                  data-done="Copied"
                  aria-label={`Copy ${label} of ${name}`}
                >
                  Copy
                </button>
              </dd>
            </div>
          ),
        )}
      </dl>
      <p className="quiet">
        It can be installed once, on one phone. Do not delete it from the phone before the end of your trip. The ICCID
        is its serial number, which our support asks for.
      </p>
    </details>
  )
}
