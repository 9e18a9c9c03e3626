/** How an eSIM is installed, by kind of phone: each step with what the phone shows. */
import type { Texts } from '../../../messages/texts.ts'
import type { EsimLife } from './esim-status.tsx'

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

export const devices = ['ios', 'android', 'other'] as const
export type Device = (typeof devices)[number]

/** @param userAgent the header; iPads call themselves Macintosh, and get the general steps */
export function deviceOf(userAgent: string | undefined): Device {
  if (userAgent === undefined) return 'other'
  if (/\b(?:iPhone|iPad)\b/.test(userAgent)) return 'ios'
  return /\bAndroid\b/.test(userAgent) ? 'android' : 'other'
}

type Props = { texts: Texts; esim: InstallableEsim; device: Device; name: string }

export function InstallSteps({ texts, esim, device, name }: Props) {
  const { t } = texts
  if (device === 'ios') return <OnIphone texts={texts} esim={esim} name={name} />
  if (device === 'android') return <OnAndroid texts={texts} esim={esim} name={name} />
  return (
    <ol className="steps">
      <li>{t('install.step.other.wifi')}</li>
      <li>{t('install.step.other.open')}</li>
      <li>{t('install.step.other.scan')}</li>
      <li>{t('install.step.other.wait')}</li>
    </ol>
  )
}

function OnIphone({ texts: { t }, esim, name }: Omit<Props, 'device'>) {
  return (
    <ol className="steps">
      <li>{t('install.step.wifi')}</li>
      {esim.iosInstallUrl ? (
        <li>
          {t('install.step.ios.tap')}
          <br />
          <a className="button" href={esim.iosInstallUrl} aria-label={`${t('install.step.ios.button')}: ${name}`}>
            {t('install.step.ios.button')}
          </a>
        </li>
      ) : null}
      <li>{t('install.step.ios.older')}</li>
      <li>{t('install.step.ios.continue')}</li>
      <li>{t('install.step.ios.keep')}</li>
    </ol>
  )
}

function OnAndroid({ texts: { t }, esim, name }: Omit<Props, 'device'>) {
  return (
    <ol className="steps">
      <li>{t('install.step.wifi')}</li>
      {esim.androidInstallUrl ? (
        <li>
          {t('install.step.android.tap')}
          <br />
          <a
            className="button"
            href={esim.androidInstallUrl}
            aria-label={`${t('install.step.android.button')}: ${name}`}
          >
            {t('install.step.android.button')}
          </a>
        </li>
      ) : null}
      <li>{t('install.step.android.others')}</li>
      <li>{t('install.step.android.wait')}</li>
      <li>{t('install.step.android.keep')}</li>
    </ol>
  )
}
