/** Finds out whether a collection is as it should be: its rows, their embeddings, what waits to be folded in, and the files that they stand for. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { isAddress } from '../is-address.js'
import { float16ToFloat32 } from '../tensor/float16.js'
import type { Files } from '../work/files.js'
import { isObject } from '../work/input-of-address.js'
import type { Collection } from './collection.js'
import type { Value } from './columns.js'
import { placeOf } from './roots.js'
import { halfBytes, type Row, type RowBlock, rowsOf } from './row-block.js'

/** Is something that is not as it should be. */
export interface CollectionProblem {
  /** Says for programs what it is about. */
  readonly kind: CollectionProblemKind
  /** Is the row's root and path, or what else it is about. */
  readonly place: string
  /** Says what is wrong, and what to do. */
  readonly problem: string
}

/** Names a problem: of a file, of what a row says, of an embedding, of a log, or of a root. */
export type CollectionProblemKind = 'file' | 'row' | 'embedding' | 'log' | 'root'

/** Says how a collection is checked. */
export interface CheckOptions {
  readonly files: Files
  /** Gives what the column `content` says of a file and the path of its row, where contents are to be compared. */
  readonly hash?:
    | ((file: string, path: string, signal: AbortSignal | undefined) => Promise<string>)
    | undefined
  /** Is told how many rows have been looked at. */
  readonly onProgress?: ((rows: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const STATES = ['embedded', 'failed', 'gone']
/** Names in a collection that was made of a job which of its rows each one is. */
const SOURCE = 'source_row'
const COLUMNS = ['id', 'root', 'path', 'state', 'reason', 'bytes', 'modified', 'content', 'norm']

/** Halves of numbers below 1 are off by 2^-12 at most, and so is the length of what they make. */
const LENGTH_TOLERANCE = 1e-3

/** So many files are looked at together. */
const AT_ONCE = 16

/** Gives each problem as it is found. Throws what the store throws; the signal's reason. */
export async function* checkCollection(
  collection: Collection,
  options: CheckOptions,
): AsyncGenerator<CollectionProblem> {
  const { files, signal, onProgress } = options
  const missing = new Set<string>()
  for (const [root, folder] of Object.entries(collection.about.roots)) {
    // Nobody asks for what a job has from elsewhere, which would take as long as the job did; one listing of a bucket tells all of other collections.
    const isListed = isObject(folder) && collection.about.job === undefined
    if (isAddress(folder) && !isListed) missing.add(root)
    if (missing.has(root) || (await files.look(folder).catch(() => null))?.kind === 'folder') continue
    missing.add(root)
    const problem = `its folder ${folder} is not there: connect its disk, or say where it is now (plumage collection root ${root} <folder>)`
    yield { kind: 'root', place: root, problem }
  }
  if (collection.about.job?.isWhole === false) {
    const problem = 'not all of its rows are there: plumage job finish goes on'
    yield { kind: 'row', place: collection.store.label, problem }
  }
  for (const name of ['changes', 'decisions', 'moves'] as const) {
    const error = await collection.store
      .log(name)
      .read()
      .then(
        () => null,
        (found: unknown) => found,
      )
    if (error !== null) yield { kind: 'log', place: name, problem: `it cannot be read: ${String(error)}` }
  }
  const stored = await vectorsById(collection, signal)
  const seen = { ids: new Set<string>(), paths: new Set<string>() }
  let count = 0
  const columns = [...COLUMNS, ...collection.columns.flatMap(({ name }) => (name === SOURCE ? [name] : []))]
  for await (const block of collection.scan({ columns, embeddings: true, signal })) {
    const rows = rowsOf(block)
    for (const [at, row] of rows.entries()) {
      yield* rowProblems(row, collection, seen)
      yield* embeddingProblems(row, block, at, collection, stored)
    }
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      signal?.throwIfAborted()
      const part = rows.slice(at, at + AT_ONCE).filter(({ root }) => !missing.has(String(root)))
      for (const found of await Promise.all(part.map((row) => fileProblemOrNull(row, collection, options))))
        if (found !== null) yield found
    }
    count += rows.length
    onProgress?.(count)
  }
  for (const id of stored.keys())
    if (!seen.ids.has(id))
      yield {
        kind: 'embedding',
        place: id,
        problem: 'what search looks through has a photo that the collection has not',
      }
}

function* rowProblems(
  row: Row,
  { about }: Collection,
  seen: { readonly ids: Set<string>; readonly paths: Set<string> },
): Generator<CollectionProblem> {
  const { id, root, path, state, reason } = row
  const wrong = (problem: string): CollectionProblem => ({ kind: 'row', place: nameOf(row), problem })
  if (!/^[0-9a-f]{32}$/.test(String(id)))
    yield wrong(`its id is ${JSON.stringify(id)}, expected 32 hexadecimal digits`)
  if (seen.ids.has(String(id))) yield wrong(`another row has its id ${id}`)
  if (seen.paths.has(JSON.stringify([root, path])))
    yield wrong(
      about.job === undefined
        ? 'another row has its path'
        : 'another row has its path, and the job planned each image once (--unique): they may be versions of it',
    )
  if (about.job !== undefined) yield* sourceProblems(row, wrong)
  if (!Object.hasOwn(about.roots, String(root))) yield wrong(`there is no root ${JSON.stringify(root)}`)
  if (!STATES.includes(String(state)))
    yield wrong(`its state is ${JSON.stringify(state)}, expected ${STATES.join(', ')}`)
  if (state === 'failed' && reason === null) yield wrong('it failed without a reason')
  if (state === 'embedded' && reason !== null)
    yield wrong(`it is embedded, and has a reason why not: ${reason}`)
  seen.ids.add(String(id))
  // A list may name a file as often as it likes, unless the job was to leave repeats out.
  if (about.job === undefined || about.job.unique === true) seen.paths.add(JSON.stringify([root, path]))
}

/** An id follows from the row of the job: where ids are as they must be and come once, rows of the job do. */
function* sourceProblems(
  row: Row,
  wrong: (problem: string) => CollectionProblem,
): Generator<CollectionProblem> {
  const source = row[SOURCE]
  if (typeof source !== 'string') return yield wrong('it does not say which row of the job it is')
  const id = bytesToHex(sha256(new TextEncoder().encode(source)).subarray(0, 16))
  if (id !== row.id) yield wrong(`it says that it is ${JSON.stringify(source)} of the job, whose id is ${id}`)
}

async function vectorsById(
  collection: Collection,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { ids, blocks } = await collection.vectors(signal === undefined ? {} : { signal })
  const found = new Map<string, Uint8Array>()
  const bytes = collection.about.width * 2
  let at = 0
  for (const { bytes: held } of blocks)
    for (let from = 0; from + bytes <= held.length; from += bytes) {
      const to = from + bytes
      const row = held instanceof Uint8Array ? held.subarray(from, to) : await held.read(from, to)
      found.set(ids[at++] ?? '', row)
    }
  return found
}

function* embeddingProblems(
  row: Row,
  { embeddings }: RowBlock,
  at: number,
  { about: { width } }: Collection,
  stored: ReadonlyMap<string, Uint8Array>,
): Generator<CollectionProblem> {
  if (row.state !== 'embedded' || embeddings === undefined) return
  const wrong = (problem: string): CollectionProblem => ({ kind: 'embedding', place: nameOf(row), problem })
  const values = embeddings.subarray(at * width, (at + 1) * width)
  const numbers = new Float32Array(width)
  if (values instanceof Uint16Array) float16ToFloat32(values, numbers)
  else numbers.set(values)
  const length = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0))
  if (!(Math.abs(length - 1) <= LENGTH_TOLERANCE))
    yield wrong(`its embedding has the length ${length}, expected 1`)
  const { norm } = row
  if (!(typeof norm === 'number' && norm > 0)) yield wrong(`its norm is ${norm}, expected a length`)
  const other = stored.get(String(row.id))
  if (other === undefined)
    yield wrong('what search looks through does not have it: plumage collection compact')
  else if (halfBytes(values).some((byte, i) => byte !== other[i]))
    yield wrong('what search looks through has other numbers: plumage collection compact')
}

