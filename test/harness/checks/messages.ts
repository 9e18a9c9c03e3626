/** Mails and pushes that a person got, from the simulators of the mail server and FCM. */
import type { Stack } from '../../../dev/stack.ts'
import type { DeliveredPush } from '../../../sim/firebase.ts'
import type { ReadMail } from '../../../sim/mailbox/store.ts'

/** All mails to an address, oldest first. */
export function mailsTo({ sims }: Stack, address: string): Promise<ReadMail[]> {
  return sims.mailbox.do('find', { to: address })
}

/** All pushes to a token, oldest first. */
export async function pushesTo({ sims }: Stack, token: string): Promise<DeliveredPush[]> {
  const { delivered } = await sims.firebase.state()
  return delivered.filter((push) => push.token === token)
}
