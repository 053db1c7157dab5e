/** Reads the address of a collection in PostgreSQL: `postgres://user@host/database?collection=name`. What it leaves out comes from PG* variables, as everywhere. */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { shownPlace } from '../../../is-address.js'

/** Tells whether a place is one in PostgreSQL. */
export { isDatabase as isPostgresAddress } from '../../../is-address.js'

/** Says where a collection is. */
export interface PostgresAddress {
  /** Is the address without its password. */
  readonly label: string
  /** Names the schema that holds the collection. */
  readonly collection: string
  /** Is the address as pg takes it, with its password: it is never shown. */
  readonly connection: string
  /** Is the address of the collection of regions, with the password. */
  readonly regions: string
  /** Is the number of its lock. */
  readonly lock: string
}

const REGIONS = '.regions'
/** PostgreSQL cuts longer names off without a word. */
const MOST_BYTES = 63
/** These are ours to say: who holds a collection is known by the name of the application. */
const OWN_OPTIONS = ['collection', 'application_name', 'fallback_application_name']

/** Throws RangeError for an address that cannot be used; it is told without its password. */
export function postgresAddress(place: string): PostgresAddress {
  const url = urlOf(place)
  const collection = url.searchParams.get('collection')
  if (collection === null)
    throw new RangeError(
      `${shownPlace(place)} does not say which collection is meant: end it with ?collection=photos.`,
    )
  checkName(collection)
  const regions = new URL(url)
  regions.searchParams.set('collection', collection + REGIONS)
  for (const name of OWN_OPTIONS) url.searchParams.delete(name)
  return {
    label: shownPlace(place),
    collection,
    connection: url.href,
    regions: regions.href,
    lock: createHash('sha256').update(`plumage ${collection}`).digest().readBigInt64BE().toString(),
  }
}

function urlOf(place: string): URL {
  try {
    return new URL(place)
  } catch {
    // The error of URL holds the whole address, so that it is not passed on.
    throw new RangeError(
      `${shownPlace(place)} cannot be read as an address, such as postgres://user@host/database?collection=photos. In user and password, letters like @ / : # are written as %40 %2F %3A %23.`,
    )
  }
}

function checkName(collection: string): void {
  const isName = /^[a-z_][a-z0-9_-]*(\.regions)?$/i.test(collection) && !/^pg_/i.test(collection)
  const most = MOST_BYTES - REGIONS.length
  if (isName && collection.replace(REGIONS, '').length <= most) return
  throw new RangeError(
    `${JSON.stringify(collection)} is no name of a collection in PostgreSQL: it takes up to ${most} letters, digits, _ and -, begins with a letter or _, and not with pg_.`,
  )
}

/** Is what a connection is called, by which others see who holds a collection. Names of applications have at most 63 letters. */
export function applicationName({ lock }: PostgresAddress, role: 'reads' | 'writes'): string {
  const host = hostname()
    .replace(/[^\x21-\x7e]/g, '?')
    .slice(0, 24)
  return `${applicationPrefix(lock)}${role} ${process.pid}@${host}`
}

/** Begins the names of all connections to a collection. */
export function applicationPrefix(lock: string): string {
  return `plumage ${BigInt.asUintN(48, BigInt(lock)).toString(16).padStart(12, '0')} `
}
