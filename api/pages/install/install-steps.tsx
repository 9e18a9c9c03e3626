/** How an eSIM is installed, by kind of phone: each step with what the phone shows. */
import type { InstallableEsim } from './install.tsx'

export const devices = { ios: 'iPhone', android: 'Android', other: 'Other' } as const
export type Device = keyof typeof devices

/** @param userAgent the header; iPads call themselves Macintosh, and get the general steps */
export function deviceOf(userAgent: string | undefined): Device {
  if (userAgent === undefined) return 'other'
  if (/\b(?:iPhone|iPad)\b/.test(userAgent)) return 'ios'
  return /\bAndroid\b/.test(userAgent) ? 'android' : 'other'
}

type Props = { esim: InstallableEsim; device: Device; name: string }

export function InstallSteps({ esim, device, name }: Props) {
  if (device === 'ios') return <OnIphone esim={esim} name={name} />
  if (device === 'android') return <OnAndroid esim={esim} name={name} />
  return (
    <ol className="steps">
      <li>Connect the phone that will use the eSIM to Wi-Fi.</li>
      <li>
        On an iPhone open Settings, Mobile Service, Add eSIM, Use QR Code; on Android open Settings, Network & internet,
        SIMs, Add eSIM.
      </li>
      <li>Scan the QR code below. If the camera cannot be used, enter the codes below it by hand.</li>
      <li>Wait until the phone says that the eSIM was added, which takes some minutes.</li>
    </ol>
  )
}

function OnIphone({ esim, name }: Omit<Props, 'device'>) {
  return (
    <ol className="steps">
      <li>Connect to Wi-Fi.</li>
      {esim.iosInstallUrl ? (
        <li>
          On iOS 17.4 or later tap here; the phone shows “Activate eSIM”:
          <br />
          <a className="button" href={esim.iosInstallUrl} aria-label={`Install on this iPhone: ${name}`}>
            Install on this iPhone
          </a>
        </li>
      ) : null}
      <li>
        On an older iPhone open Settings, Mobile Service, Add eSIM, Use QR Code. Scan the code below from another
        screen, or choose Enter Details Manually and copy the SM-DP+ address and the activation code.
      </li>
      <li>Tap Continue until the phone says “Mobile Setup Complete”. Name the line “Travel”.</li>
      <li>Keep your own line as the default for calls and messages.</li>
    </ol>
  )
}

function OnAndroid({ esim, name }: Omit<Props, 'device'>) {
  return (
    <ol className="steps">
      <li>Connect to Wi-Fi.</li>
      {esim.androidInstallUrl ? (
        <li>
          Some Android phones install it by a tap:
          <br />
          <a className="button" href={esim.androidInstallUrl} aria-label={`Install on this Android phone: ${name}`}>
            Install on this Android phone
          </a>
        </li>
      ) : null}
      <li>
        On the others open Settings, Network & internet, SIMs, Add eSIM. Samsung: Connections, SIM manager, Add eSIM.
        Scan the code below from another screen, or choose to enter it and copy “In one line”.
      </li>
      <li>Tap Download or Add, and wait until the phone says that the eSIM was added.</li>
      <li>Keep your own SIM for calls and messages.</li>
    </ol>
  )
}
