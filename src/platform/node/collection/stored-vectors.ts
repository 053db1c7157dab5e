/**
 * Keeps the file of vectors on object storage: `vectors-<version>.f16` as on a disk, and beside it `vectors-<version>.json`, which says what each block of it hashes
 * to. Versions whose rows have the same embeddings lead to one file. Whoever looks through it copies it to this machine first, where native products map it.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atOnce } from '../../../at-once.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import type { Storage } from '../../../storage/storage.js'
import {
  openVectorFile,
  type VectorBlock,
  type VectorFile,
  type VectorFileState,
  vectorFileName,
  writeVectorFile,
} from './vector-file.js'

/** So many bytes are hashed, and asked for, at a time; the last block may be shorter. */
export const BLOCK_BYTES = 2 ** 22
/** So many blocks are asked for at once. */
const AT_ONCE = 8

/** Says of a file of vectors what it is made of. */
export interface StoredVectorFile extends VectorFileState {
  /** Is the object's key: that of the version for which it was written. */
  readonly file: string
  /** Counts its bytes. */
  readonly size: number
  /** Are the SHA-256 of its blocks. */
  readonly blocks: readonly string[]
}

/** Numbers of versions begin anew with another table, whose name ends in a number then. */
export function storedVectorsName(
  { table, version }: Omit<VectorFileState, 'width'>,
  ending: 'f16' | 'json',
): string {
  const [, number] = table.split('-')
  return `vectors-${version}${number === undefined ? '' : `-${number}`}.${ending}`
}

/** Says what is there for this version; null where there is nothing. */
export async function findStoredVectors(
  storage: Storage,
  state: VectorFileState,
  signal?: AbortSignal,
): Promise<StoredVectorFile | null> {
  const { table, version, width } = state
  const found = await storage.read(storedVectorsName(state, 'json'), { signal })
  const told = found === null ? null : parseJsonOrNull(new TextDecoder().decode(found.bytes))
  if (!isRecord(told) || told.table !== table || told.width !== width) return null
  const { file, size, blocks } = told
  return typeof file === 'string' && typeof size === 'number' && Array.isArray(blocks)
    ? { table, version, width, file, size, blocks: blocks.map(String) }
    : null
}

/**
 * Copies the file of this version to this machine, and opens it there; null where there is none. Throws `CollectionError` `too-large` for one of more than
 * `mostBytes`, `damaged` for other bytes than were written.
 */
export async function openStoredVectors(
  storage: Storage,
  state: VectorFileState,
  { mostBytes, signal }: { readonly mostBytes: number; readonly signal?: AbortSignal | undefined },
): Promise<VectorFile | null> {
  const told = await findStoredVectors(storage, state, signal)
  if (told === null) return null
  if (told.size > mostBytes) throw tooLarge(storage, told.size, mostBytes)
  return await inFolderOfItsOwn(async (folder) => {
    const path = join(folder, vectorFileName(state.version))
    await using file = await open(path, 'wx+')
    const label = `${storage.label}/${told.file}`
    const read = async (offset: number, length: number) =>
      (await storage.read(told.file, { offset, length, signal }))?.bytes ?? null
    await copyBlocks({ label, read }, told, file)
    return await openVectorFile(folder, state)
  })
}

/** Writes the file on this machine, and from there to the storage; it stays open here. Throws `StorageError`; `FileError` where this machine has no room. */
export async function writeStoredVectors(
  storage: Storage,
  state: VectorFileState,
  count: number,
  blocks: AsyncIterable<VectorBlock>,
  signal?: AbortSignal,
): Promise<VectorFile | null> {
  return await inFolderOfItsOwn(async (folder) => {
    await writeVectorFile(folder, state, count, blocks)
    const path = join(folder, vectorFileName(state.version))
    const file = storedVectorsName(state, 'f16')
    const hashes: string[] = []
    let size = 0
    for await (const block of blocksOf(path)) {
      hashes.push(digestOf(block))
      size += block.length
    }
    await storage.write(file, () => blocksOf(path), { signal })
    await tellVectors(storage, { ...state, file, size, blocks: hashes })
    return await openVectorFile(folder, state)
  })
}

/** Leads a version to its file. */
export async function tellVectors(storage: Storage, told: StoredVectorFile): Promise<void> {
  const { version: _, ...others } = told
  await storage.write(
    storedVectorsName(told, 'json'),
    Buffer.from(`${JSON.stringify(others)}
`),
  )
}

/** Has blocks of an older file on this machine, by their hashes. */
export interface KnownBlocks extends AsyncDisposable {
  readonly file: FileHandle
  readonly at: ReadonlyMap<string, number>
}

/** Reads a part of the file where it was written. */
interface Source {
  readonly label: string
  read(offset: number, length: number): Promise<Uint8Array | null>
}

/**
 * Writes the blocks of the file into `to`, unless they are there already. Those that `known` has are taken from there. Throws `CollectionError` `damaged` for a block that is
 * not as it was written.
 */
export async function copyBlocks(
  source: Source,
  { size, blocks }: StoredVectorFile,
  to: FileHandle,
  known?: KnownBlocks,
): Promise<void> {
  await atOnce(blocks.entries(), AT_ONCE, async ([block, hash]) => {
    const offset = block * BLOCK_BYTES
    const length = Math.min(BLOCK_BYTES, size - offset)
    if ((await blockOrNull(to, offset, length, hash)) !== null) return
    const here = known?.at.get(hash)
    const found = here === undefined ? null : await blockOrNull(known?.file, here, length, hash)
    await to.write(found ?? (await askBlock(source, offset, length, hash)), 0, length, offset)
  })
}

async function blockOrNull(
  file: FileHandle | undefined,
  offset: number,
  length: number,
  hash: string,
): Promise<Buffer | null> {
  if (file === undefined) return null
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
  return bytesRead === length && digestOf(buffer) === hash ? buffer : null
}

async function askBlock(source: Source, offset: number, length: number, hash: string): Promise<Uint8Array> {
  const bytes = await source.read(offset, length)
  if (bytes !== null && bytes.length === length && digestOf(bytes) === hash) return bytes
  throw new CollectionError(
    'damaged',
    bytes === null
      ? `${source.label} is gone: the collection was compacted meanwhile. Open it again.`
      : `Bytes ${offset} to ${offset + length} of ${source.label} are not those that were written. Bring it back from a copy, or have it made anew: plumage collection compact --rewrite`,
  )
}

/** Gives the bytes of a file on this machine, block by block. */
async function* blocksOf(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path, 'r')
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** The folder goes at once where open files stay readable without their names, else when the file is closed. */
async function inFolderOfItsOwn(
  make: (folder: string) => Promise<VectorFile | null>,
): Promise<VectorFile | null> {
  const folder = await mkdtemp(join(tmpdir(), 'plumage-vectors-'))
  const forget = () => rm(folder, { recursive: true, force: true }).catch(() => {})
  try {
    const file = await make(folder)
    if (file === null) return null
    const { ids, rows } = file
    return {
      ids,
      rows,
      async [Symbol.asyncDispose]() {
        await file[Symbol.asyncDispose]()
        await forget()
      },
    }
  } finally {
    await forget()
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function tooLarge({ label }: Storage, size: number, mostBytes: number): CollectionError {
  const [has, may] = [size, mostBytes].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`)
  return new CollectionError(
    'too-large',
    `Exact search of ${label} copies its embeddings to this machine once, which take ${has}; the cache may hold ${may}. Ask the index (indexed, --indexed), keep a mirror (mirror, --mirror <folder>), or allow more (cacheBytes, --cache <MB>).`,
  )
}
