/** Translates nodemailer's errors. Their messages are dropped, since they quote the mail server and the address. */
import { ProviderFailure } from '../failure.ts'

const provider = 'smtp'

interface SmtpError {
  /** nodemailer's code, for example EENVELOPE */
  code?: string
  /** the server's last reply */
  responseCode?: number
  /** the SMTP command that the server replied to */
  command?: string
}

/** The failure for an error of nodemailer. @param bodyStarted whether any part of the message was sent */
export function mailFailure(error: unknown, bodyStarted: boolean): ProviderFailure {
  const { code = '', responseCode, command = '' } = (error instanceof Error ? error : {}) as SmtpError
  const failure = (kind: ProviderFailure['kind'], reason: string) => new ProviderFailure(provider, kind, reason)

  if (responseCode !== undefined && responseCode >= 400) {
    const reason = `smtp_${responseCode}`
    // 503 is about the state of the session, not about the mail.
    if (responseCode < 500 || responseCode === 503) return failure('unavailable', reason)
    // Earlier commands (greeting, sign-in, sender) do not know the recipient yet: their refusal is about us.
    const aboutTheMail = command === 'RCPT TO' || command === 'DATA'
    return failure(aboutTheMail ? 'rejected' : 'misconfigured', reason)
  }
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'ECONFIG') return failure('misconfigured', code.toLowerCase())
  if (code === 'EENVELOPE') return failure('rejected', 'invalid_address')
  if (code === 'EMESSAGE') return failure('rejected', 'message_too_large')
  const reason = /^E[A-Z0-9]{2,20}$/.test(code) ? code.toLowerCase() : 'not_sent'
  return failure(bodyStarted ? 'unknown_outcome' : 'unavailable', reason)
}