/** A file that has changed or gone is what the next `index` finds. */
async function fileProblemOrNull(
  row: Row,
  { about }: Collection,
  { files, hash, signal }: CheckOptions,
): Promise<CollectionProblem | null> {
  const folder = about.roots[String(row.root)]
  if (row.state === 'gone' || folder === undefined) return null
  const isOfJob = about.job !== undefined
  // Why the job could not read it stands in the row.
  if (isOfJob && row.state === 'failed') return null
  const wrong = (problem: string): CollectionProblem => ({ kind: 'file', place: nameOf(row), problem })
  const place = placeOf(folder, String(row.path), files)
  try {
    const found = await files.look(place)
    if (found === null && isOfJob)
      return (await isWithinFile(place, files)) ? null : wrong('its file is not there any more')
    if (found === null) return wrong('its file is not there: plumage index marks it as gone')
    // A job does not ask how large a file is and when it was changed.
    if (isOfJob && row.bytes === null && row.modified === null) return null
    const differs = (name: string, is: number, was: Value) =>
      wrong(`its ${name} is ${is}, it was ${was}: plumage index reads it again`)
    if (found.size !== row.bytes) return differs('size', found.size, row.bytes ?? null)
    if (Math.floor(found.mtimeMs) !== row.modified)
      return differs('time', Math.floor(found.mtimeMs), row.modified ?? null)
    if (hash === undefined || typeof row.content !== 'string') return null
    if ((await hash(place, String(row.path), signal)) === row.content) return null
    return wrong('its content is another, though size and time are the same: is the disk well?')
  } catch (error) {
    signal?.throwIfAborted()
    return wrong(`it cannot be looked at: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Tells whether what is not there may be a member of a shard, whose name stands behind that of the shard. */
async function isWithinFile(place: string, files: Files): Promise<boolean> {
  let end = place.lastIndexOf(files.separator)
  while (end > 0) {
    const found = await files.look(place.slice(0, end)).catch(() => null)
    if (found !== null) return found.kind === 'file'
    end = place.lastIndexOf(files.separator, end - 1)
  }
  return false
}

function nameOf({ root, path }: Row): string {
  return `${root}/${path}`
}
