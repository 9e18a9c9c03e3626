/** Scenarios of privacy requests and changes of address. */
import { randomUUID } from 'node:crypto'
import { WorkflowUpdateFailedError } from '@temporalio/client'
import type { EmailChanges } from '../../db/connection/schema.ts'
import { emailChangeWorkflowId as emailChangeId, emailChangeType } from '../../workflows/email-change.contract.ts'
import { privacyRequestType, privacyRequestWorkflowId, resolve } from '../../workflows/privacy-request.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { always } from '../harness/checks/placements.ts'
import { expectStatus } from '../harness/http.ts'
import { loseAccount } from '../harness/lost.ts'
import type { Person } from '../harness/people.ts'
import type { Product } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { runSteps, type Scenario } from './scenario.ts'

export const privacyRequests: Record<string, Scenario> = {
  'privacy-request-answered-in-time': async (product) => {
    const { ask, answer } = requestSteps(product)
    const { forward, untilClosed } = runSteps(product)
    const { id, workflowId } = await ask()
    await forward(workflowId, '20 days')
    await answer(id)
    return untilClosed(await forward(workflowId, '91 days'))
  },
  'privacy-request-escalated-and-answered-late': async (product) => {
    const { ask, answer } = requestSteps(product)
    const { forward, untilClosed } = runSteps(product)
    const { id, workflowId } = await ask()
    await forward(workflowId, '40 days')
    await answer(id)
    return untilClosed(await forward(workflowId, '91 days'))
  },
  'privacy-request-extended-and-refused-by-the-mailbox': async (product) => {
    const { ask, answer, extend } = requestSteps(product)
    const { forward, untilClosed, untilIt } = runSteps(product)
    const { id, workflowId, replyTo } = await ask()
    await forward(workflowId, '15 days')
    await extend(id)
    await forward(workflowId, '60 days')
    await product.sims.mailbox.do('rule', { recipient: replyTo, code: 550 })
    await answer(id, false)
    await until('it was refused', async () => {
      const [task] = await product.context.sql`
        select 1 from attention where subject_id = ${id} and kind = 'privacy_request_unreachable'`
      return task
    })
    await untilIt(workflowId, 'open')
    expectStatus(
      await product.operator.post(`/v1/privacy-requests/${id}/resolve`, { answerKind: 'refused', answer: null }),
      202,
    )
    await untilIt(workflowId, 'answered')
    return untilClosed(await forward(workflowId, '91 days'))
  },
  'privacy-request-erased-with-its-person': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const person = await product.signUp()
    const { workflowId } = await requestSteps(product).ask({ replyTo: person.email })
    await loseAccount(product.context.sql, person.accountId)
    return untilClosed(await forward(workflowId, '15 days'))
  },
  'privacy-request-never-recorded': async (product) => {
    const { start, forward, untilClosed } = runSteps(product)
    const input = { requestId: randomUUID(), receivedAt: new Date().toISOString() }
    return untilClosed(await forward(await start(privacyRequestType, [input]), '5 minutes'))
  },
  'privacy-request-from-a-draft-answered-by-mail': async (product) => {
    const { ask, answer } = requestSteps(product)
    const { forward, untilClosed } = runSteps(product)
    const { id, workflowId } = await ask()
    await answer(id)
    return untilClosed(await forward(workflowId, '91 days'))
  },
  'privacy-request-from-a-draft-answered-elsewhere-after-a-refused-answer': async (product) => {
    const { forward, untilClosed, untilIt } = runSteps(product)
    const { id, workflowId } = await requestSteps(product).ask()
    const unknown = { answerKind: 'granted', byMail: true, answerId: randomUUID() } as const
    const refused = await product.temporal.workflow
      .getHandle(workflowId)
      .executeUpdate(resolve, { args: [unknown] })
      .catch((error: unknown) => error)
    if (!(refused instanceof WorkflowUpdateFailedError)) throw new Error('an answer was taken that nobody stored')
    const body = { answerKind: 'granted', answer: null }
    expectStatus(await product.operator.post(`/v1/privacy-requests/${id}/resolve`, body), 202)
    await untilIt(workflowId, 'answered')
    return untilClosed(await forward(workflowId, '91 days'))
  },
  'privacy-request-of-a-draft-that-was-dropped': async (product) => {
    const { start, untilClosed } = runSteps(product)
    const input = { requestId: randomUUID(), receivedAt: new Date().toISOString(), draft: true }
    return untilClosed(await start(privacyRequestType, [input]))
  },
  'privacy-request-waits-for-an-answer': async (product) =>
    runSteps(product).forward((await requestSteps(product).ask()).workflowId, '16 days'),
  'privacy-request-waits-for-an-overdue-answer': async (product) =>
    runSteps(product).forward((await requestSteps(product).ask()).workflowId, '38 days'),
  'privacy-request-waits-for-an-answer-until-the-second-deadline': async (product) => {
    const { ask, extend } = requestSteps(product)
    const { id, workflowId } = await ask()
    await runSteps(product).forward(workflowId, '15 days')
    await extend(id)
    return runSteps(product).forward(workflowId, '62 days')
  },
  'privacy-request-waits-for-the-mail-server': async (product) => {
    const { ask, answer } = requestSteps(product)
    const { id, workflowId } = await ask()
    await runSteps(product).mailDown()
    await answer(id, false)
    return runSteps(product).forward(workflowId, '1 hour')
  },
  'privacy-request-waits-for-the-time-to-forget-it': async (product) => {
    const { ask, answer } = requestSteps(product)
    const { id, workflowId } = await ask()
    await answer(id)
    return workflowId
  },
}

