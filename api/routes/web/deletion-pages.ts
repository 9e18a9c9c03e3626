/**
 * G3, everybody can delete their account at once: also on the web. Google Play requires a way that does not need the
 * app.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findReceipt } from '../../../db/erasure/deletions.ts'
import { periods } from '../../../policy/periods.ts'
import type { Caller } from '../../http/caller.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { idParams } from '../../http/storable.ts'
import { renderDeleteAccount, renderReceipt } from '../../pages/deletion.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderNotFound } from '../../pages/problems/not-found.tsx'
import { createDeletionClient } from '../../runs/deletion-client.ts'
import { signOutHeaders } from '../../sign-in/session-cookie.ts'
import { viewReceipt } from '../../views/deletion-receipt.ts'
import { signedReceipt } from '../../views/signed-receipt.ts'

const headers = layoutHeaders({ forms: true })

export function deletionPageRoutes(api: ApiContext): Route[] {
  const { PUBLIC_URL: publicUrl } = api.config
  const client = createDeletionClient(api)

  return [
    defineRoute({
      method: 'get',
      path: '/delete-account',
      tag: 'pages',
      summary: 'Explains the deletion of an account, with the button after a fresh sign-in',
      promises: ['G3'],
      callers: ['public', 'visitor'],
      responses: { 200: html },
      handle: ({ caller, page }) => ({
        status: 200,
        headers,
        raw: renderDeleteAccount(page(), freshCsrf(caller, new Date())),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/delete-account',
      tag: 'pages',
      summary: 'Deletes the account now, and redirects to the receipt',
      promises: ['G3', 'R2', 'R3'],
      callers: ['visitor'],
      freshSignIn: true,
      form: true,
      body: z.strictObject({ understood: z.literal('on') }),
      responses: { 303: { description: 'The account is deleted; `Location` is the page of the receipt' }, 200: html },
      problems: ['request_in_progress'],
      showFormAgain: ({ caller, page }, refused) => renderDeleteAccount(page(), freshCsrf(caller, new Date()), refused),
      async handle({ caller }) {
        const receiptId = await client.deleteAccount(caller.accountId, 'requested')
        return { status: 303, headers: { Location: `/receipts/${receiptId}`, ...signOutHeaders('visitor', publicUrl) } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/receipts/{id}',
      tag: 'pages',
      summary: 'The receipt of a deletion: each erasure step and its state',
      promises: ['G3'],
      callers: ['public'],
      params: z.strictObject({ id: z.string().max(100) }),
      responses: { 200: html, 404: html },
      async handle({ params: { id }, page }) {
        const known = z.uuid().safeParse(id).success && (await findReceipt(api.sql, id))
        if (!known) return { status: 404, headers, raw: renderNotFound(page()) }
        const [receipt, signed] = await Promise.all([viewReceipt(api, id), signedReceipt(api, id)])
        const raw = renderReceipt({ ...receipt, entry: signed.entry?.seq ?? null }, page())
        return { status: 200, headers: { ...headers, 'X-Robots-Tag': 'noindex' }, raw }
      },
    }),
    receiptFile('receipt.json', ({ text }) => text),
    receiptFile('receipt.json.sig', ({ signature }) => signature),
  ]

  function receiptFile(name: string, contentOf: (signed: Awaited<ReturnType<typeof signedReceipt>>) => string): Route {
    return defineRoute({
      method: 'get',
      path: `/receipts/{id}/${name}`,
      tag: 'pages',
      summary: `The file ${name}: see docs/receipts.md for how to verify it`,
      promises: ['G3'],
      callers: ['public'],
      params: idParams,
      responses: { 200: { description: 'The file', contentType: 'application/octet-stream' } },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const headers = { 'Content-Disposition': `attachment; filename="${name}"`, 'X-Robots-Tag': 'noindex' }
        return { status: 200, headers, raw: contentOf(await signedReceipt(api, id)) }
      },
    })
  }
}

function freshCsrf(caller: Caller, now: Date): string | undefined {
  if (caller.kind !== 'visitor') return undefined
  return now.getTime() - caller.signedInAt.getTime() <= periods.freshSignInMs ? caller.csrf : undefined
}
