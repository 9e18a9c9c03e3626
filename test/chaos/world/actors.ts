/** Plays single acts over the API and the simulators' controls. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { milliseconds } from '../../../policy/periods.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import { policyNoticeWorkflowId } from '../../../workflows/policy-notice.contract.ts'
import {
  accountInactivityType,
  inactivityWorkflowId,
} from '../../../workflows/retention/account-inactivity.contract.ts'
import { type Answer, expectStatus } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import type { Order, Person } from '../oracles/record.ts'
import { Stuck, untilAnswered } from './caller.ts'
import type { Act } from './events.ts'
import { refundAgain } from './sabotage.ts'
import { createSettling, ended, stuckAfterMs } from './settling.ts'
import { prove } from './sign-ins.ts'
import type { WorldStack } from './stack/stack.ts'
import type { Witness } from './witness.ts'

type ActOf<Kind extends Act['kind']> = Extract<Act, { kind: Kind }>
type Acts = { [Each in Act as Each['kind']]: Each }
type Acting = { [Kind in keyof Acts]: (act: Acts[Kind]) => Promise<unknown> }

export interface ActorOptions {
  stack: WorldStack
  witness: Witness
  world: string
  sabotage: 'double-refund' | undefined
  /** false while a part is being disturbed: time that passes then would be an outage of hours */
  isCalm(): boolean
}