function requestSteps(product: Product) {
  const { operator } = product
  return {
    /** A request that was acknowledged. */
    async ask(over: Record<string, unknown> = {}): Promise<{ id: string; workflowId: string; replyTo: string }> {
      const body = { kind: 'access', message: 'What is known?', replyTo: `${randomUUID()}@elsewhere.example`, ...over }
      const { id } = expectStatus(await operator.post('/v1/privacy-requests', body), 201)
      await until('acknowledged', async () => (await mailsTo(product, body.replyTo)).length > 0)
      return { id, workflowId: privacyRequestWorkflowId(id), replyTo: body.replyTo }
    },
    async answer(id: string, arrives = true): Promise<void> {
      const body = { answerKind: 'granted', answer: 'Nothing.' }
      expectStatus(await operator.post(`/v1/privacy-requests/${id}/resolve`, body), 202)
      if (arrives) await runSteps(product).untilIt(privacyRequestWorkflowId(id), 'answered')
    },
    extend: async (id: string): Promise<void> =>
      expectStatus(await operator.post(`/v1/privacy-requests/${id}/extend`, { reason: 'complexity' }), 200),
  }
}

export const emailChanges: Record<string, Scenario> = {
  'email-change-confirmed': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request()
    await agree(email)
    await agree(person.email)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-waived-by-an-operator': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request({ oldTakesNoMail: true })
    await until('an operator is told', async () => {
      const [task] = await product.context.sql`select 1 from attention where kind = 'email_change_unreachable'
        and subject_id = ${workflowId.replace(emailChangeId(''), '')}`
      return task
    })
    expectStatus(await product.operator.post(`/v1/accounts/${person.accountId}/email-change/waive-old`), 200)
    await agree(email)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-lapsed': async (product) => {
    const { request, agree } = changeSteps(product)
    const { forward, untilClosed } = runSteps(product)
    const { workflowId, email } = await request()
    await agree(email)
    return untilClosed(await forward(workflowId, '25 hours'))
  },
  'email-change-cancelled': async (product) => {
    const { workflowId, person } = await changeSteps(product).request()
    expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}/email-change`), 204)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-replaced': async (product) => {
    const { request } = changeSteps(product)
    const { workflowId, person } = await request()
    await request({ person })
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-to-an-address-that-got-an-account': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request()
    await product.signUp({ account: { email } })
    await agree(person.email)
    await agree(email)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-never-recorded': async (product) => {
    const { start, forward, untilClosed } = runSteps(product)
    const input = { changeId: randomUUID(), expiresAt: new Date(Date.now() + 86_400_000).toISOString() }
    return untilClosed(await forward(await start(emailChangeType, [input]), '5 minutes'))
  },
  'email-change-from-a-draft': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request()
    await agree(email)
    await agree(person.email)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-of-a-draft-beside-another': async (product) => {
    const { start, untilClosed } = runSteps(product)
    const { person } = await changeSteps(product).request()
    const changeId = randomUUID()
    const expiresAt = new Date(Date.now() + 86_400_000)
    await product.context.sql`insert into email_changes (id, account_id, state, requested_at, expires_at)
      values (${changeId}, ${person.accountId}, 'draft', now(), ${expiresAt})`
    return untilClosed(
      await start(
        emailChangeType,
        [{ changeId, expiresAt: expiresAt.toISOString(), draft: true }],
        emailChangeId(changeId),
      ),
    )
  },
  'email-change-of-a-draft-that-was-dropped': async (product) => {
    const { start, untilClosed } = runSteps(product)
    const input = { changeId: randomUUID(), expiresAt: new Date(Date.now() + 86_400_000).toISOString(), draft: true }
    return untilClosed(await start(emailChangeType, [input]))
  },
  'email-change-that-moves-the-sign-in': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request()
    const user = { uid: person.firebaseUid, email: person.email, providers: ['password'] }
    await product.sims.firebase.do('user', user)
    await agree(email)
    await agree(person.email)
    return runSteps(product).untilClosed(workflowId)
  },
  'email-change-waits-for-firebase': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, person, email } = await request()
    await product.sims.firebase.fault({ match: { path: 'accounts:lookup' }, status: 503, times: always })
    await agree(email)
    await agree(person.email)
    return runSteps(product).forward(workflowId, '10 minutes')
  },
  'email-change-waits-for-both-addresses': async (product) => (await changeSteps(product).request()).workflowId,
  'email-change-waits-for-the-old-address': async (product) => {
    const { request, agree } = changeSteps(product)
    const { workflowId, email } = await request()
    await agree(email)
    return workflowId
  },
  'email-change-waits-for-the-mail-server': async (product) => {
    const { mailDown, forward } = runSteps(product)
    const { request, agree, linkTo } = changeSteps(product)
    const { workflowId, person, email } = await request()
    await agree(email)
    const link = await linkTo(person.email)
    await mailDown()
    await follow(link)
    return forward(workflowId, '10 minutes')
  },
}

function changeSteps(product: Product) {
  /** Waits for the mails to both addresses and returns the newest link in that to one of them. */
  const linkTo = (address: string): Promise<string> =>
    until(`a link to ${address}`, async () => {
      const texts = (await mailsTo(product, address)).map(({ text }) => text)
      return texts.flatMap((text) => /https?:\/\/\S+\/email-change\/[\w-]{43}/.exec(text)?.[0] ?? []).at(-1)
    })
  return {
    linkTo,
    async request({ person, oldTakesNoMail = false }: { person?: Person; oldTakesNoMail?: boolean } = {}) {
      const owner = person ?? (await product.signUp())
      if (oldTakesNoMail) await product.sims.mailbox.do('rule', { recipient: owner.email, code: 550 })
      const email = `${randomUUID()}@new.example`
      expectStatus(await owner.caller.post(`/v1/accounts/${owner.accountId}/email-change`, { email }), 202)
      const [row] = await product.context.sql<Pick<EmailChanges, 'id'>[]>`
        select id from email_changes where account_id = ${owner.accountId} order by requested_at desc limit 1`
      await linkTo(email)
      if (!oldTakesNoMail) await linkTo(owner.email)
      return { workflowId: emailChangeId(row?.id ?? ''), person: owner, email }
    },
    agree: async (address: string): Promise<void> => follow(await linkTo(address)),
  }
}

async function follow(link: string): Promise<void> {
  const headers = { 'sec-fetch-site': 'same-origin' }
  const answer = await fetch(link, { method: 'POST', body: new URLSearchParams(), headers, redirect: 'manual' })
  if (!answer.ok) throw new Error(`expected an agreement, got ${answer.status}`)
}
