/** U3: an eSIM in every form that phones accept, and its usage. The mailed link opens the page without a sign-in. */
import type { ReactNode } from 'react'
import { dataAmount, moment, placeName } from '../../mails/format.ts'
import type { EsimState } from '../../providers/esim.ts'
import { renderLayout } from './layout.tsx'

export interface InstallPage {
  supportMail: string
  destination: string
  packageName: string
  days: number
  /** the order was refunded and its eSIMs returned */
  refunded: boolean
  esims: InstallableEsim[]
}

export interface InstallableEsim {
  state: EsimState
  suspended: boolean
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
  activatedAt: Date | null
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
  unknown: 'Waiting for news from the network',
}

export function renderInstall(page: InstallPage): string {
  const { supportMail, destination, packageName, days, esims, refunded } = page
  return renderLayout({
    title: `Your eSIM for ${placeName(destination)}`,
    supportMail,
    children: (
      <>
        <p>
          {packageName}. Valid for {days === 1 ? '1 day' : `${days} days`} from its first use.
        </p>
        {refunded ? <p className="notice">This order was refunded. Its eSIM can no longer be installed.</p> : null}
        {esims.map((esim, index) => (
          <Esim
            key={esim.activationCode}
            esim={esim}
            name={esims.length === 1 ? 'Your eSIM' : `eSIM ${index + 1} of ${esims.length}`}
            installable={!refunded && !esim.suspended && ['new', 'unknown'].includes(esim.state)}
          />
        ))}
        <p className="quiet">Keep this address to yourself: whoever has it can install the eSIM.</p>
      </>
    ),
  })
}

function Esim({ esim, name, installable }: { esim: InstallableEsim; name: string; installable: boolean }) {
  return (
    <section className="card">
      <h2>{name}</h2>
      <p>
        <strong>{esim.suspended ? 'On hold' : states[esim.state]}</strong>
      </p>
      {installable ? <Install esim={esim} name={name} /> : null}
      {esim.activatedAt ? <Usage esim={esim} /> : null}
    </section>
  )
}

function Install({ esim, name }: { esim: InstallableEsim; name: string }) {
  const facts: [string, ReactNode][] = [
    ...(esim.smdpAddress ? [code('SM-DP+ address', esim.smdpAddress)] : []),
    ...(esim.matchingId ? [code('Activation code', esim.matchingId)] : []),
    ...(esim.confirmationCode ? [code('Confirmation code', esim.confirmationCode)] : []),
    ...(esim.apn ? [code('APN', esim.apn)] : []),
  ]
  return (
    <>
      <h3>On this phone</h3>
      <p>
        {esim.iosInstallUrl ? (
          <a className="button" href={esim.iosInstallUrl}>
            Install on this iPhone
          </a>
        ) : null}{' '}
        {esim.androidInstallUrl ? <a href={esim.androidInstallUrl}>Install on this Android phone</a> : null}
      </p>
      <p className="quiet">iOS 17.4 or later, and some Android phones. On others scan the code or type it in.</p>
      <h3>By another screen</h3>
      <img className="qr" src={esim.qr} alt={`QR code of ${name}; the same details stand below as text`} />
      <ol>
        <li>Connect the phone to Wi-Fi.</li>
        <li>Open the camera, or Settings, Mobile Service, Add eSIM, and scan the code.</li>
        <li>At your destination switch the line on, with data roaming.</li>
      </ol>
      <h3>By hand</h3>
      <dl>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">It can be installed once, on one phone. Do not delete it before the end of your trip.</p>
    </>
  )
}

const code = (label: string, value: string): [string, ReactNode] => [label, <code key={label}>{value}</code>]

function Usage({ esim: { usedBytes, totalBytes, expiresAt, state } }: { esim: InstallableEsim }) {
  return (
    <>
      <h3>Data</h3>
      <p>
        {totalBytes === null ? (
          <>{dataAmount(usedBytes)} used, without a limit</>
        ) : (
          <>
            <progress value={Math.min(usedBytes, totalBytes)} max={totalBytes} />
            <br />
            {dataAmount(usedBytes)} of {dataAmount(totalBytes)} used
          </>
        )}
      </p>
      {expiresAt ? (
        <p>
          {state === 'expired' ? 'Ended' : 'Valid until'} {moment(expiresAt)}.
        </p>
      ) : null}
      <p className="quiet">Networks count with a delay of some hours.</p>
    </>
  )
}
