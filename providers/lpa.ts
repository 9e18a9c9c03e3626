/**
 * eSIM activation codes, `LPA:1$<SM-DP+ host>$<matching id>[$<SM-DP+ OID>][$1]` (GSMA SGP.22, 4.1). A code is a secret:
 * the first phone that reads it gets the eSIM. No error here may contain one.
 */
export interface ActivationCode {
  smdpAddress: string
  matchingId: string
  /** object identifier of the SM-DP+, if the code has one */
  oid: string | null
  /** whether the phone will ask for a confirmation code */
  confirmationCodeRequired: boolean
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
const MATCHING_ID = /^[A-Z0-9-]{1,255}$/i
const OID = /^\d+(\.\d+)+$/

const isHost = (text: string): boolean =>
  text.length <= 253 && text.includes('.') && text.split('.').every((label) => LABEL.test(label))

/** The parts of an activation code, with or without its scheme and white space around it; null for any other text. */
export function parseActivationCode(code: string): ActivationCode | null {
  const [format, smdpAddress = '', matchingId = '', oid = '', confirmation = '', ...more] = code
    .trim()
    .replace(/^LPA:/i, '')
    .split('$')
  if (format !== '1' || more.length > 0 || !isHost(smdpAddress) || !MATCHING_ID.test(matchingId)) return null
  if (oid !== '' && !OID.test(oid)) return null
  if (confirmation !== '' && confirmation !== '1') return null
  return { smdpAddress, matchingId, oid: oid || null, confirmationCodeRequired: confirmation === '1' }
}

/** An activation code with its scheme, as QR codes and links contain it; null for any other text. */
export function normaliseActivationCode(code: string): string | null {
  return parseActivationCode(code) && `LPA:${code.trim().replace(/^LPA:/i, '')}`
}

/** The link that opens the installation on iOS 17.4 and later; older iPhones need the QR code or manual entry. */
export function iosInstallUrl(activationCode: string): string {
  return `https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=${activationCode}`
}

/** The link that opens the installation on some Android phones; it must never be the only way that is offered. */
export function androidInstallUrl(activationCode: string): string {
  return `https://esimsetup.android.com/esim_qrcode_provisioning?carddata=${encodeURIComponent(activationCode)}`
}
