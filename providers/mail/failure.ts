/** What an error of nodemailer means for the mail. Its message is dropped: it quotes the server and the address. */
import { ProviderFailure } from '../failure.ts'

const provider = 'smtp'

interface SmtpError {
  /** nodemailer's, such as EENVELOPE */
  code?: string
  /** the server's last reply */
  responseCode?: number
  /** what the reply was to */
  command?: string
}

/** @param bodyStarted whether the server had been sent any of the message itself */
export function mailFailure(error: unknown, bodyStarted: boolean): ProviderFailure {
  const { code = '', responseCode, command = '' } = (error instanceof Error ? error : {}) as SmtpError
  const failure = (kind: ProviderFailure['kind'], reason: string) => new ProviderFailure(provider, kind, reason)

  if (responseCode !== undefined && responseCode >= 400) {
    const reason = `smtp_${responseCode}`
    // 503 says that the session, not the mail, was in a wrong state
    if (responseCode < 500 || responseCode === 503) return failure('unavailable', reason)
    // refused before it knew whom the mail is for: sign-in, greeting or sender
    const aboutTheMail = command === 'RCPT TO' || command === 'DATA'
    return failure(aboutTheMail ? 'rejected' : 'misconfigured', reason)
  }
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'ECONFIG') return failure('misconfigured', code.toLowerCase())
  if (code === 'EENVELOPE') return failure('rejected', 'invalid_address')
  if (code === 'EMESSAGE') return failure('rejected', 'message_too_large')
  const reason = /^E[A-Z0-9]{2,20}$/.test(code) ? code.toLowerCase() : 'not_sent'
  return failure(bodyStarted ? 'unknown_outcome' : 'unavailable', reason)
}
