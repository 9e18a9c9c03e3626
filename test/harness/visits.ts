import type { Stack } from '../../dev/stack.ts'
import { languages } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { createSurfer, type Surfer } from './browser.ts'
import { mailsTo } from './checks/messages.ts'
import { until } from './until.ts'

/** Signs in on the web pages by the mailed link. */
export async function visit(stack: Stack, { email }: { email: string }): Promise<Surfer> {
  const surfer = createSurfer(stack.urls.api)
  const subjects = languages.map((language) => textsOf(language).t('mail.signIn.subject'))
  const links = async () => (await mailsTo(stack, email)).filter(({ subject }) => subjects.includes(subject))
  const before = (await links()).length
  await surfer.post('/account/sign-in', { email, next: 'account' })
  const mail = await until('the link', async () => (await links()).slice(before).at(-1))
  const link = new URL(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '').pathname
  await surfer.submit(link, link)
  return surfer
}
