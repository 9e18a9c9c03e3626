/** Bounces: the mail system that receives mail for MAIL_BOUNCE_DOMAIN posts each delivery status notification here. */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { markMailBounced } from '../../../db/accounts.ts'
import { markBounced } from '../../../db/policy-deliveries.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { type Bounce, readBounce } from '../../../providers/mail/bounce.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'

export function bounceRoutes({ sql, config }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/mail-bounces/{secret}',
      tag: 'webhooks',
      summary: 'A delivery status notification (RFC 3464), as message/rfc822',
      promises: ['N2', 'P5'],
      callers: ['public'],
      // A notification may contain the returned mail, with its pictures.
      rawBody: { mediaType: 'message/rfc822', maxBytes: 1024 * 1024 },
      unlimited: true,
      params: z.strictObject({ secret: z.string().max(200) }),
      responses: { 204: { description: 'Accepted' } },
      problems: ['not_found', 'webhook_refused'],
      admit({ params }) {
        if (!isSecret(params.secret, config.MAIL_BOUNCE_TOKEN)) throw new Problem('not_found')
      },
      async handle({ raw }) {
        const { messageId, status, permanent } = read(raw.toString('utf8'))
        // A delivery that is only delayed, or one of a mail without a send ledger row, changes nothing.
        const accountId = permanent ? await markBounced(sql, messageId, status) : undefined
        if (accountId) await markMailBounced(sql, accountId)
        return { status: 204 }
      },
    }),
  ]
}

function read(raw: string): Bounce {
  try {
    return readBounce(raw)
  } catch (error) {
    if (isProviderFailure(error)) throw new Problem('webhook_refused', { detail: `Reason: ${error.code}` })
    throw error
  }
}

function isSecret(given: string, expected: string | undefined): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected ?? '')]
  return expected !== undefined && a.length === b.length && timingSafeEqual(a, b)
}
