import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountExists } from '../../../db/accounts.ts'
import type { DeletionReason } from '../../../policy/deletion.ts'
import { actAndRecord, assertReasonIsOfOperator } from '../../acts/recorded-acts.ts'
import { actorOf, type Caller, noteEntry } from '../../http/caller.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { createDeletionClient } from '../../runs/deletion-client.ts'
import { accountParams } from '../../views/account-fields.ts'
import { deletionReceipt, viewReceipt } from '../../views/deletion-receipt.ts'
import { actReason, whyField } from '../../views/operator-words.ts'
import { createAccountActs } from '../console/account-acts.ts'

const erased = {
  200: {
    description: 'The account and its personal data are erased; the receipt shows how far each sub-processor is',
    schema: deletionReceipt,
    headers: { Location: 'the address of the receipt, readable without credentials' },
  },
} as const

export function accountDeletionRoutes(api: ApiContext): Route[] {
  const client = createDeletionClient(api)
  const accounts = createAccountActs(api)

  async function deleteAccount(accountId: string, reason: DeletionReason) {
    const receiptId = await client.deleteAccount(accountId, reason)
    return {
      status: 200 as const,
      headers: { Location: `/v1/deletions/${receiptId}` },
      body: await viewReceipt(api, receiptId),
    }
  }

  /** The deletion of an operator, with its entry. A repeated call has nothing left to do, and its entry is there. */
  async function performAct(
    name: 'delete' | 'child-report',
    id: string,
    caller: Caller,
    given: { reason?: string | undefined } | undefined,
  ) {
    if (await accountExists(api.sql, id)) {
      const entry = { ...accounts.entryOf(name, id), reason: given?.reason ?? null }
      await actAndRecord(api, caller, undefined, entry, (ids) => accounts.acts[name].perform(id, actorOf(caller), ids))
    } else noteEntry(caller)
    return deleteAccount(id, name === 'delete' ? 'requested' : 'child')
  }

  return [
    defineRoute({
      method: 'delete',
      path: '/v1/accounts/{id}',
      tag: 'accounts',
      summary: 'Delete the account and all personal data, now',
      description:
        'Answered once everything is deleted in our database. Orders that were not delivered are refunded. Each sub-processor that holds data of the person is asked until it has deleted them; the receipt shows how far each one is. A repeated call answers the same receipt.',
      promises: ['G3', 'R2', 'R3'],
      callers: ['service', 'person', 'operator'],
      scope: 'erasure',
      account: 'id',
      freshSignIn: true,
      params: accountParams,
      query: z.strictObject(whyField),
      responses: erased,
      problems: ['request_in_progress'],
      async handle({ params: { id }, query, caller }) {
        assertReasonIsOfOperator(caller, query)
        if (caller.kind === 'operator' && query.reason === undefined)
          throw new Problem('invalid_request', {
            errors: [{ field: 'reason', reason: 'is missing: it cannot be undone' }],
          })
        return caller.kind === 'operator' ? performAct('delete', id, caller, query) : deleteAccount(id, 'requested')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/child-report',
      tag: 'accounts',
      summary: 'Delete the account of a child under 13',
      description: 'The deletion is recorded with its reason and without the identity of the child.',
      promises: ['K1', 'G3'],
      callers: ['operator'],
      account: 'id',
      params: accountParams,
      body: actReason.optional(),
      responses: erased,
      problems: ['request_in_progress'],
      handle: ({ params: { id }, body, caller }) => performAct('child-report', id, caller, body),
    }),
  ]
}
