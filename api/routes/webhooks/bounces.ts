/** Bounces: the mail system that receives mail for MAIL_BOUNCE_DOMAIN posts each delivery status notification here. */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findBreachOfMail, raiseUnreached } from '../../../db/access/breaches.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { isOfEmailChange, mailBounced, noteDeadAddress, noteDeadSide } from '../../../db/order/unreached.ts'
import { markBounced } from '../../../db/policy-deliveries.ts'
import { recordBounce } from '../../../db/sends.ts'
import { type Bounce, readBounce } from '../../../providers/mail/bounce.ts'
import { createOrderSignals } from '../../../temporal/order-signals.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { verified } from './verified.ts'

export function bounceRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  const signals = createOrderSignals(api)
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
        const bounce = verified(() => readBounce(raw.toString('utf8')))
        // A holiday notice, a delivery that is only delayed, or one of a mail without a row, changes nothing.
        if (!bounce?.permanent) return { status: 204 }
        const subjectId = await sql.begin((tx) => record(tx, bounce))
        // A hint for the run of an order, which reaches the person another way; other subjects have no such run.
        if (subjectId) await signals.provider(subjectId)
        return { status: 204 }
      },
    }),
  ]
}

/**
 * A dead address concerns the person who has it, and who is notified by push; every other mail that comes back is an
 * operator task, and may be sent again.
 * @returns the subject of the mail
 */
async function record(tx: Queryable, { messageId, status, addressIsDead }: Bounce): Promise<string | undefined> {
  const notice = await markBounced(tx, messageId, status)
  const mail = notice ?? (await recordBounce(tx, messageId, status))
  if (!mail) return undefined
  const { accountId, addressIndex, subjectId, kind } = mail
  const at = new Date()
  if (addressIsDead && accountId !== null) {
    const dead = { accountId, addressIndex, subjectId, code: status, at }
    await (isOfEmailChange(kind) ? noteDeadSide(tx, kind, dead) : noteDeadAddress(tx, dead))
  } else await raiseOperatorTask(tx, { kind: mailBounced, subjectId, detail: status, at })
  if (notice) return undefined
  const breachId = await findBreachOfMail(tx, subjectId)
  if (breachId !== undefined) await raiseUnreached(tx, breachId, at)
  return subjectId
}

function isSecret(given: string, expected: string | undefined): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected ?? '')]
  return expected !== undefined && a.length === b.length && timingSafeEqual(a, b)
}
