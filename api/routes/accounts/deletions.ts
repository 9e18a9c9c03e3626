import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { deletionReceipt, viewReceipt } from '../../views/deletion-receipt.ts'

export function deletionRoutes(api: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/deletions/{receiptId}',
      tag: 'accounts',
      summary: 'The receipt of a deletion: each erasure step and its state',
      description:
        'The random id of the receipt is the only credential, since the account and its sign-in no longer exist.',
      promises: ['G3', 'R3', 'K1'],
      callers: ['public'],
      params: z.strictObject({ receiptId: sentId }),
      responses: { 200: { description: 'The receipt', schema: deletionReceipt } },
      problems: ['not_found'],
      handle: async ({ params }) => ({ status: 200, body: await viewReceipt(api, params.receiptId) }),
    }),
  ]
}
