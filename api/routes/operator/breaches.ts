/** GDPR articles 33 and 34: operators open a breach, see whose data was read, and record whom they notified. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import {
  type Breach,
  decideOnPeople,
  fieldsOfBreach,
  findBreach,
  listAffected,
  listBreaches,
  settleAuthority,
} from '../../../db/access/breaches.ts'
import { revokeApiKey } from '../../../db/api-keys.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { periods } from '../../../policy/periods.ts'
import { plusDays, plusMs } from '../../../shared/calendar.ts'
import { actAndRecord, entryOn, recordOperatorAct } from '../../acts/recorded-acts.ts'
import { actorOf } from '../../http/caller.ts'
import { cutPage, decodeCursor, pageQuery } from '../../http/cursor.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentTime } from '../../http/storable.ts'
import { createBreachClient } from '../../runs/breach-client.ts'
import { authorityForm } from '../../views/breach-form.ts'
import { breach, breaches, viewBreach } from '../../views/breach-view.ts'
import { whyField } from '../../views/operator-words.ts'

const text = z.string().trim().min(1).max(5_000)
const name = z.string().trim().min(1).max(100)

const newBreach = z
  .strictObject({
    keyId: name.optional().describe('reads with this API key'),
    session: name.optional().describe('reads in this session: see the accesses of an account'),
    from: sentTime.optional().describe('reads since then; by default all that the access log has'),
    until: sentTime
      .optional()
      .describe('reads until then; by default until the requests that are under way have ended'),
    awareAt: sentTime.optional().describe('when we became aware, if not now: the 72 hours begin then'),
    nature: text.describe('what happened, in plain words: the authority and the people read it'),
    consequences: text.describe('what may follow for the people'),
    measures: text.describe('what was done, and what the people can do'),
    contact: text.optional().describe('the data protection officer or another contact; by default the support address'),
    revokeKey: z.boolean().default(false).describe('revokes the key at once, before its reads are counted'),
    ...whyField,
  })
  .meta({ id: 'NewBreach' })

const affected = z
  .object({
    items: z.array(
      z.object({
        accountId: z.uuid(),
        fields: z.array(z.string()),
        reads: z.int(),
        firstAt: z.iso.datetime(),
        lastAt: z.iso.datetime(),
        mail: z.string().nullable().describe('state of the mail to the person'),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'BreachPeople' })

const authorityNotice = z
  .strictObject({
    toldAt: sentTime.optional(),
    reference: name.optional().describe("the authority's reference"),
    notToldBecause: text.optional().describe('why the breach is unlikely to result in a risk (article 33(1))'),
    ...whyField,
  })
  .refine(({ toldAt, notToldBecause }) => (toldAt === undefined) !== (notToldBecause === undefined), {
    message: 'needs either toldAt or notToldBecause',
  })
  .meta({ id: 'BreachAuthority' })
const peopleDecision = z
  .strictObject({
    tell: z.boolean(),
    because: text.optional().describe('why they need not be notified (article 34(3)); required when they are not'),
    ...whyField,
  })
  .refine(({ tell, because }) => tell || because !== undefined, { message: 'needs a reason' })
  .meta({ id: 'BreachPeopleDecision' })

const shownAtMost = 200
const position = z.tuple([z.uuid()])
const one = { description: 'The breach', schema: breach }

export function breachRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  const client = createBreachClient(api)
  const view = async (row: Breach) => viewBreach(row, await fieldsOfBreach(sql, row.id), new Date())

  return [
    defineRoute({
      method: 'post',
      path: '/v1/breaches',
      tag: 'breaches',
      summary: 'Open a personal data breach: find whose data was read, and start the clock of 72 hours',
      promises: ['R4'],
      callers: ['operator'],
      idempotencyKey: 'required',
      body: newBreach,
      responses: { 201: { ...one, headers: { Location: 'its address' } } },
      problems: ['breach_state_conflict'],
      async handle({ body, caller, idempotency, requestId }) {
        const now = new Date()
        const until = body.until === undefined ? now : new Date(body.until)
        const from = body.from === undefined ? plusDays(now, -periods.securityLog.keepDays) : new Date(body.from)
        const awareAt = body.awareAt === undefined ? now : new Date(body.awareAt)
        const errors = faultsOf(body, { from, until, awareAt, now })
        if (errors.length > 0) throw new Problem('invalid_request', { errors })
        const claim = await idempotency.claim(null)
        const { resourceId: id } = claim
        const row = await recordOperatorAct(api, caller, { ...entryOn('open-breach', id, body), id }, open)
        return { status: 201, headers: { Location: `/v1/breaches/${row.id}` }, body: await view(row) }

        async function open(): Promise<Breach> {
          const before = claim.repeated ? await findBreach(sql, id) : undefined
          if (!before && body.revokeKey && body.keyId !== undefined && (await revokeApiKey(sql, body.keyId, now))) {
            const event = {
              kind: 'key_revoked',
              actor: actorOf(caller),
              detail: body.keyId,
              requestId,
              at: now,
            } as const
            await recordSecurityEvent(sql, api, event)
          }
          return client.open({
            id,
            key_id: body.keyId ?? null,
            session: body.session ?? null,
            read_from: from,
            // A read that is under way counts, too: its key was valid when it came.
            read_until: body.until === undefined ? plusMs(new Date(), periods.breach.readsEndWithinMs) : until,
            nature: body.nature,
            consequences: body.consequences,
            measures: body.measures,
            contact: body.contact ?? config.SUPPORT_MAIL,
            aware_at: awareAt,
            authority_due_at: plusMs(awareAt, periods.breach.authorityWithinMs),
            opened_at: now,
            opened_by: actorOf(caller),
          })
        }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/breaches',
      tag: 'breaches',
      summary: 'List breaches, the newest first',
      callers: ['operator'],
      responses: { 200: { description: 'The breaches', schema: breaches } },
      async handle() {
        return { status: 200, body: { items: await Promise.all((await listBreaches(sql, shownAtMost)).map(view)) } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/breaches/{id}',
      tag: 'breaches',
      summary: 'One breach, and what is left to do',
      callers: ['operator'],
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      handle: async ({ params: { id } }) => ({ status: 200, body: await view(await client.found(id)) }),
    }),
    defineRoute({
      method: 'get',
      path: '/v1/breaches/{id}/people',
      tag: 'breaches',
      summary: 'Whose data was read, and which fields',
      callers: ['operator'],
      reads: ['accesses'],
      params: idParams,
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of people', schema: affected } },
      problems: ['not_found'],
      async handle({ params: { id }, query }) {
        const [after] = decodeCursor(query.cursor, position) ?? []
        await client.found(id)
        const rows = await listAffected(sql, { breachId: id, after, limit: query.limit + 1 })
        const page = cutPage(rows, query.limit, (row) => [row.account_id])
        const items = page.rows.map((row) => ({
          accountId: row.account_id,
          fields: row.fields,
          reads: row.reads,
          firstAt: row.first_at.toISOString(),
          lastAt: row.last_at.toISOString(),
          mail: row.mail,
        }))
        return { status: 200, body: { items, nextCursor: page.nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/breaches/{id}/authority-form',
      tag: 'breaches',
      summary: "The authority's form, filled in: a text to edit and send (article 33(3))",
      callers: ['operator'],
      params: idParams,
      responses: { 200: { description: 'Markdown', contentType: 'text/markdown' } },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const row = await client.found(id)
        const headers = { 'Content-Disposition': `attachment; filename="breach-${id}.md"` }
        return { status: 200, headers, raw: authorityForm(config, row, await fieldsOfBreach(sql, id), new Date()) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/breaches/{id}/authority',
      tag: 'breaches',
      summary: 'Record that the authority was notified, or why it is not',
      callers: ['operator'],
      params: idParams,
      body: authorityNotice,
      responses: { 200: one },
      problems: ['not_found', 'breach_state_conflict'],
      async handle({ params: { id }, body, caller }) {
        const { aware_at: awareAt } = await client.found(id)
        const toldAt = body.toldAt === undefined ? null : new Date(body.toldAt)
        if (toldAt) assertPossible(toldAt, awareAt)
        const settled = {
          authority_told_at: toldAt,
          authority_reference: body.reference ?? null,
          authority_not_told_because: body.notToldBecause ?? null,
        }
        const row = await actAndRecord(api, caller, undefined, entryOn('settle-authority', id, body), () =>
          client.record(
            id,
            () => settleAuthority(sql, id, settled),
            (known) =>
              known.authority_told_at?.getTime() === toldAt?.getTime() &&
              known.authority_reference === settled.authority_reference &&
              known.authority_not_told_because === settled.authority_not_told_because,
          ),
        )
        return { status: 200, body: await view(row) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/breaches/{id}/people',
      tag: 'breaches',
      summary: 'Decide whether the people are notified; each gets one mail (article 34)',
      description: 'Also begins a mailing again that has stopped because the mail server took none for days.',
      callers: ['operator'],
      params: idParams,
      body: peopleDecision,
      responses: { 200: one },
      problems: ['not_found', 'breach_state_conflict'],
      async handle({ params: { id }, body, caller }) {
        await client.found(id)
        const decided = {
          people_decision: body.tell ? ('tell' as const) : ('not_required' as const),
          people_not_told_because: body.tell ? null : (body.because ?? null),
        }
        const row = await actAndRecord(api, caller, undefined, entryOn('decide-on-people', id, body), () =>
          client.record(
            id,
            () => decideOnPeople(sql, id, decided),
            (known) =>
              known.people_decision === decided.people_decision &&
              known.people_not_told_because === decided.people_not_told_because,
          ),
        )
        return { status: 200, body: await view(row) }
      },
    }),
  ]
}

function faultsOf(
  { keyId, session, from: sentFrom, revokeKey }: z.output<typeof newBreach>,
  { from, until, awareAt, now }: Record<'from' | 'until' | 'awareAt' | 'now', Date>,
) {
  const faults: { field: string; reason: string }[] = []
  if (keyId === undefined && session === undefined && sentFrom === undefined) {
    faults.push({ field: 'keyId', reason: 'missing: say a key, a session or a time from which reads count' })
  }
  if (revokeKey && keyId === undefined) faults.push({ field: 'revokeKey', reason: 'needs keyId' })
  if (from >= until) faults.push({ field: 'from', reason: 'must be before until' })
  if (until > now) faults.push({ field: 'until', reason: 'must not be in the future' })
  if (awareAt > now) faults.push({ field: 'awareAt', reason: 'must not be in the future' })
  if (awareAt < plusDays(now, -periods.breach.enteredWithinDays))
    faults.push({ field: 'awareAt', reason: `must not be more than ${periods.breach.enteredWithinDays} days ago` })
  return faults
}

/**
 * The 72 hours end with this time: an impossible time would hide that the authority was notified late, or not at all.
 */
function assertPossible(toldAt: Date, awareAt: Date): void {
  if (toldAt >= awareAt && toldAt <= new Date()) return
  const errors = [{ field: 'toldAt', reason: 'must be between awareAt and now' }]
  throw new Problem('invalid_request', { errors })
}
