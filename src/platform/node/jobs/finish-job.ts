/** Makes collections, or one file, of what a job has embedded. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { type MeasureNearOptions, measureNear } from '../../../collection/set/ask-set.js'
import type { NearFigures } from '../../../collection/set/nearness.js'
import { given } from '../../../encoder/choose-recipe.js'
import { typedParquet } from '../../../formats/typed-parquet.js'
import type { TypedBlock } from '../../../formats/typed-table.js'
import { shownPlace } from '../../../is-address.js'
import { type Finished, finishJobWith, MOST_COLLECTION_ROWS } from '../../../jobs/finish-job.js'
import type { Job } from '../../../jobs/job.js'
import type { ResultRow } from '../../../jobs/part-rows.js'
import { readPlans, resultParts } from '../../../jobs/rounds.js'
import { float16ToFloat32 } from '../../../tensor/float16.js'
import {
  type CollectionList,
  readCollectionList,
  writeCollectionList,
} from '../collection/collection-list.js'
import { openCollections } from '../collection/open-collections.js'
import { isPostgresAddress } from '../collection/postgres-address.js'
import { PlacedFiles } from '../files/placed-files.js'
import { below, mayHoldCollections, OBJECT } from '../storage/object-path.js'
import { makeCollection } from './job-collection.js'
import { type JobPlace, withJob } from './job-place.js'
import { rowHash } from './row-hash.js'

/** Says how collections are made of a job. */
export interface FinishJobOptions {
  /** Bounds the rows of a collection, up to 20 million, which is the default. */
  readonly rowsPerCollection?: number
  /** Is told how many rows are in collections, of how many. */
  readonly onProgress?: (rows: number, of: number) => void
  /** Is told how many collections have been looked through, of how many, to measure what near ones find. */
  readonly onMeasure?: (collections: number, of: number) => void
  /** Ends the work, which then rejects with the signal's reason; asked for again, it goes on. */
  readonly signal?: AbortSignal
}

/** Says what was made of a job, and where. */
export interface FinishedCollections extends Finished {
  /** Are the collections, in the order of the source. */
  readonly folders: readonly string[]
  /** Says how much of the nearest is found where only near collections are asked; null where there is only one. */
  readonly near: NearFigures | null
}

const OPTIONS = {
  rowsPerCollection: true,
  onProgress: true,
  onMeasure: true,
  signal: true,
} satisfies OptionNames<FinishJobOptions>

/**
 * Makes collections `shard-00000.plumage` and so on in a folder, or below an address on object storage, in the order of the source, with their index: first it proves that all rows are
 * there. Rows that failed are in them with their reason. Asked for again it goes on, and brings in what a retry has changed since. In the end `collections.json` lists them,
 * by which `openCollections` opens all.
 *
 * @throws `JobError` `not-found`, `not-finished`, `damaged` for collections that are others' or were changed by others; what making a collection throws; `StorageError`; RangeError
 */
export async function finishJob(
  place: JobPlace,
  folder: string,
  options: FinishJobOptions = {},
): Promise<FinishedCollections> {
  checkOptionNames(options, OPTIONS)
  const { rowsPerCollection = MOST_COLLECTION_ROWS, onProgress, onMeasure, signal } = options
  if (
    !(
      Number.isSafeInteger(rowsPerCollection) &&
      rowsPerCollection > 0 &&
      rowsPerCollection <= MOST_COLLECTION_ROWS
    )
  )
    throw new RangeError(
      `rowsPerCollection (--rows-per-collection) is a whole number from 1 to ${MOST_COLLECTION_ROWS}; found ${rowsPerCollection}.`,
    )
  if (isPostgresAddress(folder) || (OBJECT.test(folder) && !mayHoldCollections(folder)))
    throw new RangeError(
      `${shownPlace(folder)} is no place for the collections of a job: name a folder, s3://bucket/prefix or az://container/prefix.`,
    )
  const files = new PlacedFiles(process.cwd())
  const into = files.resolve(folder)
  const nameOf = (shard: number) => `shard-${String(shard).padStart(5, '0')}.plumage`
  const placeOf = (name: string) => below(into, name)
  return await withJob(place, signal, async (storage, job) => {
    await files.makeFolder(into)
    const finished = await finishJobWith({
      job,
      storage,
      hash: rowHash,
      rowsPerCollection,
      makeCollection: (shard) => makeCollection(placeOf(nameOf(shard)), job, signal),
      onProgress,
      signal,
    })
    const collections = Array.from({ length: finished.collections }, (_, at) => nameOf(at))
    const folders = collections.map(placeOf)
    const near = await measured(into, folders, given({ signal, onProgress: onMeasure }))
    const list = { format: 1, job: job.id, identity: job.identity.digest, collections, near } as const
    await writeCollectionList(into, list, signal)
    return { ...finished, folders, near: near && { photos: near.photos, recall: near.recall } }
  })
}

