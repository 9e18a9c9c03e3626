/** The partner API's endpoints. */
import type { Request, Router } from 'express'
import { fieldsIn } from '../fields.ts'
import { isReloadable, locations } from './catalogue.ts'
import { type Profile, showProfile } from './profile.ts'
import type { OrderLine } from './records.ts'
import type { Store } from './store.ts'
import {
  type AuthMode,
  apiTime,
  checkHeaders,
  envelope,
  jsonBody,
  newNotifyId,
  Refusal,
  text,
  webhookTime,
} from './wire.ts'

type Body = Record<string, unknown>

export interface Served {
  accessCode: string
  secretKey: string
  settings: { auth: AuthMode; asDocumented: boolean; webhookUrl: string }
  store: Store
}

export function addRoutes(router: Router, { accessCode, secretKey, settings, store }: Served): void {
  const { lifecycle } = store

  function endpoint(path: string, handle: (body: Body) => unknown): void {
    router.all(`/api/v1/open${path}`, async (request: Request, response) => {
      try {
        if (request.method !== 'POST') throw new Refusal('000103')
        checkHeaders(request, settings.auth, accessCode, secretKey)
        response.json(envelope((await handle(jsonBody(request))) ?? {}, null, settings.asDocumented))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        response.json(envelope(null, error, settings.asDocumented))
      }
    })
  }

  function profileIn(body: Body): Profile {
    const key = { esimTranNo: text(body, 'esimTranNo'), iccid: text(body, 'iccid') }
    if (!key.esimTranNo && !key.iccid) throw new Refusal('000105')
    const profile = store.profileBy(key)
    if (!profile) throw new Refusal('310403')
    return profile
  }

  endpoint('/package/list', (body) => {
    const { entries, alone } = store.warehouse.odd()
    return { packageList: [...(alone ? [] : listPackages(store, body)), ...entries] }
  })

  endpoint('/location/list', () => ({
    locationList: locations.map(({ code, name, type, countries }) => ({
      code,
      name,
      type,
      subLocationList: type === 1 ? null : countries.map((each) => ({ code: each, name: each })),
    })),
  }))

  endpoint('/balance/query', () => ({ balance: store.warehouse.balance(), lastUpdateTime: apiTime(store.now()) }))

  endpoint('/esim/order', (body) => {
    const transactionId = checkTransactionId(body)
    const list = body.packageInfoList
    if (!Array.isArray(list) || list.length === 0) throw new Refusal('000105')
    const lines = list.map((line: Body): OrderLine => {
      const code = text(line, 'packageCode') ?? text(line, 'slug')
      if (!code || line.count === undefined) throw new Refusal('000105')
      return { code, count: Number(line.count), price: number(line.price), periodNum: number(line.periodNum) }
    })
    const { orderNo } = store.placeOrder(transactionId, lines, number(body.amount))
    return { orderNo, transactionId }
  })

  endpoint('/esim/query', (body) => {
    const { pageNum, pageSize } = fieldsIn(body.pager) ?? {}
    if (body.pager === undefined || pageNum === undefined || pageSize === undefined) throw new Refusal('000105')
    const size = Number(pageSize)
    const page = Number(pageNum)
    if (!(size >= 5 && size <= 500) || !(page >= 1 && page <= 10_000)) throw new Refusal('000107')
    const found = findProfiles(store, body).map(lifecycle.settle)
    return {
      esimList: found.slice((page - 1) * size, page * size).map(showProfile),
      pager: { pageSize: size, pageNum: page, total: found.length },
    }
  })

  endpoint('/esim/usage/query', (body) => {
    const wanted = body.esimTranNoList
    if (!Array.isArray(wanted) || wanted.length === 0) throw new Refusal('000105')
    if (wanted.length > 10) throw new Refusal('000107')
    return {
      esimUsageList: wanted.flatMap((esimTranNo) => {
        const profile = store.profileBy({ esimTranNo: String(esimTranNo) })
        if (!profile) return []
        const { orderUsage, totalVolume } = profile
        return [{ esimTranNo, dataUsage: orderUsage, totalData: totalVolume, lastUpdateTime: apiTime(store.now()) }]
      }),
    }
  })

  endpoint('/esim/topup', (body) => {
    const transactionId = checkTransactionId(body)
    const code = text(body, 'packageCode') ?? text(body, 'slug')
    if (!code) throw new Refusal('000105')
    return store.topUp(profileIn(body), code, transactionId, number(body.amount), number(body.periodNum))
  })

  endpoint('/esim/cancel', (body) => store.cancel(profileIn(body)))
  endpoint('/esim/suspend', (body) => lifecycle.suspend(profileIn(body)))
  endpoint('/esim/unsuspend', (body) => lifecycle.unsuspend(profileIn(body)))
  endpoint('/esim/revoke', (body) => lifecycle.revoke(profileIn(body)))

  endpoint('/esim/sendSms', (body) => {
    const profile = profileIn(body)
    if (!text(body, 'message')) throw new Refusal('000105')
    if (profile.purchases[0].package.smsStatus === 0) throw new Refusal('200002')
  })

  endpoint('/webhook/query', () => ({ webhook: settings.webhookUrl }))

  endpoint('/webhook/save', async (body) => {
    const url = text(body, 'webhook')
    if (!url) throw new Refusal('000105')
    // The provider saves a new URL only if it answers a test event.
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        notifyType: 'CHECK_HEALTH',
        notifyId: newNotifyId(),
        eventGenerateTime: webhookTime(store.now()),
        content: { orderNo: '1234567890', orderStatus: 'Test' },
      }),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => null)
    if (!answer?.ok) throw new Refusal('200008')
    settings.webhookUrl = url
  })
}

