/** The text an eSIM is installed from (GSMA SGP.22: `LPA:1$<SM-DP+ host>$<matching id>[$<OID>][$1]`). */

export interface ActivationCode {
  /** SM-DP+ address */
  host: string
  matchingId: string
}

const form = /^LPA:1\$([A-Za-z0-9.-]+)\$([A-Za-z0-9-]*)(\$[0-9.]*)?(\$1)?$/

/** Throws an Error that does not quote the code, which is a secret. */
export function readActivationCode(code: string): ActivationCode {
  const [, host, matchingId] = form.exec(code) ?? []
  if (!host || matchingId === undefined) throw new Error('not an activation code')
  return { host, matchingId }
}

/** Opens the phone's own installer, from iOS 17.4 on. */
export function appleInstallUrl(code: string): string {
  readActivationCode(code)
  return `https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=${code}`
}
