import type { Context } from '../context.ts'
import { dropPushToken, listDevices } from '../db/devices.ts'

export interface PushText {
  title: string
  body: string
  /** for the app: opaque ids and states */
  data: Record<string, string>
  collapseKey: string
}

/** Pushes to every device of an account; a token that FCM declares dead is dropped (C4). */
export async function pushToAccount(context: Context, accountId: string, text: PushText): Promise<'sent' | 'skipped'> {
  const devices = await listDevices(context.sql, context, accountId)
  let reached = 0
  for (const { pushToken, platform } of devices) {
    if (!pushToken) continue
    const { outcome } = await context.push.send({ token: pushToken, platform, ...text })
    if (outcome === 'token_dead') await dropPushToken(context.sql, context, pushToken)
    else reached += 1
  }
  return reached > 0 ? 'sent' : 'skipped'
}