function listPackages(store: Store, body: Body) {
  const { base, topUps } = store.warehouse.catalogue()
  const isTopUp = text(body, 'type') === 'TOPUP'
  const location = text(body, 'locationCode')
  const dataType = number(body.dataType)
  const iccid = text(body, 'iccid')
  const code = text(body, 'packageCode') ?? text(body, 'slug')
  // With type TOPUP, a package code or an ICCID selects the top-ups that fit it: those of the same coverage. The page
  // does not say what the code of a top-up selects.
  const fitted = isTopUp && code ? base.find(({ packageCode, slug }) => [packageCode, slug].includes(code)) : undefined
  if (isTopUp && code && !fitted) throw new Refusal('310241')
  const coverage = fitted?.locationCode
  const held = iccid ? store.profileBy({ iccid })?.purchases[0].package : undefined
  const holder = held?.locationCode
  if (iccid && !held) throw new Refusal('310403')
  if (isTopUp && [fitted, held].some((each) => each && !isReloadable(each))) return []
  return (isTopUp ? topUps : base).filter(
    (each) =>
      (!location || inLocation(each, location)) &&
      (dataType === undefined || each.dataType === dataType) &&
      (!holder || each.locationCode === holder) &&
      (!coverage || each.locationCode === coverage) &&
      (isTopUp || !code || each.packageCode === code || each.slug === code),
  )
}

function inLocation(each: { location: string; locationCode: string }, wanted: string): boolean {
  if (wanted === '!GL') return each.locationCode.startsWith('GL-')
  if (wanted === '!RG') return each.location.includes(',') && !each.locationCode.startsWith('GL-')
  return each.locationCode === wanted || each.location.split(',').includes(wanted)
}

function findProfiles(store: Store, body: Body): Profile[] {
  const orderNo = text(body, 'orderNo')
  if (orderNo) return store.pollOrder(orderNo)
  const key = { esimTranNo: text(body, 'esimTranNo'), iccid: text(body, 'iccid') }
  if (key.esimTranNo || key.iccid) {
    const profile = store.profileBy(key)
    return profile ? [profile] : []
  }
  const from = text(body, 'startTime')
  const until = text(body, 'endTime')
  if (!from || !until) throw new Refusal('000105')
  return store.profilesBetween(Date.parse(from), Date.parse(until))
}

function checkTransactionId(body: Body): string {
  const transactionId = text(body, 'transactionId')
  if (!transactionId) throw new Refusal('000105')
  if (transactionId.length > 50) throw new Refusal('000107')
  return transactionId
}

/** A number, or a numeric string: the documentation shows both. */
function number(value: unknown): number | undefined {
  return value === undefined || value === null || value === '' ? undefined : Number(value)
}
