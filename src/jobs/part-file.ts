/**
 * Writes and reads parts of a result: Parquet with one row for each row of the source, in its order. Embeddings are bytes of one length: halves or float32,
 * little-endian, of length 1, with the length that they had in the column `norm`. What a part is and what is in it stands in its metadata, for proofs that read no rows.
 */
import { openPlainParquet, type PlainValue, plainParquet } from '../formats/plain-parquet.js'
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { RowSum } from '../work/row-sum.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import { failuresOf, type ResultRow } from './part-rows.js'
import type { Plan } from './plan.js'
import type { RowHash } from './row.js'

/** Is what a part says of itself. */
export interface PartFooter {
  readonly job: string
  readonly plan: string
  readonly round: number
  readonly part: number
  readonly rows: number
  /** Counts failed rows by their code. */
  readonly failed: Readonly<Record<string, number>>
  readonly rowSum: string
  readonly identity: string
  readonly width: number
  readonly dtype: string
  /** Names who wrote it: nothing rests on that. */
  readonly writer: string
}

export interface PartParts {
  readonly job: Job
  readonly plan: Pick<Plan, 'id' | 'round'>
  readonly part: number
  readonly writer: string
  readonly hash: RowHash
}

/** Gives the bytes of a part. */
export function encodePart(
  rows: readonly ResultRow[],
  { job, plan, part, writer, hash }: PartParts,
): Uint8Array {
  const sum = new RowSum()
  for (const { id } of rows) sum.add(hash(id))
  const { digest, ...telling } = job.identity
  const { dtype } = job.settings
  const metadata = {
    identity: digest,
    ...telling,
    job: job.id,
    plan: plan.id,
    round: String(plan.round),
    part: String(part),
    rows: String(rows.length),
    failed: JSON.stringify(failuresOf(rows)),
    rowSum: sum.toString(),
    embeddings: JSON.stringify({ dtype, width: job.width, length: 'unit' }),
    writer,
  }
  const text = (name: 'id' | 'name' | 'state' | 'code' | 'reason') =>
    ({ name, kind: 'text', values: rows.map((row) => row[name]) }) as const
  const number = (name: 'height' | 'width') =>
    ({ name, kind: 'int32', values: rows.map((row) => row[name]) }) as const
  const origin = (name: string, at: 0 | 1) =>
    ({ name, kind: 'int32', values: rows.map(({ of }) => of?.[at] ?? null) }) as const
  return plainParquet(
    [
      ...(['id', 'name', 'state', 'code', 'reason'] as const).map(text),
      { name: 'transient', kind: 'int32', values: rows.map(({ transient }) => (transient ? 1 : 0)) },
      number('height'),
      number('width'),
      { name: 'norm', kind: 'float64', values: rows.map(({ norm }) => norm) },
      ...(plan.round === 0 ? [] : [origin('of_part', 0), origin('of_row', 1)]),
      {
        name: 'embedding',
        kind: 'bytes',
        size: job.width * BYTES[dtype],
        values: rows.map(({ embedding }) => (embedding === null ? null : bytesOf(embedding))),
      },
    ],
    metadata,
  )
}

const BYTES = { float16: 2, float32: 4 } as const

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Is a part that is there. */
export interface OpenPart {
  readonly footer: PartFooter
  /** Reads rows, some thousands at a time; without embeddings where these are not wanted. Throws `JobError` `damaged`; what the storage throws. */
  blocks(options?: { readonly embeddings?: boolean }): AsyncGenerator<readonly ResultRow[]>
}

/** Opens a part by its name, in two requests; null where there is none. Throws `JobError` `damaged`; what the storage throws. */
export async function openPartOrNull(
  storage: Storage,
  key: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<OpenPart | null> {
  const found = await storage.look(key, { signal })
  if (found === null) return null
  const place = `${storage.label}/${key}`
  const slice = async (start: number, end = found.size) => {
    const read = await storage.read(key, { offset: start, length: end - start, signal })
    if (read?.bytes.length !== end - start) throw new Error('it ends too soon')
    return read.bytes
  }
  const opened = await explained(place, signal, () => openPlainParquet({ byteLength: found.size, slice }))
  const footer = footerOf(opened.metadata)
  if (footer === null || footer.rows !== opened.rows)
    throw new JobError('damaged', `${place} does not say which part of which job it is.`)
  return {
    footer,
    async *blocks({ embeddings = true } = {}) {
      const origins = footer.round === 0 ? [] : ['of_part', 'of_row']
      const columns = [...COLUMNS, ...origins, ...(embeddings ? ['embedding'] : [])]
      const blocks = opened.blocks(columns)
      while (true) {
        const next = await explained(place, signal, () => blocks.next())
        if (next.done === true) return
        yield next.value.map((values) => rowOf(values, footer, place))
      }
    },
  }
}

const COLUMNS = ['id', 'name', 'state', 'code', 'reason', 'transient', 'height', 'width', 'norm']

/** Says of what cannot be read which file it is in. */
async function explained<Found>(
  place: string,
  signal: AbortSignal | undefined,
  read: () => Promise<Found>,
): Promise<Found> {
  try {
    return await read()
  } catch (error) {
    signal?.throwIfAborted()
    // What the storage has to say is no damage.
    if (error instanceof Error && 'code' in error) throw error
    throw new JobError(
      'damaged',
      `${place} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    )
  }
}

function footerOf(metadata: Readonly<Record<string, string>>): PartFooter | null {
  const { job, plan, round, part, rows, failed, rowSum, identity, embeddings, writer } = metadata
  const counts = parseJsonOrNull(failed ?? '')
  const kept = parseJsonOrNull(embeddings ?? '')
  if (
    job === undefined ||
    plan === undefined ||
    rowSum === undefined ||
    identity === undefined ||
    !isRecord(counts) ||
    !isRecord(kept)
  )
    return null
  return {
    job,
    plan,
    round: Number(round),
    part: Number(part),
    rows: Number(rows),
    failed: counts as Readonly<Record<string, number>>,
    rowSum,
    identity,
    width: Number(kept.width),
    dtype: String(kept.dtype),
    writer: writer ?? '',
  }
}

function rowOf(
  values: Readonly<Record<string, PlainValue>>,
  { dtype, width }: PartFooter,
  place: string,
): ResultRow {
  const { id, name, state, code, reason, height, width: pixels, norm, transient, embedding } = values
  const [part, row] = [values.of_part, values.of_row]
  if (typeof id !== 'string' || typeof name !== 'string' || (state !== 'embedded' && state !== 'failed'))
    throw new JobError('damaged', `${place} has a row without id, name or state.`)
  return {
    id,
    name,
    state,
    code: typeof code === 'string' ? code : null,
    reason: typeof reason === 'string' ? reason : null,
    transient: transient === 1,
    height: typeof height === 'number' ? height : null,
    width: typeof pixels === 'number' ? pixels : null,
    norm: typeof norm === 'number' ? norm : null,
    embedding: embedding instanceof Uint8Array ? numbersOf(embedding, dtype, width) : null,
    of: typeof part === 'number' && typeof row === 'number' ? [part, row] : null,
  }
}

/** Numbers of two and four bytes must begin at their multiples. */
function numbersOf(bytes: Uint8Array, dtype: string, width: number): Uint16Array | Float32Array {
  const { buffer } = bytes.slice()
  return dtype === 'float16' ? new Uint16Array(buffer, 0, width) : new Float32Array(buffer, 0, width)
}
