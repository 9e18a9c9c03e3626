/** The accepted messages. Raw bytes are stored, and parsed only when a message is read. */
import { simpleParser } from 'mailparser'
import { z } from 'zod'

export interface Envelope {
  from: string
  to: string[]
}

export interface StoredMail {
  id: number
  at: string
  envelope: Envelope
  size: number
  /** from the header; the only part of the content that `keep: 'envelopes'` stores */
  messageId: string
  raw?: Buffer
}

export interface ReadMail {
  id: number
  at: string
  envelope: Envelope
  size: number
  messageId: string
  subject: string
  /** by lower-case name; a line feed joins the values of a repeated header */
  headers: Record<string, string>
  html: string
  text: string
  attachments: { filename: string; contentType: string; cid: string; size: number; base64: string }[]
}

export const mailFilterForm = z.strictObject({
  /** the exact envelope recipient */
  to: z.string().exactOptional(),
  /** a part of the subject */
  subject: z.string().exactOptional(),
  messageId: z.string().exactOptional(),
  /** later messages than the one with this id */
  after: z.number().exactOptional(),
  /** so many messages at most, oldest first */
  limit: z.number().exactOptional(),
})
type MailFilter = z.infer<typeof mailFilterForm>

interface Waiter {
  filter: MailFilter
  count: number
  settle(mails: ReadMail[]): void
}

/** @param keep `envelopes` leaves out the content, for many thousand messages */
export function createStore(keep: 'all' | 'envelopes') {
  let mails: StoredMail[] = []
  let nextId = 1
  let waiters: Waiter[] = []
  /** the waiting calls are checked once for all messages of a tick */
  let looking = false

  const add = (envelope: Envelope, raw: Buffer): StoredMail => {
    const mail: StoredMail = {
      id: nextId,
      at: new Date().toISOString(),
      envelope,
      size: raw.length,
      messageId: messageIdOf(raw),
      ...(keep === 'all' ? { raw } : {}),
    }
    nextId += 1
    mails.push(mail)
    if (waiters.length > 0 && !looking) {
      looking = true
      setImmediate(answerWaiters)
    }
    return mail
  }

  const candidatesFor = (filter: MailFilter): StoredMail[] =>
    mails
      .filter(
        (mail) =>
          (filter.after === undefined || mail.id > filter.after) &&
          (filter.to === undefined || mail.envelope.to.includes(filter.to)) &&
          (filter.messageId === undefined || mail.messageId === filter.messageId),
      )
      .slice(0, filter.limit)

  async function find(filter: MailFilter): Promise<ReadMail[]> {
    const read = await Promise.all(candidatesFor(filter).map(readMail))
    return read.filter((mail) => filter.subject === undefined || mail.subject.includes(filter.subject))
  }

  /** Resolves as soon as `count` messages match, or to fewer after `timeoutMs`. */
  function wait(filter: MailFilter, count: number, timeoutMs: number): Promise<ReadMail[]> {
    return new Promise((resolve) => {
      const settle = (found: ReadMail[]): void => {
        clearTimeout(timer)
        waiters = waiters.filter((other) => other !== waiter)
        resolve(found)
      }
      const timer = setTimeout(async () => settle(await find(filter)), timeoutMs)
      const waiter: Waiter = { filter, count, settle }
      waiters.push(waiter)
      void answerWaiters()
    })
  }

  async function answerWaiters(): Promise<void> {
    looking = false
    for (const waiter of [...waiters]) {
      if (candidatesFor(waiter.filter).length < waiter.count) continue
      const found = await find(waiter.filter)
      if (found.length >= waiter.count) waiter.settle(found)
    }
  }

  return {
    add,
    find,
    wait,
    count: () => mails.length,
    newest: (limit: number): StoredMail[] => mails.slice(-limit).reverse(),
    byId: (id: number): StoredMail | undefined => mails.find((mail) => mail.id === id),
    envelopes: () => mails.map(({ raw: _raw, ...rest }) => rest),
    clear() {
      mails = []
      nextId = 1
    },
  }
}

const alreadyRead = new WeakMap<StoredMail, Promise<ReadMail>>()

/** Parses a message at its first call. With `keep: 'envelopes'` the content fields are empty. */
export function readMail(mail: StoredMail): Promise<ReadMail> {
  const reading = alreadyRead.get(mail) ?? parse(mail)
  alreadyRead.set(mail, reading)
  return reading
}

async function parse(mail: StoredMail): Promise<ReadMail> {
  const { raw, ...known } = mail
  if (!raw) return { ...known, subject: '', headers: {}, html: '', text: '', attachments: [] }
  const parsed = await simpleParser(raw, { skipImageLinks: true, skipTextToHtml: true })
  const headers: Record<string, string> = {}
  for (const { key, line } of parsed.headerLines) {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n(?=[ \t])/g, '')
      .trim()
    headers[key] = key in headers ? `${headers[key]}\n${value}` : value
  }
  return {
    ...known,
    subject: parsed.subject ?? '',
    headers,
    html: parsed.html || '',
    text: parsed.text ?? '',
    attachments: parsed.attachments.map((attachment) => ({
      filename: attachment.filename ?? '',
      contentType: attachment.contentType,
      cid: attachment.cid ?? '',
      size: attachment.size,
      base64: attachment.content.toString('base64'),
    })),
  }
}

function messageIdOf(raw: Buffer): string {
  const end = raw.indexOf('\r\n\r\n')
  const head = raw.toString('latin1', 0, end < 0 ? raw.length : end)
  return /^message-id:\s*(<[^<>]+>)/im.exec(head)?.[1] ?? ''
}

export type MailStore = ReturnType<typeof createStore>
