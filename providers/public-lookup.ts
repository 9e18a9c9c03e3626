/** Resolves names of hosts to addresses of the internet, and holds none of libuv's few threads meanwhile. */
import { Resolver } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The code of a connection to an address that is not of the internet. */
export const privateAddress = 'private_address'

/**
 * All that is given out of IPv6: IANA's registry of its address space. Of the rest `::127.0.0.1` may lead to this
 * machine.
 */
const givenOut = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Whether an address is one of the internet: not of this machine, of its network, of a cloud's metadata, or reserved.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // An IPv4 address that is written as IPv6 is the IPv4 address.
  const known = ipaddr.process(address)
  if (known.range() !== 'unicast') return false
  return known instanceof ipaddr.IPv4 || known.match(givenOut)
}

type Answered = (error: NodeJS.ErrnoException | null, addresses: string[]) => void

/** RFC 6761: these names are this machine; no name server is asked. */
const isHere = (hostname: string): boolean => /(^|\.)localhost\.?$/i.test(hostname)

/**
 * A `lookup` for connections to hosts that a caller names. `dns.lookup` would hold one of four threads, which files and
 * cryptography need too, for as long as a name server does not answer: the resolver asks the name servers itself. It
 * does not read the machine's list of hosts, which has no addresses of the internet.
 */
export function createPublicLookup(
  resolver: Pick<Resolver, 'resolve4' | 'resolve6'> = new Resolver({ timeout: 2_000, tries: 2 }),
): LookupFunction {
  const answerTo = (ask: (callback: Answered) => void) =>
    new Promise<{ error?: NodeJS.ErrnoException; addresses: string[] }>((resolve) => {
      ask((error, addresses) => resolve(error ? { error, addresses: [] } : { addresses }))
    })

  return (hostname, options, callback) => {
    const refuse = () => callback(Object.assign(new Error(privateAddress), { code: privateAddress }), '', 0)
    if (isHere(hostname)) return refuse()
    void Promise.all([
      answerTo((answered) => resolver.resolve4(hostname, answered)),
      answerTo((answered) => resolver.resolve6(hostname, answered)),
    ]).then(([v4, v6]) => {
      const found = [
        ...v4.addresses.map((address) => ({ address, family: 4 })),
        ...v6.addresses.map((address) => ({ address, family: 6 })),
      ]
      const [first] = found
      if (!first)
        return callback(v4.error ?? v6.error ?? Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }), '', 0)
      // One private address among public ones is no accident.
      if (!found.every(({ address }) => isPublicAddress(address))) return refuse()
      if (options.all) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}
