/**
 * Says which objects make up a version of a collection on object storage, how long each is, and what it hashes to, so that whoever copies the version knows when all of
 * it is there, and whole. The writer makes this list, and reads each new file back for it.
 */
import { createHash } from 'node:crypto'
import { CollectionError } from '../../../collection/collection-error.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import type { Storage } from '../../../storage/storage.js'
import { FILES } from './collection-files.js'
import { findStoredVectors, type StoredVectorFile } from './stored-vectors.js'
import type { VectorFileState } from './vector-file.js'

/** Is a file that never changes. */
export interface ListedFile {
  readonly key: string
  readonly size: number
  readonly sha256: string
}

/** Lists the files of a version. */
export interface FileList {
  readonly state: VectorFileState
  /** Are those of the table; the last is the one that makes them a version. */
  readonly files: readonly ListedFile[]
  readonly vectors: StoredVectorFile | null
}

/** So many bytes of a file are read at a time. */
const PIECE_BYTES = 2 ** 23
/** LanceDB names its versions so that the newest comes first, or as they are numbered. */
const VERSION_NAMES = (version: number) => [`${2n ** 64n - 1n - BigInt(version)}`, `${version}`]

/** Lists the files of this version, and keeps the list. Those that `before` lists are not read again. */
export async function listFiles(
  storage: Storage,
  state: VectorFileState,
  fragments: number,
  before: FileList | null,
  signal?: AbortSignal,
): Promise<FileList> {
  const folder = `${state.table}.lance`
  const manifest = await findManifest(storage, folder, state.version)
  const known = new Map(before?.files.map((file) => [file.key, file]))
  const files: ListedFile[] = []
  let data = 0
  for await (const { key, size } of storage.list({ prefix: `${folder}/`, signal })) {
    if (!isPartOf(key.slice(folder.length + 1), manifest.bytes)) continue
    if (key.startsWith(`${folder}/data/`)) data++
    const found = known.get(key)
    files.push(
      found?.size === size ? found : { key, size, sha256: await digestOf(storage, key, size, signal) },
    )
  }
  if (data < fragments)
    throw new CollectionError(
      'damaged',
      `${storage.label} lists ${data} of ${fragments} files of ${folder}: its listing is behind. Try again.`,
    )
  const sha256 = createHash('sha256').update(manifest.bytes).digest('hex')
  files.push({ key: manifest.key, size: manifest.bytes.length, sha256 })
  const vectors = await findStoredVectors(storage, state, signal)
  const list = { state, files, vectors }
  await storage.write(FILES, Buffer.from(`${JSON.stringify({ format: 1, ...list })}\n`), { signal })
  return list
}

/** Gives the list of the newest version that has one; null where there is none. */
export async function readFileList(storage: Storage, signal?: AbortSignal): Promise<FileList | null> {
  const found = await storage.read(FILES, { signal })
  const told = found === null ? null : parseJsonOrNull(new TextDecoder().decode(found.bytes))
  const isList = isRecord(told) && told.format === 1 && isRecord(told.state) && Array.isArray(told.files)
  return isList ? (told as unknown as FileList) : null
}

async function findManifest(storage: Storage, folder: string, version: number) {
  for (const name of VERSION_NAMES(version)) {
    const key = `${folder}/_versions/${name}.manifest`
    const found = await storage.read(key)
    if (found !== null) return { key, bytes: Buffer.from(found.bytes) }
  }
  throw new CollectionError('damaged', `${storage.label} has no version ${version} of ${folder}.`)
}

/** A manifest holds the names of its data files as they are, and the ids of its indices as bytes. What rows are gone is little, and copied whole. */
function isPartOf(path: string, manifest: Buffer): boolean {
  const [kind, name = ''] = path.split('/')
  if (kind === 'data') return manifest.includes(path.slice(kind.length + 1))
  if (kind === '_indices') return manifest.includes(Buffer.from(name.replaceAll('-', ''), 'hex'))
  return kind === '_deletions'
}

async function digestOf(
  storage: Storage,
  key: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  for (let offset = 0; offset < size; offset += PIECE_BYTES) {
    const found = await storage.read(key, { offset, length: Math.min(PIECE_BYTES, size - offset), signal })
    if (found === null)
      throw new CollectionError('damaged', `${storage.label}/${key} is gone while it was read back.`)
    hash.update(found.bytes)
  }
  return hash.digest('hex')
}
