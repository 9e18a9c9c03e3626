import { isIP, isIPv6, SocketAddress } from 'node:net'
import type { Request } from 'express'

/** The header in which the app backend passes on the address of the person who uses the app. */
export const personAddressHeader = 'Person-Address'
export const personAddressMeaning =
  'from the app backend: the IP address of the person, which is stored instead of its own'

/**
 * The caller's IP address, or undefined. A trusted proxy may pass on what its own caller wrote: what is no address
 * counts as the proxy's.
 */
export function addressOf({ ip, socket }: Pick<Request, 'ip'> & { socket: { remoteAddress?: string | undefined } }) {
  return asAddress(ip) ?? asAddress(socket.remoteAddress)
}

/**
 * An address as it is stored; undefined for what is none. Each address has one form (RFC 5952), by which it is found
 * again; one of IPv4 that comes over IPv6 (`::ffff:192.0.2.1`) is written as IPv4.
 */
export function asAddress(text: string | undefined): string | undefined {
  if (text === undefined || isIP(text) === 0) return undefined
  if (!isIPv6(text)) return text
  const [address = ''] = text.split('%')
  const written = new SocketAddress({ address, family: 'ipv6' }).address
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(written)?.[1] ?? written
}
