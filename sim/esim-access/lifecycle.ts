/** The lifecycle of a profile, and the webhooks of its changes. */
import { randomBytes } from 'node:crypto'
import { DAY_MS, type EsimState, type Profile, type Purchase } from './profile.ts'
import { Refusal, webhookTime } from './wire.ts'

/** the provider warns when these shares of the volume are left */
const THRESHOLDS = [0.5, 0.2, 0.1]

export type Notify = (notifyType: string, content: Record<string, unknown>) => void

/** The changes of profiles. @param now the simulator's clock, milliseconds */
export function createLifecycle(now: () => number, notify: Notify) {
  const identity = ({ orderNo, esimTranNo, transactionId, iccid }: Profile) => ({
    orderNo,
    esimTranNo,
    transactionId,
    iccid,
  })
  const notifyStatus = (profile: Profile) =>
    notify('ESIM_STATUS', {
      ...identity(profile),
      esimStatus: profile.esimStatus,
      smdpStatus: profile.smdpStatus,
    })
  const notifySmdp = (profile: Profile) =>
    notify('SMDP_EVENT', {
      ...identity(profile),
      eid: profile.eid,
      esimStatus: profile.esimStatus,
      smdpStatus: profile.smdpStatus,
      timestamp: webhookTime(now()),
      seqNumber: 1,
      notifyStatus: 'Executed-Success',
    })

  function settle(profile: Profile): Profile {
    if (isOver(profile)) return profile
    const left = profile.expiresAt - now()
    if (profile.activatedAt !== null && left <= DAY_MS && !profile.warned.has('validity')) {
      profile.warned.add('validity')
      notify('VALIDITY_USAGE', {
        ...identity(profile),
        durationUnit: 'DAY',
        totalDuration: profile.totalDuration,
        expiredTime: webhookTime(profile.expiresAt),
        remain: 1,
      })
    }
    // docs.esimaccess.com, Webhooks, ESIM_STATUS: unused is what expires without any usage.
    if (left <= 0) move(profile, profile.orderUsage === 0 ? 'UNUSED_EXPIRED' : 'USED_EXPIRED')
    return profile
  }

  function move(profile: Profile, state: EsimState): void {
    profile.esimStatus = state
    notifyStatus(profile)
  }

  function activate(profile: Profile): void {
    profile.activatedAt = now()
    profile.expiresAt = now() + profile.totalDuration * DAY_MS
    profile.esimStatus = 'IN_USE'
  }

  /** Downloads, installs and enables the profile, as a phone does after it has read the code. */
  function install(profile: Profile): void {
    mustBe(settle(profile), ['GOT_RESOURCE'])
    if (profile.smdpStatus !== 'RELEASED') throw new Refusal('200002')
    profile.eid = `8904903${randomDigits(25)}`
    for (const state of ['DOWNLOAD', 'INSTALLATION', 'ENABLED'] as const) {
      profile.smdpStatus = state
      notifySmdp(profile)
    }
    profile.installedAt = now()
    if (profile.purchases[0].package.activeType !== 1) return
    activate(profile)
    notifyStatus(profile)
  }

  /** Uses data; installs the profile first if it is not installed. */
  function use(profile: Profile, bytes: number): void {
    if (settle(profile).smdpStatus === 'RELEASED') install(profile)
    mustBe(profile, ['GOT_RESOURCE', 'IN_USE'])
    if (profile.activatedAt === null) {
      activate(profile)
      notifyStatus(profile)
    }
    profile.orderUsage = Math.min(profile.totalVolume, profile.orderUsage + Math.round(bytes))
    const remain = profile.totalVolume - profile.orderUsage
    for (const threshold of THRESHOLDS) {
      if (remain > threshold * profile.totalVolume || profile.warned.has(threshold)) continue
      profile.warned.add(threshold)
      notify('DATA_USAGE', {
        ...identity(profile),
        totalVolume: profile.totalVolume,
        orderUsage: profile.orderUsage,
        remain,
        remainThreshold: threshold,
        lastUpdateTime: webhookTime(now()),
      })
    }
    if (remain === 0) move(profile, 'USED_UP')
  }

  return {
    settle,
    install,
    use,
    expire(profile: Profile): void {
      profile.expiresAt = now()
      settle(profile)
    },
    remove(profile: Profile): void {
      if (profile.smdpStatus === 'RELEASED') throw new Refusal('200002')
      profile.smdpStatus = 'DELETED'
      notifySmdp(profile)
    },
    cancel(profile: Profile): void {
      mustBe(settle(profile), ['GOT_RESOURCE'])
      if (profile.smdpStatus !== 'RELEASED') throw new Refusal('200002')
      move(profile, 'CANCEL')
    },
    suspend(profile: Profile): void {
      mustBe(settle(profile), ['GOT_RESOURCE', 'IN_USE', 'USED_UP'])
      profile.beforeSuspension = profile.esimStatus
      move(profile, 'SUSPENDED')
    },
    unsuspend(profile: Profile): void {
      mustBe(settle(profile), ['SUSPENDED'])
      move(profile, profile.beforeSuspension ?? 'IN_USE')
    },
    revoke(profile: Profile): void {
      mustBe(settle(profile), ['GOT_RESOURCE', 'IN_USE', 'USED_UP', 'SUSPENDED'])
      move(profile, 'REVOKED')
    },
    topUp(profile: Profile, purchase: Purchase): void {
      mustBe(settle(profile), ['GOT_RESOURCE', 'IN_USE', 'USED_UP'])
      profile.purchases.push(purchase)
      profile.totalVolume += purchase.volume
      profile.totalDuration += purchase.days
      if (profile.activatedAt !== null) profile.expiresAt += purchase.days * DAY_MS
      const remain = profile.totalVolume - profile.orderUsage
      for (const threshold of THRESHOLDS) if (remain > threshold * profile.totalVolume) profile.warned.delete(threshold)
      profile.warned.delete('validity')
      if (profile.esimStatus === 'USED_UP') move(profile, 'IN_USE')
    },
  }
}

const isOver = ({ esimStatus }: Profile): boolean =>
  esimStatus === 'USED_EXPIRED' ||
  esimStatus === 'UNUSED_EXPIRED' ||
  esimStatus === 'CANCEL' ||
  esimStatus === 'REVOKED'

function mustBe(profile: Profile, states: EsimState[]): void {
  if (!states.includes(profile.esimStatus)) throw new Refusal('200002')
}

const randomDigits = (count: number): string => [...randomBytes(count)].map((byte) => (byte % 10).toString()).join('')
