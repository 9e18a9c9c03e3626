import type { Context } from '../../context.ts'
import { languageOf } from '../../db/accounts.ts'
import { deletePushToken, hasPushToken, listDevices } from '../../db/devices.ts'
import { defaultLanguage } from '../../messages/languages.ts'
import { type Texts, textsOf } from '../../messages/texts.ts'
import { isProviderFailure } from '../../providers/failure.ts'

export interface PushText {
  title: string
  body: string
  /** for the app: opaque ids and states */
  data: Record<string, string>
  collapseKey: string
}

/**
 * C4: we keep a push token for each device. Pushes to every device of an account, and deletes tokens that FCM calls
 * unregistered. One device that was reached is enough: a repeat for the others would come twice on that one.
 * @throws ProviderFailure of the first device, when none was reached
 */
export async function pushToAccount(
  context: Context,
  accountId: string,
  compose: (t: Texts['t']) => PushText,
): Promise<'sent' | 'skipped'> {
  const devices = await listDevices(context.sql, context, accountId)
  const language = await languageOf(context.sql, accountId)
  const text = compose(textsOf(language ?? defaultLanguage).t)
  const failures: unknown[] = []
  let reached = 0
  for (const { pushToken, platform } of devices) {
    // FCM may take long for each phone: the next one may have another person, or none who is signed in, by now.
    if (!pushToken || !(await hasPushToken(context.sql, context, accountId, pushToken))) continue
    try {
      const { outcome } = await context.push.send({ token: pushToken, platform, ...text })
      if (outcome === 'token_dead') await deletePushToken(context.sql, context, pushToken)
      else reached += 1
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      failures.push(error)
    }
  }
  if (reached > 0) return 'sent'
  if (failures.length > 0) throw failures[0]
  return 'skipped'
}
