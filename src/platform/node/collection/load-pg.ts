/** Loads PostgreSQL's client, which is optional: whoever keeps no collection in PostgreSQL need not have it. */
import { createRequire } from 'node:module'
import { CollectionError } from '../../../collection/collection-error.js'

export type Postgres = typeof import('pg')

/** Is what a person types where it is missing. */
const PG_INSTALL = 'npm install pg@8'

let loaded: Postgres | undefined

/** Throws `CollectionError` `unavailable` where it is not installed. */
export function loadPg(): Postgres {
  loaded ??= load()
  return loaded
}

function load(): Postgres {
  try {
    return createRequire(import.meta.url)('pg') as Postgres
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'MODULE_NOT_FOUND' ? '' : ` (${message})`
    throw new CollectionError(
      'unavailable',
      `A collection in PostgreSQL is reached by the package pg, which is not installed${why}. Install it: ${PG_INSTALL}`,
      { cause },
    )
  }
}
