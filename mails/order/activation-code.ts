/** The code by which an eSIM is installed (GSMA SGP.22): `LPA:1$<SM-DP+ host>$<matching id>[$<OID>][$1]`. */

export interface ActivationCode {
  /** SM-DP+ address */
  host: string
  matchingId: string
}

const form = /^LPA:1\$([A-Za-z0-9.-]+)\$([A-Za-z0-9-]*)(\$[0-9.]*)?(\$1)?$/

/** @throws Error without the code, which is a secret */
export function readActivationCode(code: string): ActivationCode {
  const [, host, matchingId] = form.exec(code) ?? []
  if (!host || matchingId === undefined) throw new Error('not an activation code')
  return { host, matchingId }
}

/** A link to the phone's installer, for iOS 17.4 and later. */
export function appleInstallUrl(code: string): string {
  readActivationCode(code)
  return `https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=${code}`
}
