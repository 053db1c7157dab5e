/** Makes a collection of rows that a job has embedded: their columns, roots and ids follow from the source. */
import type { Collection } from '../../../collection/collection.js'
import { blockOf, type Row } from '../../../collection/row-block.js'
import type { MadeCollection, Origin } from '../../../jobs/finish-job.js'
import type { Job } from '../../../jobs/job.js'
import type { ResultRow } from '../../../jobs/part-rows.js'
import { createCollection, openCollection } from '../collection/open-collection.js'
import { rowHash } from './row-hash.js'

/** Makes the collection at this place, or opens it to go on. Throws as `openCollection` and `createCollection`, and `CollectionError` `other-identity`. */
export async function makeCollection(
  folder: string,
  job: Job,
  signal: AbortSignal | undefined,
): Promise<MadeCollection> {
  const how = signal === undefined ? {} : { signal }
  const collection = await openOrCreate(folder, job, how)
  collection.assertSame(job.identity)
  await collection.addColumns(
    OWN_COLUMNS.filter(({ name }) => collection.columns.every((one) => one.name !== name)),
  )
  const roots = new Map(Object.entries(collection.about.roots))
  const columns = collection.columns.map(({ name }) => name)
  return {
    label: collection.store.label,
    rows: await collection.store.count(),
    origin: (collection.about.job ?? null) as Origin | null,
    setOrigin: (job: Origin) => collection.store.setAbout({ ...collection.about, job: { ...job } }),
    add: async (rows) => {
      await addRoots(collection, roots, rows, job.base)
      await collection.add(blockOf(rows.map(collectionRow), columns, embeddingsOf(rows, job)))
    },
    replace: async (rows) => {
      await addRoots(collection, roots, rows, job.base)
      return await replaceRows(collection, job, rows, how)
    },
    async *ids() {
      for await (const { values } of collection.scan({ columns: ['source_row'], ...how }))
        yield (values.source_row ?? []).map(String)
    },
    finish: () => collection.prepare(how),
    close: () => collection[Symbol.asyncDispose](),
  }
}

/** What people have written into columns of their own stays. */
async function replaceRows(
  collection: Collection,
  job: Job,
  rows: readonly ResultRow[],
  how: { readonly signal?: AbortSignal },
): Promise<readonly ResultRow[]> {
  const made = rows.map(collectionRow)
  const before = await collection.rows(
    made.map(({ id }) => String(id)),
    how,
  )
  const kept = rows.flatMap((row, at) => {
    const old = before[at]
    return old === null || old === undefined ? [] : [{ row, values: { ...old, ...made[at] } }]
  })
  const columns = collection.columns.map(({ name }) => name)
  const values = kept.map((one) => one.values)
  const results = kept.map((one) => one.row)
  await collection.replace(blockOf(values, columns, embeddingsOf(results, job)))
  return rows.filter((_, at) => before[at] === null)
}

async function openOrCreate(
  folder: string,
  { identity, width, model, settings }: Job,
  how: { readonly signal?: AbortSignal },
): Promise<Collection> {
  try {
    return await openCollection(folder, { ...how, write: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'not-found')) throw error
    return await createCollection(folder, { identity, width, model, dtype: settings.dtype }, how)
  }
}

/** Keep what a photo's own columns have no place for. */
const OWN_COLUMNS = [
  { name: 'source_row', type: 'text' },
  { name: 'failure', type: 'text' },
] as const

/** A row's id follows from its place in the source, so that it is the same whoever makes the collection. */
function collectionRow({ id, name, state, code, reason, height, width, norm }: ResultRow): Row {
  const { root, path } = placeIn(name)
  return {
    id: Buffer.from(rowHash(id)).toString('hex', 0, 16),
    root,
    path,
    state,
    reason: code === null ? null : `${code}: ${reason}`,
    height,
    width,
    norm,
    source_row: id,
    failure: code,
  }
}

/** Paths start from the folder that their root stands for; addresses from the kind that they are of. */
const ROOTS: Readonly<Record<string, string>> = {
  disk: '/',
  http: 'http://',
  https: 'https://',
  s3: 's3://',
  az: 'az://',
}

function placeIn(name: string): { readonly root: string; readonly path: string } {
  const [, kind, rest] = /^(https?|s3|az|gs):\/\/(.*)$/s.exec(name) ?? []
  if (kind !== undefined && rest !== undefined) return { root: kind, path: rest }
  if (name.startsWith('/')) return { root: 'disk', path: name.slice(1) }
  return { root: 'source', path: name }
}

async function addRoots(
  collection: Collection,
  roots: Map<string, string>,
  rows: readonly ResultRow[],
  base: string,
): Promise<void> {
  const before = roots.size
  for (const { name } of rows) {
    const { root } = placeIn(name)
    if (!roots.has(root)) roots.set(root, ROOTS[root] ?? base)
  }
  if (roots.size > before)
    await collection.store.setAbout({ ...collection.about, roots: Object.fromEntries(roots) })
}

function embeddingsOf(rows: readonly ResultRow[], { width, settings }: Job): Uint16Array | Float32Array {
  const joined = new (settings.dtype === 'float16' ? Uint16Array : Float32Array)(rows.length * width)
  for (const [at, { embedding }] of rows.entries()) if (embedding !== null) joined.set(embedding, at * width)
  return joined
}
