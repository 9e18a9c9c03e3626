/** U3: an eSIM in every form that phones accept, and its usage. The mailed link opens the page without a sign-in. */
import { dataAmount, moment, placeName, days as someDays, validityStart } from '../../../mails/format.ts'
import type { EsimState, ValidityStart } from '../../../providers/esim.ts'
import { renderLayout } from '../layout.tsx'
import { type Device, devices, InstallSteps } from './install-steps.tsx'
import { Troubleshooting } from './troubleshooting.tsx'

export interface InstallPage {
  supportMail: string
  destination: string
  packageName: string
  days: number
  /** the order was refunded and its eSIMs returned */
  refunded: boolean
  /** the phone whose steps are shown */
  device: Device
  esims: InstallableEsim[]
}

export interface InstallableEsim {
  state: EsimState
  suspended: boolean
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

export function renderInstall(page: InstallPage): string {
  const { supportMail, destination, packageName, esims, refunded, device } = page
  const inUse = !refunded && esims.some(({ state }) => !over.includes(state))
  return renderLayout({
    title: `Your eSIM for ${placeName(destination)}`,
    supportMail,
    children: (
      <>
        <p>{packageName}.</p>
        {refunded ? <p className="notice">This order was refunded. Its eSIM can no longer be installed.</p> : null}
        {inUse ? <DeviceSwitch device={device} /> : null}
        {esims.length > 1 ? (
          <nav aria-label="eSIMs of this order">
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

/** Airalo does not tell when an eSIM was activated. */
const hasStarted = ({ state, activatedAt, usedBytes }: InstallableEsim): boolean =>
  activatedAt !== null || usedBytes > 0 || ['in_use', 'used_up', 'expired'].includes(state)

interface EsimProps {
  id: string
  esim: InstallableEsim
  name: string
  page: InstallPage
}

function Esim({ id, esim, name, page: { refunded, device, days } }: EsimProps) {
  const { state, suspended } = esim
  const usable = !refunded && !over.includes(state)
  const installable = !refunded && !suspended && (state === 'new' || state === 'unknown')
  return (
    <section className="card" id={id}>
      <h2>{name}</h2>
      <p>
        <strong>{suspended ? 'On hold' : states[state]}</strong>
      </p>
      {refunded ? null : <Validity esim={esim} days={days} />}
      {hasStarted(esim) ? <Usage esim={esim} /> : null}
      {installable ? (
        <>
          <h3>Install it</h3>
          <InstallSteps esim={esim} device={device} name={name} />
        </>
      ) : null}
      {usable ? <Abroad esim={esim} device={device} /> : null}
      {refunded ? null : <Codes esim={esim} name={name} installable={installable} />}
    </section>
  )
}

function Validity({ esim, days }: { esim: InstallableEsim; days: number }) {
  const { state, expiresAt, unusedUntil, validityStarts } = esim
  if (expiresAt) {
    return (
      <p>
        {state === 'expired' ? 'Ended' : 'Valid until'} {moment(expiresAt)}.
      </p>
    )
  }
  if (hasStarted(esim) || over.includes(state)) return null
  return (
    <p>
      Valid for {someDays(days)} {validityStart(validityStarts)}.
      {validityStarts === 'installation' ? ' Install it shortly before you leave.' : null}
      {validityStarts === 'first_use' ? ' You can install it at home today.' : null}
      {unusedUntil && state === 'new' ? ` Install it before ${moment(unusedUntil)}.` : null}
    </p>
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
      <h3>At your destination</h3>
      <ol>
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

function Codes({ esim, name, installable }: { esim: InstallableEsim; name: string; installable: boolean }) {
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
                <code>{value}</code>
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

function Usage({ esim: { usedBytes, totalBytes, checkedAt } }: { esim: InstallableEsim }) {
  return (
    <>
      <h3>Data</h3>
      <p>
        {totalBytes === null ? (
          <>{dataAmount(usedBytes)} used, without a limit</>
        ) : (
          <>
            <progress value={Math.min(usedBytes, totalBytes)} max={totalBytes} aria-label="Used data" />
            <br />
            {dataAmount(usedBytes)} of {dataAmount(totalBytes)} used
          </>
        )}
      </p>
      <p className="quiet">Read at the network on {moment(checkedAt)}. Networks count with a delay of some hours.</p>
    </>
  )
}
