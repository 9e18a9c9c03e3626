/** Hosts that somebody else names are looked up without the threads that files and cryptography need. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import { stat } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPublicLookup } from '../../providers/public-lookup.ts'
import { portOf } from '../../shared/process/listen.ts'

/** The IPv4 addresses of each name; a name that is not listed gets no answer. */
const names: Record<string, readonly number[][]> = {
  'public.example': [[93, 184, 216, 34]],
  'private.example': [[10, 0, 0, 7]],
  'mixed.example': [
    [93, 184, 216, 34],
    [169, 254, 169, 254],
  ],
  'metadata.example': [[169, 254, 169, 254]],
  'nothing.example': [],
}
const typeA = 1
let asked = 0

/** A name server: RFC 1035, section 4.1. */
const server = createSocket('udp4', (question, { port, address }) => {
  asked += 1
  const labels: string[] = []
  let at = 12
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += length + 1
  }
  const addresses = names[labels.join('.')]
  if (!addresses) return
  const answers = question.readUInt16BE(at + 1) === typeA ? addresses : []
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(answers.length, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  const records = answers.map((bytes) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...bytes]))
  server.send(Buffer.concat([head, question.subarray(12, at + 5), ...records]), port, address)
})

let lookup: ReturnType<typeof createPublicLookup>

beforeAll(async () => {
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  const resolver = new Resolver({ timeout: 300, tries: 1 })
  resolver.setServers([`127.0.0.1:${portOf(server)}`])
  lookup = createPublicLookup(resolver)
})

afterAll(() => server.close())

const found = (hostname: string) =>
  new Promise((resolve) => {
    lookup(hostname, { all: true }, (error, addresses) => resolve(error ? (error.code ?? 'no code') : addresses))
  })

test('only addresses of the internet are connected to, however a name is answered', async () => {
  expect(await found('public.example')).toEqual([{ address: '93.184.216.34', family: 4 }])
  for (const name of ['private', 'mixed', 'metadata']) expect(await found(`${name}.example`)).toBe('private_address')
  expect(await found('nothing.example')).toBe('ENODATA')
  asked = 0
  for (const name of ['localhost', 'a.localhost', 'LOCALHOST.']) expect(await found(name)).toBe('private_address')
  expect(asked).toBe(0)
})

test('names that no server answers hold no thread: files are read meanwhile', async () => {
  let isOver = false
  const silent = Promise.all(Array.from({ length: 20 }, (_each, number) => found(`silent-${number}.example`))).then(
    (outcomes) => {
      isOver = true
      return outcomes
    },
  )
  for (let read = 0; read < 20; read += 1) await stat('.')
  expect(isOver).toBe(false)
  expect(new Set(await silent)).toEqual(new Set(['ETIMEOUT']))
})
