/** Loads the packages that keep collections, which are optional: whoever makes none need not have them. */
import { createRequire } from 'node:module'
import { CollectionError } from '../../../collection/collection-error.js'

export type Lance = typeof import('@lancedb/lancedb')
export type Arrow = typeof import('apache-arrow')

/** Is what a person types where they are missing. */
const LANCE_INSTALL = 'npm install @lancedb/lancedb@0.37.1 apache-arrow@18.1.0'

let loaded: { readonly lance: Lance; readonly arrow: Arrow } | undefined

/** Throws `CollectionError` `unavailable` where they are not installed. */
export function loadLance(): { readonly lance: Lance; readonly arrow: Arrow } {
  loaded ??= load()
  return loaded
}

function load(): { readonly lance: Lance; readonly arrow: Arrow } {
  // Otherwise it warns on stderr of what is no trouble, such as that a table is new.
  process.env.LANCEDB_LOG ??= 'error'
  const require = createRequire(import.meta.url)
  try {
    const lance = require('@lancedb/lancedb') as Lance
    // LanceDB knows Arrow's classes by identity, so these must be the ones that it has loaded itself.
    const arrow = createRequire(require.resolve('@lancedb/lancedb'))('apache-arrow') as Arrow
    return { lance, arrow }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'MODULE_NOT_FOUND' ? '' : ` (${message})`
    throw new CollectionError(
      'unavailable',
      `Collections are kept by LanceDB, which is not installed${why}. Install it: ${LANCE_INSTALL}`,
      { cause },
    )
  }
}
