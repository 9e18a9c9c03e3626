/** One eSIM profile: its data, how it is created, and its form in a reply. */
import { randomBytes } from 'node:crypto'
import type { CataloguePackage } from './catalogue.ts'
import { apiTime } from './wire.ts'

export const DAY_MS = 86_400_000
export type EsimState =
  | 'GOT_RESOURCE'
  | 'IN_USE'
  | 'USED_UP'
  | 'USED_EXPIRED'
  | 'UNUSED_EXPIRED'
  | 'CANCEL'
  | 'REVOKED'
  | 'SUSPENDED'

export type SmdpState = 'RELEASED' | 'DOWNLOAD' | 'INSTALLATION' | 'ENABLED' | 'DISABLED' | 'DELETED'

export interface Purchase {
  package: CataloguePackage
  transactionId: string
  tranNo: string
  days: number
  volume: number
  price: number
  at: number
}

export interface Profile {
  esimTranNo: string
  orderNo: string
  transactionId: string
  iccid: string
  imsi: string
  matchingId: string
  esimStatus: EsimState
  smdpStatus: SmdpState
  eid: string
  createdAt: number
  installedAt: number | null
  activatedAt: number | null
  /** before activation: the time by which it must be installed */
  expiresAt: number
  totalVolume: number
  totalDuration: number
  orderUsage: number
  purchases: [Purchase, ...Purchase[]]
  beforeSuspension: EsimState | null
  warned: Set<number | 'validity'>
}

/** A new profile that is not downloaded yet. */
export function newProfile(
  order: { orderNo: string; serial: number; iccid: string | undefined },
  purchase: Purchase,
): Profile {
  const serial = String(order.serial).padStart(9, '0')
  return {
    esimTranNo: purchase.tranNo,
    orderNo: order.orderNo,
    transactionId: purchase.transactionId,
    iccid: order.iccid ?? withCheckDigit(`894310817${serial}`),
    imsi: `232104${serial}`,
    matchingId: randomBytes(16).toString('hex').toUpperCase(),
    esimStatus: 'GOT_RESOURCE',
    smdpStatus: 'RELEASED',
    eid: '',
    createdAt: purchase.at,
    installedAt: null,
    activatedAt: null,
    expiresAt: purchase.at + purchase.package.unusedValidTime * DAY_MS,
    totalVolume: purchase.volume,
    totalDuration: purchase.days,
    orderUsage: 0,
    purchases: [purchase],
    beforeSuspension: null,
    warned: new Set(),
  }
}

/** The profile in the reply of POST /esim/query. */
export function showProfile(profile: Profile) {
  const [first] = profile.purchases
  return {
    esimTranNo: profile.esimTranNo,
    orderNo: profile.orderNo,
    transactionId: profile.transactionId,
    imsi: profile.imsi,
    iccid: profile.iccid,
    smsStatus: first.package.smsStatus,
    msisdn: '',
    ac: `LPA:1$rsp-eu.redteamobile.com$${profile.matchingId}`,
    qrCodeUrl: `https://p.qrsim.net/${profile.matchingId.toLowerCase()}.png`,
    shortUrl: `https://p.qrsim.net/${profile.matchingId.toLowerCase()}`,
    smdpStatus: profile.smdpStatus,
    eid: profile.eid,
    activeType: first.package.activeType,
    dataType: first.package.dataType,
    activateTime: profile.activatedAt === null ? null : apiTime(profile.activatedAt),
    installationTime: profile.installedAt === null ? null : apiTime(profile.installedAt),
    expiredTime: apiTime(profile.expiresAt),
    totalVolume: profile.totalVolume,
    totalDuration: profile.totalDuration,
    durationUnit: 'DAY',
    orderUsage: profile.orderUsage,
    esimStatus: profile.esimStatus,
    pin: '',
    puk: '',
    apn: 'internet',
    packageList: profile.purchases.map((purchase) => ({
      packageName: purchase.package.name,
      packageCode: purchase.package.packageCode,
      slug: purchase.package.slug,
      duration: purchase.days,
      volume: purchase.volume,
      locationCode: purchase.package.locationCode,
      createTime: apiTime(purchase.at),
      esimTranNo: purchase.tranNo,
      transactionId: purchase.transactionId,
    })),
  }
}

/** An ICCID ends with a Luhn check digit (ITU-T E.118). */
function withCheckDigit(number: string): string {
  const sum = [...number].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return number + ((10 - (sum % 10)) % 10)
}
