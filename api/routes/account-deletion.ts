import type { ApiContext } from '../../context.ts'
import { accountExists } from '../../db/accounts.ts'
import { findDeletion } from '../../db/erasure/deletions.ts'
import type { DeletionReason } from '../../policy/deletion.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { createDeletionClient } from '../runs/deletion-client.ts'
import { accountParams } from '../views/account-fields.ts'
import { deletionReceipt, viewReceipt } from '../views/deletion-receipt.ts'

const erased = {
  200: {
    description: 'The account and the personal data are gone; the receipt tells how far everybody else has come',
    schema: deletionReceipt,
    headers: { Location: 'where the receipt can be read, by whoever knows it' },
  },
} as const

export function accountDeletionRoutes(api: ApiContext): Route[] {
  const client = createDeletionClient(api)

  async function deleteAccount(accountId: string, reason: DeletionReason) {
    // An id that never was must not start anything.
    if (!(await accountExists(api.sql, accountId)) && !(await findDeletion(api.sql, api.cipher.accountRef(accountId))))
      throw new Problem('not_found')
    const receiptId = await client.deleteAccount(accountId, reason)
    return {
      status: 200 as const,
      headers: { Location: `/v1/deletions/${receiptId}` },
      body: await viewReceipt(api, receiptId),
    }
  }

  return [
    defineRoute({
      method: 'delete',
      path: '/v1/accounts/{id}',
      tag: 'accounts',
      summary: 'Delete the account and all personal data, now',
      description:
        'Answered once everything is deleted here. Orders that were not delivered are refunded. Whoever else holds something is told until they have deleted it: the receipt says how far they are. Asking again gives the same receipt.',
      promises: ['G3', 'R2', 'R3'],
      callers: ['service', 'person'],
      account: 'id',
      freshSignIn: true,
      params: accountParams,
      responses: erased,
      problems: ['request_in_progress'],
      handle: ({ params }) => deleteAccount(params.id, 'requested'),
    }),
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/child-report',
      tag: 'accounts',
      summary: 'Delete the account of a child under 13',
      description: 'Recorded with its reason and without the child.',
      promises: ['K1', 'G3'],
      callers: ['operator'],
      account: 'id',
      params: accountParams,
      responses: erased,
      problems: ['request_in_progress'],
      handle: ({ params }) => deleteAccount(params.id, 'child'),
    }),
  ]
}
