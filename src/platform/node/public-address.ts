/**
 * Keeps addresses that others give from leading into this machine's own network: what an address or a name really leads to is judged when the connection
 * is made, so that a name cannot change its mind in between.
 */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ImageError } from '../../image/image-error.js'

/** Tells what anyone can reach from loopback, private (RFC 1918), link-local, shared (RFC 6598), unique local and further special addresses. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() === 'rfc6052') {
    // Networks without IPv4 reach it by addresses of IPv6 that end in those of IPv4.
    return isPublicAddress(parsed.toByteArray().slice(12).join('.'))
  }
  return parsed.range() === 'unicast'
}

/** Throws `ImageError` `refused` for an address that is written as a number and is not public; names are judged by `lookupPublic`. */
export function refusePrivateHost({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host) && !isPublicAddress(host)) throw privateAddress(host)
}

/** Finds what a name leads to, as `net.connect` wants it, and fails where any of it is not public. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const inside = addresses?.find(({ address }) => !isPublicAddress(address))
    const [first] = addresses ?? []
    if (error !== null) callback(error, [])
    else if (inside !== undefined) callback(privateAddress(`${hostname} (${inside.address})`), [])
    else if (options.all || first === undefined) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

function privateAddress(host: string): ImageError {
  return new ImageError(
    'refused',
    `${host} is an address inside this machine or its network, and images are fetched from public ones. ` +
      'Set allowPrivateAddresses (--allow-private-addresses) where the addresses come from you and not from others.',
  )
}
