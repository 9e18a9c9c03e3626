/** eSIMs at Airalo: their lifecycle, and how GET /sims… shows them. */
import { randomUUID } from 'node:crypto'
import type { AiraloPackage, Operator } from './catalogue.ts'
import type { Notifications } from './notifications.ts'
import { apiTime, refused } from './wire.ts'

const MB = 1024 ** 2
const DAY_MS = 86_400_000

export interface Bought {
  id: number
  package: AiraloPackage
}

export interface Sim {
  id: number
  iccid: string
  matchingId: string
  confirmationCode: string | null
  operator: Operator
  orderId: number
  createdAt: number
  bought: [Bought, ...Bought[]]
  totalBytes: number
  usedBytes: number
  isUnlimited: boolean
  days: number
  installedAt: number | null
  activatedAt: number | null
  expiresAt: number | null
  recycledAt: number | null
  warned: Set<string>
  /** the reply of GET …/usage until `until` */
  cachedUsage: { until: number; usage: Record<string, unknown> } | null
}

export type SimStatus = 'NOT_ACTIVE' | 'ACTIVE' | 'FINISHED' | 'EXPIRED' | 'RECYCLED' | 'UNKNOWN'

/** A new eSIM. @param serial a number from which the ICCID is made; the matching id is random */
export function newSim(serial: number, order: { id: number; at: number }, operator: Operator, bought: Bought): Sim {
  return {
    id: serial,
    iccid: `8910300000${String(serial).padStart(9, '0')}`,
    matchingId: randomUUID().toUpperCase(),
    confirmationCode: null,
    operator,
    orderId: order.id,
    createdAt: order.at,
    bought: [bought],
    totalBytes: bought.package.amount * MB,
    usedBytes: 0,
    isUnlimited: bought.package.is_unlimited,
    days: bought.package.day,
    installedAt: null,
    activatedAt: null,
    expiresAt: null,
    recycledAt: null,
    warned: new Set(),
    cachedUsage: null,
  }
}

export function createSimLife(now: () => number, notifications: Notifications) {
  function status(sim: Sim): SimStatus {
    if (sim.recycledAt !== null) return 'RECYCLED'
    if (sim.expiresAt !== null && now() >= sim.expiresAt) return 'EXPIRED'
    if (sim.activatedAt === null) return 'NOT_ACTIVE'
    return !sim.isUnlimited && sim.usedBytes >= sim.totalBytes ? 'FINISHED' : 'ACTIVE'
  }

  function warn(sim: Sim, level: '75%' | '90%' | '3days' | '1days'): void {
    if (sim.warned.has(level)) return
    sim.warned.add(level)
    const left = sim.totalBytes === 0 ? 100 : Math.floor(((sim.totalBytes - sim.usedBytes) * 100) / sim.totalBytes)
    const latest = sim.bought[sim.bought.length - 1] ?? sim.bought[0]
    notifications.lowData({
      level,
      package_name: latest.package.title,
      remaining_percentage: left,
      iccid: sim.iccid,
    })
  }

  function settle(sim: Sim): Sim {
    if (status(sim) !== 'ACTIVE' || sim.expiresAt === null) return sim
    const left = sim.expiresAt - now()
    if (left <= 3 * DAY_MS && sim.days > 3) warn(sim, '3days')
    if (left <= DAY_MS) warn(sim, '1days')
    return sim
  }

  function activate(sim: Sim): void {
    if (sim.activatedAt !== null) return
    sim.activatedAt = now()
    sim.expiresAt = now() + sim.days * DAY_MS
  }

  function install(sim: Sim): void {
    if (sim.recycledAt !== null) throw refused(73)
    sim.installedAt ??= now()
    if (sim.operator.activation_policy === 'installation') activate(sim)
  }

  return {
    status,
    settle,
    install,
    use(sim: Sim, bytes: number): void {
      install(sim)
      activate(sim)
      if (status(sim) !== 'ACTIVE') throw new Error(`the eSIM is ${status(sim)}`)
      sim.usedBytes = sim.isUnlimited
        ? sim.usedBytes + Math.round(bytes)
        : Math.min(sim.totalBytes, sim.usedBytes + Math.round(bytes))
      if (sim.isUnlimited) return
      if (sim.usedBytes >= 0.75 * sim.totalBytes) warn(sim, '75%')
      if (sim.usedBytes >= 0.9 * sim.totalBytes) warn(sim, '90%')
    },
    expire(sim: Sim): void {
      activate(sim)
      sim.expiresAt = now()
    },
    recycle(sim: Sim): void {
      sim.recycledAt = now()
    },
    topUp(sim: Sim, bought: Bought): void {
      if (sim.recycledAt !== null) throw refused(73)
      sim.bought.push(bought)
      sim.totalBytes += bought.package.amount * MB
      sim.days += bought.package.day
      if (sim.expiresAt !== null) sim.expiresAt = Math.max(sim.expiresAt, now()) + bought.package.day * DAY_MS
      sim.warned.clear()
      sim.cachedUsage = null
    },
    /** GET /sims/{iccid}/usage */
    usage: (sim: Sim): Record<string, unknown> => ({
      remaining: sim.isUnlimited ? 0 : Math.floor((sim.totalBytes - sim.usedBytes) / MB),
      total: sim.isUnlimited ? 0 : sim.totalBytes / MB,
      expired_at: sim.expiresAt === null ? null : apiTime(sim.expiresAt),
      is_unlimited: sim.isUnlimited,
      status: status(sim),
      remaining_voice: 0,
      remaining_text: 0,
      total_voice: 0,
      total_text: 0,
    }),
    /** GET /sims/{iccid}/packages: usage is counted package by package, in the order of purchase */
    history(sim: Sim): Record<string, unknown>[] {
      let used = sim.usedBytes
      return sim.bought.map(({ id, package: sold }) => {
        const spent = Math.min(used, sold.amount * MB)
        used -= spent
        return {
          id,
          status: status(sim),
          remaining: Math.floor((sold.amount * MB - spent) / MB),
          activated_at: sim.activatedAt === null ? null : apiTime(sim.activatedAt),
          expired_at: sim.expiresAt === null ? null : apiTime(sim.expiresAt),
          finished_at: null,
          package: sold,
        }
      })
    },
  }
}

/** The eSIM as orders and GET /sims/{iccid} show it. */
export function showSim(sim: Sim) {
  const qrcode = `LPA:1$lpa.airalo.com$${sim.matchingId}`
  return {
    id: sim.id,
    created_at: apiTime(sim.createdAt),
    iccid: sim.iccid,
    lpa: 'lpa.airalo.com',
    imsis: null,
    matching_id: sim.matchingId,
    qrcode,
    qrcode_url: `https://airalo.com/qr?expires=${Math.floor(sim.createdAt / 1000) + 86_400}&id=${sim.id}&signature=0`,
    airalo_code: null,
    apn_type: sim.operator.apn_type,
    apn_value: sim.operator.apn_value,
    is_roaming: sim.operator.is_roaming,
    confirmation_code: sim.confirmationCode,
    apn: {
      ios: { apn_type: 'automatic', apn_value: sim.operator.apn_value },
      android: { apn_type: sim.operator.apn_type, apn_value: sim.operator.apn_value },
    },
    msisdn: null,
    direct_apple_installation_url: `https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=${qrcode}`,
    recycled: sim.recycledAt !== null,
    recycled_at: sim.recycledAt === null ? null : apiTime(sim.recycledAt),
  }
}