export function createActors({ stack, witness, world, sabotage, isCalm }: ActorOptions) {
  const { sims, service, operator, temporal } = stack
  const { people, orders } = witness
  const refused = new Map<string, number>()
  /** people by their accounts */
  const owners = new Map<string, Person>()
  const { unsettled, forward, reach, settle } = createSettling({ stack, witness, owners, isCalm })

  const digits = (text: string, length: number): string =>
    createHash('sha256').update(text).digest().toString('hex').replace(/\D/g, '').slice(0, length).padEnd(length, '7')

  /** Whether an answer is the expected one. A refusal is counted: the act did nothing then. */
  function isDone(what: string, { status, body }: Answer, ...wanted: number[]): boolean {
    if (wanted.includes(status)) return true
    const reason = `${what}: ${status} ${body?.code ?? ''}`
    refused.set(reason, (refused.get(reason) ?? 0) + 1)
    return false
  }

  const present = (who: string): Person | undefined => {
    const person = people.get(who)
    return person && !person.deletion && !person.inactive ? person : undefined
  }

  /** An order whose person is there. */
  const placed = (name: string): { order: Order; person: Person } | undefined => {
    const order = orders.get(name)
    const person = order && owners.get(order.accountId)
    return order && person && present(person.name) ? { order, person } : undefined
  }

  async function signUp({ who, phone, apple, google, promotions }: Omit<ActOf<'sign_up'>, 'kind'>, before?: Person) {
    if (people.has(who)) return
    const firebaseUid = `${world}-${who}`
    await sims.firebase.do('user', { uid: firebaseUid })
    const given = {
      email: before?.email ?? `${who}.${world}@people.example`,
      firstName: `First${who}${world}`,
      lastName: `Last${who}${world}`,
      ...(phone && { phone: `+49151${digits(world + who, 8)}` }),
      firebaseUid,
    }
    const signedUpAt = Date.now()
    const by = [...(apple ? (['apple'] as const) : []), ...(google ? (['google'] as const) : [])]
    const { answer, appleSubject, googleSubject, spentCodes } = await prove(
      sims,
      { by, appleSubject: before?.appleSubject ?? null, googleSubject: before?.googleSubject ?? null, isNew: true },
      (proofs) => untilAnswered(service, 'POST', '/v1/accounts', { ...given, ...proofs }),
    )
    witness.signIns.push({ name: who, what: 'sign-up', status: answer.status })
    if (!isDone('sign-up', answer, 201)) return
    if (before) before.returnedAt = signedUpAt
    const person: Person = {
      name: who,
      accountId: answer.body.id,
      email: given.email,
      firstName: given.firstName,
      lastName: given.lastName,
      phone: given.phone ?? null,
      corrected: false,
      appleSubject,
      spentCodes,
      googleSubject,
      firebaseUid,
      pushToken: `token-${world}-${who}-${digits(who, 30)}`,
      tokenIsStale: false,
      appInstanceId: createHash('sha256').update(firebaseUid).digest('hex').slice(0, 32),
      deviceId: `device-${world}-${who}`,
      signedUpAt,
      consents: [],
      deletion: null,
      inactive: false,
      returnedAt: null,
      seen: { status: 0 },
      exported: null,
    }
    people.set(who, person)
    owners.set(person.accountId, person)
    const registered = await witness.registerDevice(person)
    isDone('device', registered, 200)
    if (promotions) await consent(person, true)
  }

  async function consent(person: Person, granted: boolean): Promise<void> {
    const path = `/v1/accounts/${person.accountId}/consents/promotions`
    const answer = await untilAnswered(service, 'PUT', path, { granted, source: 'app_settings' })
    if (isDone('consent', answer, 200)) person.consents.push({ at: Date.now(), granted })
  }

  function register(
    name: string,
    body: Answer['body'],
    given: Pick<Order, 'isTopUp' | 'topUpOf' | 'adConsent'>,
  ): Order {
    const order: Order = {
      name,
      orderId: body.id,
      accountId: body.accountId,
      packageCode: body.packageCode,
      quantity: body.quantity,
      grossMinor: body.amount.minor,
      risk: 'normal',
      verdict: null,
      decidedAt: null,
      isWithdrawn: false,
      bounces: 0,
      isApologisedFor: false,
      partialRefunds: [],
      begunAt: Date.now(),
      changedAt: Date.now(),
      status: body.status,
      paidAt: null,
      deliveredAt: null,
      iccids: [],
      matchingIds: [],
      seenAt: {},
      answers: 201,
      documents: [],
      ...given,
    }
    orders.set(name, order)
    unsettled.orders.add(order)
    return order
  }

  async function buy(act: ActOf<'order'>): Promise<void> {
    const person = present(act.who)
    if (!person) return
    const answer = await untilAnswered(service, 'POST', '/v1/orders', {
      accountId: person.accountId,
      packageCode: testPackages[act.package],
      quantity: act.quantity,
      savedCards: act.savedCards,
      measurement: { adUserData: act.adConsent, adPersonalization: false },
    })
    if (!isDone('order', answer, 201)) return
    const order = register(act.order, answer.body, { isTopUp: false, topUpOf: null, adConsent: act.adConsent })
    const { orderId } = order
    const card = { fingerprint: `card-${world}-${act.who}`, country: act.country }
    if (act.payment === 'abandoned') {
      await forward(orderWorkflowId(orderId), '61 minutes')
      return void (await reach(order, ended))
    }
    if (act.payment === 'cancelled') {
      isDone('cancel', await untilAnswered(service, 'POST', `/v1/orders/${orderId}/cancel`), 200)
      return void (await reach(order, ended))
    }
    if (act.payment === 'paid_and_cancelled') {
      await Promise.all([
        sims.stripe.do('pay', { orderId, ...card }).catch(() => undefined),
        untilAnswered(service, 'POST', `/v1/orders/${orderId}/cancel`),
      ])
      return void (await reach(order, ended))
    }
    if (act.payment === 'declined_first') await sims.stripe.do('fail-payment', { orderId })
    order.risk = act.risk
    await sims.stripe.do('pay', { orderId, riskLevel: act.risk, ...card })
    if (!act.waits) return
    await reach(order, [...ended, 'in_review'])
    if (order.status !== 'in_review') return
    await decide(order, act.verdict)
    await reach(order, ended)
  }

  /**
   * The run may learn of a state after the row that shows it: a refused decision is made again, as an operator does.
   */
  async function decide(order: Order, verdict: 'approve' | 'reject'): Promise<void> {
    const deadline = Date.now() + stuckAfterMs
    while (order.status === 'in_review' && Date.now() < deadline) {
      order.decidedAt ??= Date.now()
      const answer = await untilAnswered(operator, 'POST', `/v1/orders/${order.orderId}/${verdict}`)
      if (isDone(verdict, answer, 200)) {
        order.verdict = verdict
        return
      }
      await pause(1_000)
      await witness.look(order)
    }
  }

  async function erase(person: Person, by: 'delete' | 'child-report'): Promise<void> {
    for (const order of orders.values()) if (order.accountId === person.accountId) await witness.look(order)
    const path = `/v1/accounts/${person.accountId}`
    const answer =
      by === 'delete'
        ? await untilAnswered(service, 'DELETE', path)
        : await untilAnswered(operator, 'POST', `${path}/child-report`)
    if (!isDone(by, answer, 200)) return
    const { receiptId, reason } = answer.body
    const asked = by === 'delete' ? 'requested' : 'child'
    person.deletion = { at: Date.now(), receiptId, asked, reason, pending: [], left: [], wasRestored: false }
    unsettled.deletions.add(person)
  }

  async function returnEsims(order: Order): Promise<void> {
    const answer = await untilAnswered(service, 'POST', `/v1/orders/${order.orderId}/refund`)
    if (isDone('refund', answer, 200)) await reach(order, ['refunded'])
  }

  /** An eSIM's life goes on at whichever provider has made it. */
  async function atProvider(order: Order, action: string, input: Record<string, unknown> = {}): Promise<void> {
    const [iccid] = order.iccids
    if (!iccid) return
    await sims.esimAccess.do(action, { iccid, ...input }).catch(() => sims.airalo.do(action, { iccid, ...input }))
  }

  const acting: Acting = {
    sign_up: (act) => signUp(act),
    async sign_in({ who, by }) {
      const person = present(who)
      if (!person) return
      const { appleSubject: before, googleSubject } = person
      const { answer, spentCodes, ...subjects } = await prove(
        sims,
        { by: [by], appleSubject: before, googleSubject, isNew: by === 'apple' && before === null },
        (proofs) => untilAnswered(service, 'POST', `/v1/accounts/${person.accountId}/sign-ins`, proofs),
      )
      person.spentCodes += spentCodes
      witness.signIns.push({ name: who, what: 'sign-in', status: answer.status })
      if (isDone('sign-in', answer, 200)) Object.assign(person, subjects)
    },
    order: buy,
    async top_up({ order: name, of, refund }) {
      const parent = placed(of)
      if (parent?.order.status !== 'delivered' || parent.order.iccids.length !== 1) return
      const answer = await untilAnswered(service, 'POST', `/v1/orders/${parent.order.orderId}/top-up`, {
        packageCode: testPackages.topUp,
      })
      if (!isDone('top-up', answer, 201)) return
      const order = register(name, answer.body, {
        isTopUp: true,
        topUpOf: parent.order.orderId,
        adConsent: false,
      })
      const returning = refund === 'meanwhile' ? returnEsims(parent.order) : undefined
      await sims.stripe.do('pay', { orderId: order.orderId, fingerprint: `card-${world}-${parent.person.name}` })
      await returning
      await reach(order, ended)
    },
    async refund({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      await returnEsims(found.order)
    },
    async refund_bounces({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'refunded') return
      const { order } = found
      await sims.stripe.do('fail-refund', { orderId: order.orderId })
      await sweepPayments()
      order.bounces += 1
      await reach(order, ['refund_failed'])
      const answer = await untilAnswered(operator, 'POST', `/v1/orders/${order.orderId}/refund`)
      if (isDone('repeated refund', answer, 200)) await reach(order, ['refunded'])
    },
    async withdraw({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      const { order, person } = found
      const path = `/v1/orders/${order.orderId}/withdrawal`
      const opened = await untilAnswered(service, 'POST', path, { name: `${person.firstName} ${person.lastName}` })
      if (!isDone('withdrawal', opened, 200)) return
      const stated = await untilAnswered(service, 'POST', `${path}/confirm`)
      if (!isDone('confirmed withdrawal', stated, 200)) return
      order.isWithdrawn = true
      await reach(order, ['refunded'])
    },
    async warn({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      await sims.stripe.do('warn-fraud', { orderId: found.order.orderId })
      await sweepPayments()
      await reach(found.order, ['refunded'])
    },
    async refund_part({ order: name, minor }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      const { order } = found
      const asked = { amount: { minor, currency: 'EUR' } }
      const answer = await untilAnswered(operator, 'POST', `/v1/orders/${order.orderId}/refund`, asked)
      if (!isDone('refund of a part', answer, 200)) return
      order.partialRefunds.push(minor)
      if (sabotage === 'double-refund') await refundAgain(stack, order, minor)
    },
    async use({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      await atProvider(found.order, 'use', { bytes: 1_000 })
      await forward(orderWorkflowId(found.order.orderId), '1 day')
    },
    async expire({ order: name }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered' || found.order.iccids.length !== 1) return
      await atProvider(found.order, 'expire')
      await forward(orderWorkflowId(found.order.orderId), '2 days')
      await reach(found.order, ['ended'])
    },
    async dispute({ order: name, outcome }) {
      const found = placed(name)
      if (found?.order.status !== 'delivered') return
      const { orderId } = found.order
      await sims.stripe.do('open-dispute', { orderId })
      await sims.stripe.do('close-dispute', { orderId, outcome })
    },
    async correct({ who }) {
      const person = present(who)
      if (!person) return
      const firstName = `New${who}${world}`
      const answer = await untilAnswered(service, 'PATCH', `/v1/accounts/${person.accountId}`, { firstName })
      if (isDone('correction', answer, 200)) Object.assign(person, { firstName, corrected: true })
    },
    async consent({ who, granted }) {
      const person = present(who)
      if (person) await consent(person, granted)
    },
    async stale_token({ who }) {
      const person = present(who)
      if (!person) return
      person.tokenIsStale = true
      await sims.firebase.do('token', { token: person.pushToken, behaviour: 'unregistered' })
    },
    async export({ who }) {
      const person = present(who)
      if (person) await witness.export(person)
    },
    async privacy_request({ who, answered }) {
      const replyTo = `asks${witness.privacyRequests.length + 1}.${who}.${randomUUID().slice(0, 8)}@elsewhere.example`
      const asked = { kind: 'access', message: 'What do you know of me?', replyTo }
      const answer = await untilAnswered(operator, 'POST', '/v1/privacy-requests', asked)
      if (!isDone('privacy request', answer, 201)) return
      const { id, reference } = answer.body
      const request = { replyTo, reference, isAnswered: false, isDue: false }
      witness.privacyRequests.push(request)
      unsettled.requests.set(id, !answered)
      request.isDue = !answered
      if (!answered) return
      const given = { answerKind: 'granted', answer: 'Nothing.' }
      const resolved = await untilAnswered(operator, 'POST', `/v1/privacy-requests/${id}/resolve`, given)
      request.isAnswered = isDone('answer', resolved, 200, 202)
    },
    async delete({ who }) {
      const person = present(who)
      if (person) await erase(person, 'delete')
    },
    async child_report({ who }) {
      const person = present(who)
      if (person) await erase(person, 'child-report')
    },
    async come_back({ who, as }) {
      const before = people.get(as)
      if (!before?.deletion) return
      const { appleSubject, googleSubject } = before
      const [apple, google] = [appleSubject !== null, googleSubject !== null]
      await signUp({ who, phone: false, apple, google, promotions: false }, before)
    },
    async unused_for_years({ who }) {
      const person = present(who)
      if (!person) return
      const workflowId = inactivityWorkflowId(person.accountId)
      const args = [{ accountId: person.accountId }]
      await untilStarted(() =>
        temporal.workflow.start(accountInactivityType, {
          workflowId,
          taskQueue: stack.config.TEMPORAL_TASK_QUEUE,
          args,
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      )
      person.inactive = true
      await forward(workflowId, '1100 days')
      unsettled.deletions.add(person)
    },
    async foreign_field({ who, field }) {
      const value = `${field}-${world}-${who}`
      const body = { email: `x.${who}.${world}@people.example`, firstName: 'F', lastName: 'L', [field]: value }
      const { status } = await untilAnswered(service, 'POST', '/v1/accounts', body)
      witness.foreignFields.push({ field, value, status })
    },
    async campaign({ subject }) {
      const named = `${subject} ${world}`
      const launchedAt = Date.now()
      const body = { subject: named, paragraphs: ['Ten percent off.'] }
      const answer = await untilAnswered(operator, 'POST', '/v1/campaigns', body)
      if (!isDone('campaign', answer, 201)) return
      witness.campaigns.push({ subject: named, launchedAt })
      await untilBody(`/v1/campaigns/${answer.body.id}`, ({ state }) => state === 'done')
    },
    async unsubscribe({ who }) {
      const person = present(who)
      const mails = person ? await sims.mailbox.do('find', { to: person.email }) : []
      const link = mails
        .flatMap(({ headers }) => /<(http[^>]+)>/.exec(headers['list-unsubscribe'] ?? '')?.[1] ?? [])
        .at(-1)
      if (!person || link === undefined) return
      const answer = await untilAnswered(stack.anonymous, 'POST', new URL(link).pathname)
      if (isDone('unsubscribe', answer, 200)) person.consents.push({ at: Date.now(), granted: false })
    },
    async rotate_keys() {
      const answer = await untilAnswered(operator, 'POST', '/v1/key-rotations', { purpose: 'field' })
      if (!isDone('key rotation', answer, 201)) return
      await untilBody(`/v1/key-rotations/${answer.body.id}`, ({ status }) => status !== 'rewrapping')
    },
    async apologise() {
      const answer = await untilAnswered(operator, 'POST', '/v1/bulk-actions', {
        act: 'apologise',
        selection: { statuses: ['delivered'], paidFrom: witness.startedAt.toISOString() },
        reason: 'an outage',
      })
      if (!isDone('bulk action', answer, 201)) return
      const path = `/v1/bulk-actions/${answer.body.id}`
      if (!isDone('its start', await untilAnswered(operator, 'POST', `${path}/start`), 200)) return
      await untilBody(path, ({ state }) => state === 'done')
      const done = new Set<string>()
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await untilAnswered(operator, 'GET', `${path}/orders?limit=100${cursor && `&cursor=${cursor}`}`)
        for (const { orderId, outcome } of expectStatus(page, 200).items) if (outcome === 'done') done.add(orderId)
        cursor = page.body.nextCursor && encodeURIComponent(page.body.nextCursor)
      }
      for (const order of orders.values()) order.isApologisedFor ||= done.has(order.orderId)
    },
    async policy({ version }) {
      const named = `${version}-${world}`
      const { day } = milliseconds
      const effectiveAt = new Date(Math.ceil(Date.now() / day) * day + (33 + witness.policies.length) * day)
      const postedAt = Date.now()
      const answer = await untilAnswered(operator, 'POST', '/v1/policies', {
        version: named,
        title: 'Privacy policy',
        text: 'As before.',
        changes: ['Nothing.'],
        effectiveAt: effectiveAt.toISOString(),
        material: true,
      })
      if (!isDone('policy', answer, 201)) return
      const until = effectiveAt.getTime() - Date.now() + day
      const reached = (await forward(policyNoticeWorkflowId(named), until)) ?? new Date(0)
      const shown = expectStatus(await untilAnswered(stack.anonymous, 'GET', `/v1/policies/${named}`), 200)
      const page = await untilAnswered(stack.anonymous, 'GET', `/privacy/${named}`)
      witness.policies.push({
        version: named,
        postedAt,
        effectiveAt: Date.parse(shown.effectiveAt),
        inForce: shown.state === 'in_force',
        reached: reached.getTime(),
        onPage: page.status === 200 && page.text.includes('As before.'),
      })
    },
    async backup() {
      if (isDone('backup', await untilAnswered(operator, 'POST', '/v1/backups'), 202)) witness.backupWasMade()
    },
  }

  let sweeping: Promise<unknown> = Promise.resolve()
  let nextSweep: Promise<unknown> | undefined

  /**
   * Reads what no run has noticed at Stripe, where webhooks are lost, as each hour does: the schedules are paused in a
   * world. Resolves after a sweep that began later than the call.
   */
  async function sweepPayments(): Promise<void> {
    nextSweep ??= sweeping.then(() => {
      nextSweep = undefined
      sweeping = untilStarted(() => runLater(stack, paymentSweepType, 0)).catch(() => undefined)
      return sweeping
    })
    await nextSweep
  }

  async function untilStarted(start: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return void (await start())
      } catch (error) {
        if (attempt === 20) throw error
        await pause(1_000)
      }
    }
  }

  async function untilBody(path: string, satisfies: (body: Answer['body']) => boolean): Promise<Answer['body']> {
    const deadline = Date.now() + stuckAfterMs
    for (;;) {
      const { body } = await untilAnswered(operator, 'GET', path)
      if (satisfies(body)) return body
      if (Date.now() > deadline) throw new Stuck(`${path}: ${JSON.stringify(body)}`)
      await pause(200)
    }
  }

  const playOne = <Kind extends keyof Acts>(kind: Kind, act: Acts[Kind]): Promise<unknown> => acting[kind](act)

  return {
    refused,
    play: (act: Act): Promise<unknown> => playOne(act.kind, act),
    forward,
    settle,
  }
}
