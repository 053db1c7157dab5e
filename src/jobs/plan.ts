/**
 * Writes and reads plans. A plan lists the rows of one round of a job in parts, and is written once. Its rows lie in segments, which hold many parts one after the
 * other and say behind them where each begins, so that a worker reads its part alone; `plan.json` comes last, and without it there is no plan.
 */
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { RowSum } from '../work/row-sum.js'
import { GrowingText } from './growing-text.js'
import { JobError } from './job-error.js'
import { planKey, segmentKey } from './keys.js'
import type { Place, RowHash, SourceRow } from './row.js'
import { readShared, writeShared } from './shared-json.js'
import { UniqueRows } from './unique-rows.js'

/** Is a row as a plan has it. */
export interface PlannedRow extends SourceRow {
  /** Names the part and the row in it, of the first round, that this row is to replace; absent in the first round. */
  readonly of?: readonly [part: number, row: number]
}

/** Says of a part where its rows lie in its segment. */
export interface PlannedPart {
  readonly offset: number
  readonly length: number
  readonly rows: number
  /** Sums up its rows; see `RowSum`. */
  readonly rowSum: string
}

/** Says of a segment what is in it. */
export interface PlannedSegment {
  /** Counts the bytes of its rows; what says where parts begin lies behind them. */
  readonly bytes: number
  /** Counts all its bytes. */
  readonly size: number
  /** Is the SHA-256, in hexadecimal digits, of what says where parts begin. */
  readonly digest: string
}

/** Is what `plan.json` holds. */
export interface Plan {
  readonly format: 1
  /** Is 16 hexadecimal digits. */
  readonly id: string
  /** Is 0 for the first plan of a job, and counts retries. */
  readonly round: number
  /** Counts rows. */
  readonly rows: number
  /** Counts parts; all have `rowsPerPart` rows, but for the last. */
  readonly parts: number
  /** Counts the rows of each part. */
  readonly rowsPerPart: number
  /** Counts the parts of each segment. */
  readonly partsPerSegment: number
  /** Sums up all rows; see `RowSum`. */
  readonly rowSum: string
  /** Counts the rows that were left out since their image lies where another's does. */
  readonly repeated: number
  /** Counts the failed rows of earlier rounds that it tries again, by their code. */
  readonly replaces: Readonly<Record<string, number>>
  /** Are the files that hold the rows. */
  readonly segments: readonly PlannedSegment[]
  /** Is the SHA-256, in hexadecimal digits, of all of the above. */
  readonly digest: string
}

/** A segment holds so many rows, which are in memory until it is written. */
const SEGMENT_ROWS = 2 ** 17
const LONGEST_ROW = 2 ** 20
const REPORT_ROWS = 2 ** 14

