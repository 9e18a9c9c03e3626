/** Mails and pushes that a person got, from the simulators of the mail server and FCM. */
import type { Stack } from '../../../dev/stack.ts'

export interface Mail {
  at: string
  messageId: string
  subject: string
  html: string
  text: string
  headers: Record<string, string>
  attachments: { filename: string; contentType: string; cid: string; size: number; base64: string }[]
}

export interface Push {
  at: string
  token: string
  message: {
    notification: { title: string; body: string }
    data: Record<string, string>
    apns?: { headers: Record<string, string> }
    android?: { collapseKey: string }
  }
}

/** All mails to an address, oldest first. */
export function mailsTo({ sims }: Stack, address: string): Promise<Mail[]> {
  return sims.mailbox.do<Mail[]>('find', { to: address })
}

/** All pushes to a token, oldest first. */
export async function pushesTo({ sims }: Stack, token: string): Promise<Push[]> {
  const { delivered } = (await sims.firebase.books()) as unknown as { delivered: Push[] }
  return delivered.filter((push) => push.token === token)
}
