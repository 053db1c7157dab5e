/**
 * Keeps pgvector's index of embeddings, a graph (HNSW) of halves, over the rows that are embedded. How well it finds what is nearest is measured on the collection
 * itself, and decides how many candidates are kept on the way.
 */
import { wideHalvesOf } from '../../../collection/row-block.js'
import type { IndexFigures } from '../../../collection/store.js'
import { exactCosines } from '../../../numerics/exact-cosines.js'
import { INDEX_FROM, type IndexedRow, type Measured, measureIndex, WANTED } from './measure-index.js'
import type { Connections } from './postgres-connections.js'
import { type Answer, EMBEDDING, vectorsFrom } from './postgres-rows.js'

/** Says how the index is, and how it is asked. */
export interface PostgresIndexState extends IndexFigures {
  /** Counts the rows that it was made of. */
  readonly rows: number
}

/** So many candidates are kept, the first number that finds enough: pgvector takes no more. */
const CANDIDATES = [40, 64, 100, 160, 250, 400, 640, 1000]
const MOST_CANDIDATES = 1000
/** Halves of up to so many numbers have an index. */
const MOST_WIDTH = 4000
const NAME = 'photos_embedding'
/** A graph that is made beyond memory takes many times as long; PostgreSQL's own bound is 64 MB. */
const MOST_MEMORY_MB = 1024
/** Holds a row's neighbours in the graph. */
const GRAPH_BYTES = 400

/** Says where the index is. */
export interface Indexed {
  readonly connections: Connections
  /** Is the schema of the collection, in quotes. */
  readonly schema: string
  /** Is the schema of the extension, in quotes. */
  readonly extension: string
  readonly width: number
  readonly dtype: 'float16' | 'float32'
  readonly signal: AbortSignal | undefined
}

/**
 * Brings the index up to date: makes it where there is none, and anew where it does not find enough any more. Gives null where there are too few rows for one, or
 * their numbers are too many.
 */
export async function refreshPostgresIndex(
  indexed: Indexed,
  measured: Omit<Measured, 'signal'>,
  from: number = INDEX_FROM,
): Promise<PostgresIndexState | null> {
  const { connections, schema, width, signal } = indexed
  const rows = measured.ids.length
  const [found] = await connections.read(
    `select indisvalid from pg_index where indexrelid = to_regclass($1)`,
    [`${schema}.${NAME}`],
  )
  if (rows < from || width > MOST_WIDTH) {
    if (found !== undefined) await connections.change((ask) => ask(`drop index ${schema}.${NAME}`))
    return null
  }
  const measure = () =>
    measureIndex({ ...measured, signal }, CANDIDATES, (query, count, candidates) =>
      askPostgresIndex(indexed, query, count, { candidates }).then((all) => all ?? []),
    )
  if (found?.[0] === 't') {
    const figures = await measure()
    if (figures.recall >= WANTED) return { rows, of: 'candidates', ...figures }
  }
  await make(indexed, rows, found !== undefined)
  return { rows, of: 'candidates', ...(await measure()) }
}

async function make(indexed: Indexed, rows: number, isThere: boolean): Promise<void> {
  const { connections, schema, extension, width, signal } = indexed
  const megabytes = Math.ceil((rows * (2 * width + GRAPH_BYTES)) / 2 ** 20) + 16
  const sql = `create index ${NAME} on ${schema}.photos using hnsw ((${halves(indexed)}) ${extension}.halfvec_ip_ops) where state = 'embedded'`
  const build = (workers: string) =>
    connections.maintain(signal, async (ask) => {
      await ask('begin')
      try {
        await ask(`select set_config('max_parallel_maintenance_workers', $1, true) where $1 <> ''`, [workers])
        await ask(
          `select set_config('maintenance_work_mem', $1::bigint || 'MB', true) from pg_settings
            where name = 'maintenance_work_mem' and setting::bigint / 1024 < $1::bigint`,
          [Math.min(MOST_MEMORY_MB, megabytes)],
        )
        if (isThere) await ask(`drop index ${schema}.${NAME}`)
        await ask(sql)
        await ask('commit')
      } catch (error) {
        await ask('rollback').catch(() => {})
        throw error
      }
    })
  try {
    await build('')
  } catch (error) {
    // Several processes share the graph in /dev/shm, of which a container has 64 MB.
    const { code, message } = error as { readonly code?: string; readonly message: string }
    if (code !== 'disk-full' && !/shared memory/.test(message)) throw error
    await build('0')
  }
}

/** Is what the index is made of, and what is asked for by it. */
function halves({ extension, width, dtype }: Indexed): string {
  return dtype === 'float16' ? EMBEDDING : `${EMBEDDING}::${extension}.halfvec(${width})`
}

/** Says how the index is asked. */
export interface AskPostgresIndex {
  readonly candidates: number
  /** Is a condition on rows, whose values begin at the second. */
  readonly where?: { readonly sql: string; readonly values: readonly unknown[] } | undefined
}

/**
 * Finds the nearest rows by the index, which goes on among those that a filter has left. Twice as many candidates are kept as rows are wanted, at the least, and
 * twice as many rows are compared as exact search does it. Gives null where more are wanted than the index can keep.
 */
export async function askPostgresIndex(
  indexed: Indexed,
  query: Float32Array,
  count: number,
  { candidates, where }: AskPostgresIndex,
): Promise<readonly IndexedRow[] | null> {
  const { connections, schema, extension, width, dtype } = indexed
  const looked = 2 * count
  if (looked > MOST_CANDIDATES) return null
  const type = dtype === 'float16' ? 'halfvec' : 'vector'
  const sql = `select id, ${extension}.${type}_send(${EMBEDDING}) from ${schema}.photos
    where state = 'embedded' and ${EMBEDDING} is not null${where === undefined ? '' : ` and ${where.sql}`}
    order by ${halves(indexed)} operator(${extension}.<#>) $1::${extension}.halfvec(${width}) limit ${looked}`
  const found = connections.snapshot(async function* (ask) {
    await ask(
      `select set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)`,
      [String(Math.min(MOST_CANDIDATES, Math.max(candidates, looked)))],
    )
    yield await ask(sql, [`[${query.join(',')}]`, ...(where?.values ?? [])])
  })
  const rows: Answer[] = []
  for await (const some of found) rows.push(...some)
  return compared(rows, query, { width, dtype }).slice(0, count)
}

/** Compares rows as exact search does: the index has rounded the query. */
function compared(
  rows: readonly Answer[],
  query: Float32Array,
  { width, dtype }: Pick<Indexed, 'width' | 'dtype'>,
): readonly IndexedRow[] {
  const vectors = wideHalvesOf(
    vectorsFrom(
      rows.map(([, vector]) => vector ?? null),
      width,
      dtype,
    ),
  )
  const cosines = exactCosines(query, vectors)
  return rows
    .map(([id], row) => ({ id: id ?? '', similarity: cosines[row] ?? 0 }))
    .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
}
