/** A mail that was refused for good counts as refused, whoever asks for it once more, and another one takes its place. */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { sendOnce } from '../../activities/sending/send-once.ts'
import { ProviderFailure } from '../../providers/failure.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus, withId } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { operator, temporal } = harness
const { sql } = harness.context
const { mailbox } = harness.sims

afterEach(() => mailbox.do('clear-rules'))

test('a refusal is told again to an attempt that comes after it', async () => {
  const send = { subjectId: randomUUID(), kind: 'mail:answer:1', accountId: null }
  const options = { at: new Date(), unavailable: 'MailUnavailable', unknown: 'repeat' } as const
  let tries = 0
  const attempt = () =>
    sendOnce(harness.context, send, options, () => {
      tries += 1
      throw new ProviderFailure('smtp', 'rejected', 'smtp_550')
    })
  expect([await attempt(), await attempt(), tries]).toEqual(['failed', 'failed', 1])
})

test('G6: an answer is mailed by the run that follows one that is gone, although the answer before it was refused', async () => {
  const replyTo = `${randomUUID()}@elsewhere.example`
  const asked = { kind: 'access', message: 'What do you know of me?', replyTo }
  const { id } = expectStatus(await operator.post('/v1/privacy-requests', asked), 201, withId)
  const mails = () => mailsTo(harness.stack, replyTo)
  await until('the acknowledgement', async () => (await mails()).length === 1)
  const answer = async (text: string) =>
    expectStatus(
      await operator.post(`/v1/privacy-requests/${id}/resolve`, { answerKind: 'granted', answer: text }),
      202,
    )
  await mailbox.do('rule', { recipient: replyTo, code: 550 })
  await answer('Refused by the mailbox.')
  await until('operators know', async () => {
    const tasks = await sql`select 1 from attention where kind = 'privacy_request_unreachable' and subject_id = ${id}`
    return tasks.length > 0
  })
  await mailbox.do('clear-rules')
  await temporal.workflow.getHandle(privacyRequestWorkflowId(id)).terminate('by mistake')
  await runLater(harness.stack, draftSweepType, 0)
  await answer('Taken by the mailbox.')
  const state = async () => expectStatus(await operator.get(`/v1/privacy-requests/${id}`), 200).state
  await untilValue('it is answered', state, (shown) => shown === 'answered')
  expect((await mails()).map(({ text }) => text.includes('Taken by the mailbox.'))).toEqual([false, true])
})
