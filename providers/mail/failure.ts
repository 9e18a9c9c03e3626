/** Translates nodemailer's errors. Their messages are dropped, since they quote the mail server and the address. */

import { z } from 'zod'
import { enhancedStatusIn, isListedReply, smtpMeaning } from '../codes/smtp.ts'
import { ProviderFailure } from '../failure.ts'
import { badCertificate, connectionFault } from '../http-request.ts'

const provider = 'smtp'
/** A mail that was refused for good is tried again seldom: it passes once an operator has acted. */
const refusedAgainAfterMs = 60 * 60_000

/** An error of nodemailer. What is of another type counts as missing. */
const smtpError = z.object({
  /** nodemailer's code, for example EENVELOPE */
  code: z.string().optional().catch(undefined),
  /** Node's code, where nodemailer has replaced it */
  originalCode: z.string().optional().catch(undefined),
  /** the server's last reply */
  responseCode: z.number().optional().catch(undefined),
  response: z.string().optional().catch(undefined),
  /** the SMTP command that the server replied to */
  command: z.string().optional().catch(undefined),
})

/**
 * The failure for an error of nodemailer. Only a refusal of the person's address is `rejected`.
 * @param bodyStarted whether any part of the message was sent
 */
export function mailFailure(error: unknown, bodyStarted: boolean): ProviderFailure {
  const {
    code = '',
    originalCode = '',
    responseCode,
    response = '',
    command = '',
  } = smtpError.safeParse(error).data ?? {}
  const failure = (kind: ProviderFailure['kind'], reason: string) =>
    new ProviderFailure(provider, kind, reason, kind === 'misconfigured' ? { retryAfterMs: refusedAgainAfterMs } : {})

  if (responseCode !== undefined && responseCode >= 400) {
    const status = enhancedStatusIn(response)
    const reason = `smtp_${status ?? responseCode}`
    // 503 is about the state of the session, not about the mail.
    if (responseCode < 500 || responseCode === 503)
      return new ProviderFailure(provider, 'unavailable', reason, {
        needsOperator: !isListedReply(responseCode, status),
      })
    // Earlier commands (greeting, sign-in, sender) do not know the recipient yet.
    const knowsRecipient = command === 'RCPT TO' || command === 'DATA'
    const isAddress = knowsRecipient && smtpMeaning(responseCode, status).about === 'address'
    return failure(isAddress ? 'rejected' : 'misconfigured', reason)
  }
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'ECONFIG') return failure('misconfigured', code.toLowerCase())
  if (code === 'EENVELOPE') return failure('rejected', 'invalid_address')
  if (code === 'EMESSAGE') return failure('misconfigured', 'message_too_large')
  // A certificate fault does not go away by itself, and nothing was sent, as with every other party.
  if (connectionFault({ code: originalCode }).code === badCertificate)
    return new ProviderFailure(provider, 'unavailable', badCertificate, { needsOperator: true })
  const reason = /^E[A-Z0-9]{2,20}$/.test(code) ? code.toLowerCase() : 'not_sent'
  return failure(bodyStarted ? 'unknown_outcome' : 'unavailable', reason)
}
