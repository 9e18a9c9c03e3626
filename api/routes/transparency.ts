/** Public proofs that need no trust in us: public keys, the transparency log, and signed receipts. */
import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { allowedSigner } from '../../db/crypto/signer.ts'
import { listSigningKeys, rememberSigningKeys } from '../../db/transparency/signing-keys.ts'
import { type LogEntry, listEntries, publishedHead } from '../../db/transparency/transparency-log.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { sentId } from '../http/storable.ts'
import { signedReceipt, signText } from '../views/signed-receipt.ts'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const seq = z.int().nonnegative()

const entry = z
  .object({
    seq,
    kind: z.enum(['deletion', 'policy', 'evidence', 'signing_key', 'gap']),
    day: z.iso.date().describe('when it was appended'),
    leaf: hash.describe('SHA-256 of the statement'),
    previous: hash.describe('the hash of the entry before; 64 zeros for the first one'),
    hash: hash.describe('SHA-256 of the text `<seq> <kind> <day> <leaf> <previous>`'),
    statement: z.string().nullable().describe('null for a deletion: the person has it'),
  })
  .meta({ id: 'TransparencyLogEntry' })

const signed = {
  signature: z.string().describe('of the text, for `ssh-keygen -Y verify`'),
  keyId: z.string(),
}

const log = z
  .object({
    entries: z.array(entry),
    head: z
      .object({ seq, hash, text: z.string(), ...signed })
      .describe('the newest entry; `text` is its number and hash, signed'),
  })
  .meta({ id: 'TransparencyLog' })

const signedReceiptSchema = z
  .object({
    text: z.string().describe('the bytes of receipt.json'),
    ...signed,
    leaf: hash.describe('SHA-256 of the text: the entry of the log that has it is about this deletion'),
    entry: entry.nullable().describe('null until the night after'),
  })
  .meta({ id: 'SignedReceipt' })

const signedStatement = z.object({ entry, text: z.string(), ...signed }).meta({ id: 'SignedStatement' })

/** A page of entries is at most about 1 MB: evidence has some 15 kB. */
const entriesAtOnce = 50

export function transparencyRoutes(api: ApiContext): Route[] {
  const { sql, signer } = api

  return [
    defineRoute({
      method: 'get',
      path: '/.well-known/ama-esim-signing-keys',
      tag: 'evidence',
      summary: 'The public keys of our signatures, old ones too',
      description: 'A file of allowed signers for `ssh-keygen -Y verify -f`. Each line ends with the id of its key.',
      callers: ['public'],
      responses: { 200: { description: 'The keys', contentType: 'text/plain' } },
      async handle() {
        await rememberSigningKeys(sql, signer.publicKeys, new Date())
        const lines = (await listSigningKeys(sql)).map((key) => `${allowedSigner(key)}\n`)
        const headers = { 'Content-Disposition': 'attachment; filename="ama-esim-signing-keys"' }
        return { status: 200, headers, raw: lines.join('') }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/transparency-log',
      tag: 'evidence',
      summary: 'The append-only log of deletions, posted policies and nightly evidence',
      description:
        'Each entry holds the hash of the one before. docs/receipts.md has a program that checks the whole log.',
      promises: ['G3', 'N1'],
      callers: ['public'],
      query: z.strictObject({
        after: z.coerce.number().int().min(0).max(2_147_483_647).default(0).describe('`seq` of the last entry before'),
        limit: z.coerce.number().int().min(1).max(entriesAtOnce).default(entriesAtOnce),
      }),
      responses: { 200: { description: 'The entries, by number', schema: log } },
      async handle({ query }) {
        // Read first: where no entry follows, the head is the last entry that the caller has.
        const head = await publishedHead(sql)
        const entries = await listEntries(sql, query)
        const { text, signature, keyId } = await signText(api, `ama-esim transparency log ${head.seq} ${head.hash}\n`)
        return { status: 200, body: { entries: entries.map(viewEntry), head: { ...head, text, signature, keyId } } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/transparency-log/{seq}',
      tag: 'evidence',
      summary: 'One public statement of the log, signed',
      callers: ['public'],
      params: z.strictObject({ seq: z.coerce.number().int().min(1).max(2_147_483_647) }),
      responses: { 200: { description: 'The statement', schema: signedStatement } },
      problems: ['not_found'],
      async handle({ params: { seq: wanted } }) {
        const [found] = await listEntries(sql, { after: wanted - 1, limit: 1 })
        if (found?.seq !== wanted || found.statement === null) throw new Problem('not_found')
        return { status: 200, body: { entry: viewEntry(found), ...(await signText(api, found.statement)) } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/deletions/{receiptId}/signed',
      tag: 'accounts',
      summary: 'The signed receipt of a deletion, and its entry in the transparency log',
      description: 'The random id of the receipt is the only credential.',
      promises: ['G3'],
      callers: ['public'],
      params: z.strictObject({ receiptId: sentId }),
      responses: { 200: { description: 'The signed receipt', schema: signedReceiptSchema } },
      problems: ['not_found'],
      async handle({ params: { receiptId } }) {
        const { entry: found, ...receipt } = await signedReceipt(api, receiptId)
        return { status: 200, body: { ...receipt, entry: found && viewEntry(found) } }
      },
    }),
  ]
}

const viewEntry = ({ seq, kind, day, leaf, previous, hash, statement }: LogEntry) => ({
  seq,
  kind,
  day,
  leaf,
  previous,
  hash,
  statement,
})
