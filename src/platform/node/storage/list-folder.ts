/** Walks through a folder as if it were one long list of keys, in the order of their UTF-8 bytes. */
import { isUtf8 } from 'node:buffer'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { compareNames } from '../../../compare-names.js'

export interface FolderListing {
  readonly prefix: string
  readonly after: string | undefined
  /** Names what of the folder itself is passed over. */
  readonly hidden: string
}

/** Links to folders are not followed, since they may lead in a circle. A name that is no text is shown with its odd bytes as `\xff`: no key is such a one. */
export async function* listFolder(
  root: string,
  { prefix, after, hidden }: FolderListing,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  for (const entry of await entriesOf(root)) {
    if (entry.name !== hidden) yield* listEntry(root, '', entry, prefix, after)
  }
}

interface Entry {
  readonly name: string
  readonly isFolder: boolean
}

async function* listEntry(
  folder: string,
  start: string,
  { name, isFolder }: Entry,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  const key = start + name
  const path = join(folder, name)
  if (!isFolder) {
    if (key.startsWith(prefix) && (after === undefined || compareNames(key, after) > 0)) yield { key, path }
    return
  }
  const inside = `${key}/`
  if (!inside.startsWith(prefix) && !prefix.startsWith(inside)) return
  // All that is in it comes before the key after which is listed.
  if (after !== undefined && !after.startsWith(inside) && compareNames(inside, after) < 0) return
  for (const entry of await entriesOf(path)) yield* listEntry(path, inside, entry, prefix, after)
}

/** A folder stands where its keys do: `a.b` comes before `a/b`, and `a/b` before `ab`. */
async function entriesOf(folder: string): Promise<readonly Entry[]> {
  const found = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(
    (error: NodeJS.ErrnoException) => {
      // It may have been taken away meanwhile, or never been there: then it has no keys.
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw error
    },
  )
  return found
    .map((entry) => ({ name: nameOf(entry.name as unknown as Buffer), isFolder: entry.isDirectory() }))
    .sort((a, b) => compareNames(sortName(a), sortName(b)))
}

const sortName = ({ name, isFolder }: Entry) => (isFolder ? `${name}/` : name)

function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return [...bytes]
    .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`))
    .join('')
}
