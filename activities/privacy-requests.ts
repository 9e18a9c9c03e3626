/** G6: privacy requests are answered within 30 days. Activities of a request; its text stays in the database. */
import type { Context } from '../context.ts'
import { findAccount, languageOf } from '../db/accounts.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import {
  changePrivacyRequest,
  deleteAnswer,
  deletePrivacyRequest,
  findPrivacyRequest,
  makeCurrent,
  openPrivacyRequest,
  ownersOfRequests,
  type PrivacyRequestRow,
  takeAnswer,
} from '../db/privacy-requests.ts'
import {
  renderPrivacyRequestAcknowledged,
  renderPrivacyRequestAnswered,
  renderPrivacyRequestDue,
  renderPrivacyRequestExtended,
} from '../mails/privacy-request.tsx'
import type { RenderedMail } from '../mails/render.ts'
import { defaultLanguage } from '../messages/languages.ts'
import { type Texts, textsOf } from '../messages/texts.ts'
import { privacyReference } from '../policy/privacy-reference.ts'
import type { PrivacyRequestActivities, Reached, Urgency } from '../workflows/privacy-request.contract.ts'
import { sendMail } from './sending/send-mail.ts'

const tasks: Record<Urgency, string> = {
  reminder: 'privacy_request_due',
  escalation: 'privacy_request_escalated',
  late: 'privacy_request_late',
}
const unreachable = 'privacy_request_unreachable'

export function createPrivacyRequestActivities(context: Context): PrivacyRequestActivities {
  const { sql, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  return {
    openRequest: ({ requestId }) => makeCurrent(sql, requestId),

    takeAnswer: ({ requestId, answerId, asOf }) => takeAnswer(sql, requestId, answerId, new Date(asOf)),

    findRequest: async ({ requestId }) => (await findPrivacyRequest(sql, requestId)) !== undefined,

    async acknowledgeRequest({ requestId, asOf }) {
      const reached = await mailToPerson(requestId, 'mail:acknowledgement', asOf, ({ texts, request }) =>
        renderPrivacyRequestAcknowledged({
          site,
          texts,
          reference: privacyReference(requestId),
          receivedOn: request.received_at,
          answerBy: request.answer_by,
        }),
      )
      if (reached !== 'sent') return reached
      const before = (await findPrivacyRequest(sql, requestId))?.acknowledged_at
      await changePrivacyRequest(sql, requestId, { acknowledged_at: before ?? new Date(asOf) })
      return reached
    },

    async urgeOperators({ requestId, asOf, urgency, occasion, answerBy }) {
      const request = await findPrivacyRequest(sql, requestId)
      if (!request) return 'gone'
      const at = new Date(asOf)
      // The operator task comes first, because the mail server may be down.
      await raiseOperatorTask(sql, { kind: tasks[urgency], subjectId: requestId, detail: request.kind, at })
      if (urgency === 'escalation') await changePrivacyRequest(sql, requestId, { escalated_at: at })
      if (urgency === 'late') await changePrivacyRequest(sql, requestId, { late_at: request.late_at ?? at })
      const outcome = await sendMail(context, {
        send: { subjectId: requestId, kind: `mail:operators:${occasion}`, accountId: request.account_id },
        at,
        compose: async () => ({
          to: config.SUPPORT_MAIL,
          mail: renderPrivacyRequestDue({
            site,
            reference: privacyReference(requestId),
            kind: request.kind,
            urgency,
            answerBy: new Date(answerBy),
            consoleUrl: new URL('/console', config.PUBLIC_URL).href,
          }),
        }),
      })
      return outcome === 'failed' ? 'failed' : 'sent'
    },

    async recordExtension({ requestId, answerBy, reason }) {
      const change = { answer_by: new Date(answerBy), extended_because: reason }
      await changePrivacyRequest(sql, requestId, change)
    },

    tellOfExtension: ({ requestId, asOf }) =>
      mailToPerson(requestId, 'mail:extension', asOf, ({ texts, request }) =>
        renderPrivacyRequestExtended({
          site,
          texts,
          reference: privacyReference(requestId),
          because: request.extended_because === 'number_of_requests' ? 'number_of_requests' : 'complexity',
          answerBy: request.answer_by,
        }),
      ),

    async sendAnswer({ requestId, asOf, attempt }) {
      // Attempts begin anew with a run that follows one that is gone.
      const name = (await findPrivacyRequest(sql, requestId))?.answer_id ?? attempt
      return mailToPerson(requestId, `mail:answer:${name}`, asOf, ({ texts, answer }) => {
        if (answer === null) return null
        return renderPrivacyRequestAnswered({ site, texts, reference: privacyReference(requestId), answer })
      })
    },

    recordAnswer: ({ requestId, asOf }) =>
      sql.begin(async (tx) => {
        const at = new Date(asOf)
        for (const kind of [...Object.values(tasks), unreachable]) {
          await resolveOperatorTask(tx, { kind, subjectId: requestId, by: 'answer', at })
        }
        return changePrivacyRequest(tx, requestId, { state: 'answered', answered_at: at })
      }),

    async reportUnreachable({ requestId, asOf, mail }) {
      if (mail === 'answer') await deleteAnswer(sql, requestId)
      await raiseOperatorTask(sql, { kind: unreachable, subjectId: requestId, detail: mail, at: new Date(asOf) })
    },

    forgetRequest: ({ requestId }) => deletePrivacyRequest(sql, requestId),
  }

  async function mailToPerson(
    requestId: string,
    kind: string,
    asOf: string,
    render: (about: { request: PrivacyRequestRow; answer: string | null; texts: Texts }) => RenderedMail | null,
  ): Promise<Reached> {
    const request = await findPrivacyRequest(sql, requestId)
    const opened = request && (await openPrivacyRequest(sql, context, request))
    if (!request || !opened) return 'gone'
    const to = opened.replyTo ?? (await addressOf(request.account_id))
    if (to === undefined) return 'gone'
    const send = { subjectId: requestId, kind, accountId: request.account_id }
    // Also of a request from before the sign-up.
    const owner = (await ownersOfRequests(sql, [request])).get(requestId)
    const language = await languageOf(sql, owner ?? null)
    const mail = render({ request, answer: opened.answer, texts: textsOf(language ?? defaultLanguage) })
    if (!mail) return 'failed'
    const outcome = await sendMail(context, { send, at: new Date(asOf), compose: async () => ({ to, mail }) })
    return outcome === 'failed' ? 'failed' : 'sent'
  }

  async function addressOf(accountId: string | null): Promise<string | undefined> {
    const account = accountId === null ? undefined : await findAccount(sql, context, accountId)
    return account?.email
  }
}