export interface PlanSettings {
  readonly round: number
  readonly rowsPerPart: number
  readonly unique?: boolean
  readonly replaces?: Readonly<Record<string, number>>
  readonly hash: RowHash
  /** Is told how many rows have been planned, now and then. */
  readonly onProgress?: ((rows: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes the plan of a round; rows stream through, two segments of them are in memory at a time: one is written while the next is put together.
 *
 * @throws `JobError` `empty` where there are no rows, `exists` where another plan of this round was faster, `too-many`; what the source and the storage throw
 */
export async function writePlan(
  rows: AsyncIterable<PlannedRow> | AsyncIterable<readonly PlannedRow[]>,
  storage: Storage,
  settings: PlanSettings,
): Promise<Plan> {
  const writer = new PlanWriter(storage, settings)
  try {
    for await (const given of rows) {
      settings.signal?.throwIfAborted()
      // Rows may come in blocks, which spares a promise for each.
      if (Array.isArray(given)) for (const row of given as readonly PlannedRow[]) writer.add(row)
      else writer.add(given as PlannedRow)
      if (writer.isFull) await writer.flush()
    }
    return await writer.finish()
  } finally {
    await writer.settle()
  }
}

export function noRows(): JobError {
  return new JobError('empty', 'The source has no rows: there is nothing to do.')
}

class PlanWriter {
  readonly #storage: Storage
  readonly #settings: PlanSettings
  readonly #id = newHexId()
  readonly #all = new RowSum()
  readonly #unique: UniqueRows | null
  readonly #segments: PlannedSegment[] = []
  readonly #partsPerSegment: number
  #rows = 0
  #parts = 0
  #repeated = 0
  /** Counts the rows of the part that is being put together. */
  #rowsInPart = 0
  #partStart = 0
  #sum = new RowSum()
  /** Are the parts of the segment that is being put together, and their bytes. */
  #planned: PlannedPart[] = []
  #bytes = new GrowingText()
  /** Are segments that are full and not written yet. */
  #full: { readonly parts: readonly PlannedPart[]; readonly bytes: Uint8Array }[] = []
  /** Is the segment that is being written while the next one is put together. */
  #writing: Promise<void> = Promise.resolve()

  constructor(storage: Storage, settings: PlanSettings) {
    this.#storage = storage
    this.#settings = settings
    this.#unique = settings.unique === true ? new UniqueRows() : null
    this.#partsPerSegment = Math.max(1, Math.floor(SEGMENT_ROWS / settings.rowsPerPart))
  }

  get isFull(): boolean {
    return this.#full.length > 0
  }

  add(row: PlannedRow): void {
    const { hash, rowsPerPart, onProgress } = this.#settings
    if (this.#unique !== null && !this.#unique.add(hash(placeText(row.place)))) {
      this.#repeated++
      return
    }
    const line = lineOf(row)
    if (line.length > LONGEST_ROW)
      throw new JobError(
        'too-many',
        `The row ${row.id.slice(0, 100)} has ${line.length} letters, more than ${LONGEST_ROW}: give the address of its image, not the image itself.`,
      )
    const digest = hash(row.id)
    this.#sum.add(digest)
    this.#all.add(digest)
    this.#bytes.add(`${line}\n`)
    if (++this.#rows % REPORT_ROWS === 0) onProgress?.(this.#rows)
    if (++this.#rowsInPart === rowsPerPart) this.#endPart()
  }

  /** Begins to write what is full, once what was full before is written. Throws what the storage threw meanwhile. */
  async flush(): Promise<void> {
    const full = this.#full
    this.#full = []
    for (const segment of full) {
      await this.#writing
      this.#writing = this.#write(segment)
      // Whoever flushes next is told of a failure; the source may end before, which then throws.
      this.#writing.catch(() => {})
    }
  }

  /** Lets a write end that has begun, whatever became of it: nothing is written after the plan has failed. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async finish(): Promise<Plan> {
    const { round, rowsPerPart, hash, signal, onProgress, replaces = {} } = this.#settings
    if (this.#rows === 0) throw noRows()
    if (this.#rowsInPart > 0) this.#endPart()
    if (this.#planned.length > 0) this.#endSegment()
    await this.flush()
    await this.#writing
    onProgress?.(this.#rows)
    const told = {
      format: 1,
      id: this.#id,
      round,
      rows: this.#rows,
      parts: this.#parts,
      rowsPerPart,
      partsPerSegment: this.#partsPerSegment,
      rowSum: this.#all.toString(),
      repeated: this.#repeated,
      replaces,
      segments: this.#segments,
    } as const
    const plan: Plan = { ...told, digest: digestOfPlan(told, hash) }
    if ((await writeShared(this.#storage, planKey(round), plan, null, { signal })) !== null) return plan
    throw new JobError(
      'exists',
      `${this.#storage.label}/${planKey(round)} was written by someone else meanwhile: this plan is left aside.`,
    )
  }

  #endPart(): void {
    const end = this.#bytes.length
    this.#planned.push({
      offset: this.#partStart,
      length: end - this.#partStart,
      rows: this.#rowsInPart,
      rowSum: this.#sum.toString(),
    })
    this.#partStart = end
    this.#parts++
    this.#rowsInPart = 0
    this.#sum = new RowSum()
    if (this.#planned.length === this.#partsPerSegment) this.#endSegment()
  }

  #endSegment(): void {
    this.#full.push({ parts: this.#planned, bytes: this.#bytes.take() })
    this.#planned = []
    this.#partStart = 0
  }

  async #write({
    parts,
    bytes,
  }: {
    readonly parts: readonly PlannedPart[]
    readonly bytes: Uint8Array
  }): Promise<void> {
    const { round, hash, signal } = this.#settings
    const text = JSON.stringify(parts)
    const footer = new TextEncoder().encode(text)
    const { length } = bytes
    const key = segmentKey(round, this.#id, this.#segments.length)
    await this.#storage.write(key, () => [bytes, footer], { signal })
    this.#segments.push({ bytes: length, size: length + footer.length, digest: hexOf(hash(text)) })
  }
}

/** Writes a row as `JSON.stringify` does, in half the time. */
function lineOf({ id, name, place, of }: PlannedRow): string {
  const { address, ...range } = place
  const shown = quoted(name)
  const more = Object.keys(range).length === 0 ? '' : `,${JSON.stringify(range).slice(1, -1)}`
  const origin = of === undefined ? '' : `,"of":[${of[0]},${of[1]}]`
  return `{"id":${quoted(id)},"name":${shown},"place":{"address":${address === name ? shown : quoted(address)}${more}}${origin}}`
}

/** Most texts have nothing that must be escaped. */
function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}

const ESCAPED = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** Says which image a row is of: rows of one place repeat each other. */
function placeText({ address, version, offset, length }: Place): string {
  return JSON.stringify([address, version, offset, length])
}

export function newHexId(): string {
  return crypto.randomUUID().replaceAll('-', '').slice(0, 16)
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function digestOfPlan(plan: object, hash: RowHash): string {
  return hexOf(hash(JSON.stringify(plan)))
}

/** Reads the plan of a round; null where there is none. Throws `JobError` `damaged`; what the storage throws. */
export async function readPlanOrNull(
  storage: Storage,
  round: number,
  hash: RowHash,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Plan | null> {
  const found = await readShared(storage, planKey(round), options)
  if (found === null) return null
  const { digest, ...told } = found.value
  if (told.format === 1 && digest === digestOfPlan(told, hash)) return found.value as unknown as Plan
  throw new JobError('damaged', `${storage.label}/${planKey(round)} is not as it was written.`)
}

/** Reads rows of a plan, part by part. It keeps where the parts of the last segments begin. */
export class PlanReader {
  readonly plan: Plan
  readonly #storage: Storage
  readonly #hash: RowHash
  readonly #segments = new Map<number, readonly PlannedPart[]>()

  constructor(storage: Storage, plan: Plan, hash: RowHash) {
    this.plan = plan
    this.#storage = storage
    this.#hash = hash
  }

  /** Says what the plan has of a part. Throws `JobError` `damaged`; what the storage throws. */
  async part(part: number, signal?: AbortSignal): Promise<PlannedPart> {
    const { partsPerSegment } = this.plan
    const parts = await this.#footer(Math.floor(part / partsPerSegment), signal)
    const found = parts[part % partsPerSegment]
    if (found === undefined) throw this.#damaged(`has no part ${part}`)
    return found
  }

  /** Reads the rows of a part, in their order. Throws `JobError` `damaged`; what the storage throws. */
  async rows(part: number, signal?: AbortSignal): Promise<readonly PlannedRow[]> {
    const { offset, length, rows, rowSum } = await this.part(part, signal)
    const key = this.#key(Math.floor(part / this.plan.partsPerSegment))
    const found = await this.#storage.read(key, { offset, length, signal })
    const lines = found === null ? [] : new TextDecoder().decode(found.bytes).trimEnd().split('\n')
    const planned = lines.map((line) => parseJsonOrNull(line) as unknown as PlannedRow)
    const sum = new RowSum()
    for (const row of planned) {
      if (typeof row?.id !== 'string' || typeof row.place?.address !== 'string')
        throw this.#damaged(`has lines in part ${part} that are no rows`)
      sum.add(this.#hash(row.id))
    }
    if (planned.length === rows && sum.toString() === rowSum) return planned
    throw this.#damaged(`has ${planned.length} rows in part ${part}, and says ${rows}, or they are others`)
  }

  async #footer(segment: number, signal: AbortSignal | undefined): Promise<readonly PlannedPart[]> {
    const kept = this.#segments.get(segment)
    if (kept !== undefined) return kept
    const about = this.plan.segments[segment]
    if (about === undefined) throw this.#damaged(`has no segment ${segment}`)
    const { bytes, size, digest } = about
    const found = await this.#storage.read(this.#key(segment), {
      offset: bytes,
      length: size - bytes,
      signal,
    })
    const text = found === null ? '' : new TextDecoder().decode(found.bytes)
    const parts = hexOf(this.#hash(text)) === digest ? parseJsonOrNull(text) : null
    if (!Array.isArray(parts) || !parts.every(isRecord))
      throw this.#damaged(`lacks segment ${segment}, or it is not as it was written`)
    if (this.#segments.size >= KEPT_SEGMENTS) this.#segments.clear()
    this.#segments.set(segment, parts as unknown as readonly PlannedPart[])
    return parts as unknown as readonly PlannedPart[]
  }

  #key(segment: number): string {
    return segmentKey(this.plan.round, this.plan.id, segment)
  }

  #damaged(what: string): JobError {
    return new JobError('damaged', `The plan of round ${this.plan.round} in ${this.#storage.label} ${what}.`)
  }
}

const KEPT_SEGMENTS = 8
