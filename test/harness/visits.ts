import type { Stack } from '../../dev/stack.ts'
import { createSurfer, type Surfer } from './browser.ts'
import { mailsTo } from './checks/messages.ts'
import { until } from './until.ts'

/** Signs in on the web pages by the mailed link. */
export async function visit(stack: Stack, { email }: { email: string }): Promise<Surfer> {
  const surfer = createSurfer(stack.urls.api)
  const links = async () => (await mailsTo(stack, email)).filter(({ subject }) => subject === 'Your sign-in link')
  const before = (await links()).length
  await surfer.post('/account/sign-in', { email, next: 'account' })
  const mail = await until('the link', async () => (await links()).slice(before).at(-1))
  const link = new URL(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '').pathname
  await surfer.submit(link, link)
  return surfer
}
