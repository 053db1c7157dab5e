/** Reads a column of a Lance table that others have written, in a folder or on object storage, some rows at a time; rows are named by the ids that Lance gives them. */
import { basename, dirname } from 'node:path'
import type { LanceRows } from '../../../jobs/sources/source.js'
import { SourceError } from '../../../jobs/sources/source-error.js'
import { LanceConnection } from '../collection/lance-connection.js'
import { reachStorage } from '../collection/reach-storage.js'
import { OBJECT } from '../storage/object-path.js'

/**
 * Throws `SourceError` `unreadable` where it is no table; `CollectionError` `unavailable` where LanceDB is not installed; `StorageError` for an address that nothing here reaches.
 *
 * @param where is a whole path, or an address
 */
export async function openLanceRows(where: string): Promise<LanceRows> {
  const { folder, name, address, close } = await placeOfTable(where.replace(/[/\\]+$/, ''))
  const connection = new LanceConnection({ address })
  const end = async () => {
    connection.close()
    await close()
  }
  const table = await connection.open(name).catch(async (cause) => {
    await end()
    throw new SourceError(
      'unreadable',
      `There is no Lance table ${name} in ${folder} that can be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  })
  const version = await table.version()
  return {
    columns: (await table.schema()).fields.map((field) => field.name),
    rows: await table.countRows(),
    read: async function* (column, signal) {
      for await (const batch of table.query().select([column]).withRowId()) {
        signal?.throwIfAborted()
        const values = batch.getChild(column)
        const ids = batch.getChild('_rowid')
        const rows = Array.from({ length: batch.numRows }, (_, at) => at)
        yield {
          ids: rows.map((at) => `row ${ids?.get(at)}@${version}`),
          values: rows.map((at) => values?.get(at)),
        }
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

async function placeOfTable(where: string) {
  const nameOf = (last: string) => last.replace(/\.lance$/i, '')
  if (!OBJECT.test(where)) {
    const folder = dirname(where)
    return {
      folder,
      name: nameOf(basename(where)),
      address: async () => ({ uri: folder }),
      close: async () => {},
    }
  }
  const at = where.lastIndexOf('/')
  const folder = where.slice(0, at)
  const { storage, address } = await reachStorage(folder)
  return { folder, name: nameOf(where.slice(at + 1)), address, close: () => storage[Symbol.asyncDispose]() }
}
