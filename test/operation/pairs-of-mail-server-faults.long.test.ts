/**
 * U3: messages about orders are sent once. Pairs of faults of the mail server's name, certificate and connection:
 * nothing is lost, and only an unknown outcome comes twice.
 */
import { createServer, type Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterAll, expect, test } from 'vitest'
import { isProviderFailure } from '../../providers/failure.ts'
import { createMail, type MailSender } from '../../providers/mail/mail.ts'
import { portOf } from '../../shared/process/listen.ts'
import { type NetworkFault, openNetwork } from '../harness/outside-network.ts'
import { pairs } from '../orders/faults/plant-pairs.ts'

type ServerFault = Extract<NetworkFault, string> | 'no STARTTLS' | 'busy' | 'silent end' | 'reply lost' | 'late'

/** How a mail fails at a fault, as kind and code; `operator`: it does not go away by itself. */
const failing: Record<Exclude<ServerFault, 'slow name server'>, { as: RegExp; operator?: true }> = {
  'unknown name': { as: /^unavailable edns$/ },
  'no name server': { as: /^unavailable edns$/ },
  refused: { as: /^unavailable e\w+$/ },
  'cut handshake': { as: /^unavailable e\w+$/ },
  'expired certificate': { as: /^unavailable bad_certificate$/, operator: true },
  'no STARTTLS': { as: /^misconfigured smtp_\S+$/, operator: true },
  busy: { as: /^unavailable smtp_(?:421|4\.3\.2)$/ },
  'silent end': { as: /^unavailable e\w+$/ },
  'reply lost': { as: /^unknown_outcome e\w+$/ },
  late: { as: /^unknown_outcome etimedout$/ },
}
const ofNames = ['unknown name', 'no name server', 'slow name server'] as const satisfies NetworkFault[]
const isOfNames = (fault: ServerFault): boolean => ofNames.some((name) => name === fault)
const withTls: ServerFault[] = [
  ...ofNames,
  'refused',
  'cut handshake',
  'expired certificate',
  'busy',
  'silent end',
  'reply lost',
  'late',
]

const network = await openNetwork()
const { good, old } = network.certificates
/** what the server does with each connection */
let fault: ServerFault | undefined
const stored: string[] = []
/** More than the slow name server takes, and less than a real answer may. */
const answerWithinMs = 1_500

function smtpServer(secure: boolean, certificate: typeof good, disabledCommands: string[]): SMTPServer {
  const server = new SMTPServer({
    secure,
    key: certificate.private,
    cert: certificate.cert,
    disabledCommands: ['AUTH', ...disabledCommands],
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    onConnect(_session, callback) {
      callback(fault === 'busy' ? Object.assign(new Error('4.3.2 too many connections'), { responseCode: 421 }) : null)
    },
    onData(stream, session, callback) {
      stream.resume().on('end', () => {
        stored.push(session.envelope.rcptTo[0]?.address ?? '')
        // Stored, and nobody waits for the answer any more.
        if (fault === 'late') return
        if (fault !== 'reply lost') return callback(null)
        for (const socket of sockets) socket.destroy()
      })
    },
  })
  server.on('error', () => undefined)
  return server
}

const servers = {
  smtps: { good: smtpServer(true, good, []), old: smtpServer(true, old, []), without: undefined },
  smtp: {
    good: smtpServer(false, good, []),
    old: smtpServer(false, old, []),
    without: smtpServer(false, good, ['STARTTLS']),
  },
}
type Transport = keyof typeof servers
let transport: Transport = 'smtps'
const sockets = new Set<Socket>()
const listener = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  const { good: usual, old: expired, without } = servers[transport]
  if (fault === 'silent end') return void socket.destroy()
  const chosen = (fault === 'expired certificate' && expired) || (fault === 'no STARTTLS' && without) || usual
  if (fault === 'cut handshake') return cutHandshake(socket)
  chosen.server.emit('connection', socket)
})

/** Speaks until the handshake begins, which with STARTTLS is after its command. */
function cutHandshake(socket: Socket): void {
  if (transport === 'smtp') socket.write('220 here\r\n')
  socket.on('data', (bytes) => {
    const isHandshake = bytes.at(0) === 0x16
    if (isHandshake) socket.destroy()
    else socket.write(/^EHLO/i.test(String(bytes)) ? '250-here\r\n250 STARTTLS\r\n' : '220 go on\r\n')
  })
}

const listen = (port: number) => new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve))
const closeListener = () => new Promise((resolve) => listener.close(resolve))
await listen(0)
const port = portOf(listener)

afterAll(async () => {
  await network.close()
  for (const socket of sockets) socket.destroy()
  await closeListener()
})

/** Tries once. @returns how it has failed */
async function failureOf(
  mail: MailSender,
  to: string,
  many: boolean,
): Promise<{ as: string; operator: boolean } | undefined> {
  const content = { subject: 'Your eSIM', html: '<p>is ready</p>', text: 'is ready' }
  const recipient = { to, messageId: '<order.1.ready@mail.ama-esim.example>' }
  try {
    if (many) await (await mail.sendToMany(content))(recipient)
    else await mail.send(content, { kind: 'transactional', ...recipient })
    return undefined
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    return { as: `${error.kind} ${error.code}`, operator: error.needsOperator }
  }
}

async function attempt(next: ServerFault | undefined, mail: MailSender, to: string, many: boolean) {
  fault = next
  if (next === 'refused') await closeListener()
  const failure = await failureOf(mail, to, many)
  if (next === 'refused') await listen(port)
  fault = undefined
  return failure
}

test.each<[Transport, ServerFault[]]>([
  ['smtps', withTls],
  ['smtp', [...withTls, 'no STARTTLS']],
])(
  '%s: a mail arrives after each pair of faults of the mail server, and each fault is told as what it is',
  { timeout: 120_000 },
  async (used, faults) => {
    transport = used
    for (const [number, pair] of pairs(faults).entries()) {
      const to = `${used}-${number}@people.example`
      const host = network.name(`${used}-${number}`, () => ofNames.find((name) => name === fault))
      const mail = createMail({
        url: `${used}://${host}:${port}`,
        from: 'AMA eSIM <hello@ama-esim.example>',
        maxConnections: 1,
        socketTimeoutMs: answerWithinMs,
      })
      let isKnown = false
      let copies = 0
      for (const next of [...pair, undefined]) {
        // A name that was found is remembered for minutes.
        const isFelt = next !== undefined && next !== 'slow name server' && !(isKnown && isOfNames(next))
        const failure = await attempt(next, mail, to, number % 2 === 1)
        isKnown ||= next === undefined || !isOfNames(next) || next === 'slow name server'
        if (!isFelt) {
          expect(failure, `${next} of ${JSON.stringify(pair)}`).toBeUndefined()
          copies += 1
          break
        }
        const { as, operator = false } = failing[next]
        expect(failure?.as ?? 'accepted', `${next} of ${JSON.stringify(pair)}`).toMatch(as)
        expect(failure?.operator, `${next} of ${JSON.stringify(pair)}`).toBe(operator)
        if (next === 'reply lost' || next === 'late') copies += 1
      }
      await mail.close()
      expect(
        stored.filter((each) => each === to),
        JSON.stringify(pair),
      ).toHaveLength(copies)
    }
  },
)