/** All vectors are looked through for it: what was measured of these very versions holds. */
async function measured(
  into: string,
  folders: readonly string[],
  options: MeasureNearOptions,
): Promise<CollectionList['near']> {
  if (folders.length === 1) return null
  await using set = await openCollections(folders, given({ signal: options.signal }))
  const versions = await set.versions()
  const before = await readCollectionList(into, options.signal)
  if (before !== null && String(before.near?.versions) === String(versions)) return before.near
  return { ...(await measureNear(set, options)), versions }
}

/** Says how a job's result is written into one file. */
export interface ExportJobOptions {
  /** Is told how many rows are written. */
  readonly onProgress?: (rows: number) => void
  /** Ends the work, which then rejects with the signal's reason; nothing is there then. */
  readonly signal?: AbortSignal
}

const EXPORT = { onProgress: true, signal: true } satisfies OptionNames<ExportJobOptions>

/**
 * Writes all rows into one Parquet file, in the order of the source, embeddings as the model gave them (to the precision that parts keep), which other programs read as
 * lists of float32. Gives the number of rows.
 *
 * @param file is a path, or the address of an object in a bucket
 * @throws `JobError` `not-found`, `not-finished`, `damaged`; `FileError`; `StorageError`
 */
export async function exportJob(
  place: JobPlace,
  file: string,
  options: ExportJobOptions = {},
): Promise<number> {
  checkOptionNames(options, EXPORT)
  const { onProgress, signal } = options
  return await withJob(place, signal, async (storage, job) => {
    const plans = await readPlans(storage, rowHash, { signal })
    const { digest, ...telling } = job.identity
    let count = 0
    const blocks = async function* (): AsyncGenerator<TypedBlock> {
      for await (const { rows } of resultParts({ storage, job, plans, hash: rowHash }, { signal }))
        for (let at = 0; at < rows.length; at += GROUP_ROWS) {
          const some = rows.slice(at, at + GROUP_ROWS)
          yield typedBlock(some, job)
          count += some.length
          onProgress?.(count)
        }
    }
    const table = {
      columns: COLUMNS,
      vector: { name: 'embedding', width: job.width },
      metadata: { identity: digest, ...telling, job: job.id },
      blocks: blocks(),
    }
    await new PlacedFiles(process.cwd()).write(file, typedParquet(table))
    return count
  })
}

const GROUP_ROWS = 1024

const COLUMNS = [
  { name: 'id', type: 'text' },
  { name: 'path', type: 'text' },
  { name: 'state', type: 'text' },
  { name: 'code', type: 'text' },
  { name: 'reason', type: 'text' },
  { name: 'height', type: 'integer' },
  { name: 'width', type: 'integer' },
] as const

function typedBlock(rows: readonly ResultRow[], { width }: Job): TypedBlock {
  const vectors = new Float32Array(rows.length * width)
  for (const [at, { embedding, norm }] of rows.entries()) {
    if (embedding === null) continue
    const own = vectors.subarray(at * width, (at + 1) * width)
    if (embedding instanceof Uint16Array) float16ToFloat32(embedding, own)
    else own.set(embedding)
    own.forEach((value, i) => {
      own[i] = value * (norm ?? 0)
    })
  }
  const values = {
    id: rows.map(({ id }) => id),
    path: rows.map(({ name }) => name),
    state: rows.map(({ state }) => state),
    code: rows.map(({ code }) => code),
    reason: rows.map(({ reason }) => reason),
    height: rows.map(({ height }) => height),
    width: rows.map((row) => row.width),
  }
  return { count: rows.length, values, vectors, hasVector: rows.map(({ embedding }) => embedding !== null) }
}
