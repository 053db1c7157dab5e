/**
 * Does a part that has killed several workers, so that it kills few more: range by range, each noted before it is begun and kept when it is done. A range that is
 * found noted as begun killed who noted it: it is split, down to the row that does it, which is a failed row of the result. In the end the pieces become the part.
 */
import { isRecord, type PlainRecord } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { mayBeOfImages } from './encode-rows.js'
import { carefulKey, pieceKey } from './keys.js'
import { encodePart, openPartOrNull, type PartParts } from './part-file.js'
import { type ResultRow, resultOf } from './part-rows.js'
import type { PlannedRow } from './plan.js'
import { readShared, type Shared, writeShared } from './shared-json.js'

/** Is a range of a part's rows, the last not among them. */
interface Range {
  readonly from: number
  readonly to: number
  readonly state: 'waiting' | 'begun' | 'done' | 'killed'
  /** Counts who began it and never said what became of it. */
  readonly deaths: number
}

/** A range is split in so many: with two, a part of 16,000 rows would kill fourteen workers for one bad row. */
const SPLIT = 8
/** So many workers a single row kills before it is blamed: one may have died of something else. */
const ROW_DEATHS = 2

export interface CarefulParts extends PartParts {
  readonly storage: Storage
  readonly rows: readonly PlannedRow[]
  readonly signal: AbortSignal
  /** Embeds rows. */
  readonly embed: (rows: readonly PlannedRow[]) => Promise<readonly ResultRow[]>
  readonly onRange?: (from: number, to: number) => void
  readonly onKilled?: (row: number) => void
}

/** Gives all rows of the part; null where another worker does the same, so that this one is to leave it. Throws what storage and encoder throw. */
export async function doCarefully(parts: CarefulParts): Promise<readonly ResultRow[] | null> {
  const { storage, plan, part, signal, onRange } = parts
  const key = carefulKey(plan.round, part)
  let noted = await beginCarefully(parts, key)
  for (;;) {
    if (noted === null) return null
    signal.throwIfAborted()
    const ranges = rangesOf(noted.value)
    const at = ranges.findIndex(({ state }) => state === 'waiting')
    const range = ranges[at]
    if (range === undefined) return await joined(ranges, parts)
    noted = await writeShared(
      storage,
      key,
      { ranges: replaced(ranges, at, { ...range, state: 'begun' }) },
      noted,
    )
    if (noted === null) return null
    onRange?.(range.from, range.to)
    try {
      await doRange(range, parts)
    } catch (error) {
      // A worker that was told to leave it, or could not go on for another reason, was not killed by it.
      if (signal.aborted || !mayBeOfImages(error))
        await writeShared(storage, key, { ranges }, noted).catch(() => null)
      throw error
    }
    noted = await writeShared(
      storage,
      key,
      { ranges: replaced(ranges, at, { ...range, state: 'done' }) },
      noted,
    )
  }
}

/** Says whether the part is to be done carefully, whatever the queue knows: one that has forgotten all does not know what it killed. */
export async function isNotedCareful(
  storage: Storage,
  round: number,
  part: number,
  signal: AbortSignal,
): Promise<boolean> {
  return (await storage.look(carefulKey(round, part), { signal })) !== null
}

/** Notes that the part is to be done carefully. */
export async function noteCareful(
  storage: Storage,
  round: number,
  part: number,
  count: number,
): Promise<void> {
  await writeShared(storage, carefulKey(round, part), { ranges: firstRanges(count) }, null)
}

/** The whole part has killed: nothing is learnt by trying it once more. */
function firstRanges(count: number): readonly Range[] {
  return split({ from: 0, to: count, state: 'begun', deaths: ROW_DEATHS - 1 })
}

/** Removes notes and pieces, as far as it can be done. */
export async function forgetCareful(storage: Storage, round: number, part: number): Promise<void> {
  const key = carefulKey(round, part)
  const noted = await readShared(storage, key).catch(() => null)
  if (noted === null) return
  for (const { from, to } of rangesOf(noted.value))
    await storage.remove(pieceKey(round, part, from, to)).catch(() => {})
  await storage.remove(key).catch(() => {})
}

/** Takes what is noted as begun for what has killed. */
async function beginCarefully(
  { storage, rows, signal, onKilled }: CarefulParts,
  key: string,
): Promise<Shared | null> {
  const before = await readShared(storage, key, { signal })
  const ranges =
    before === null
      ? firstRanges(rows.length)
      : rangesOf(before.value).flatMap((range) => (range.state === 'begun' ? split(range) : [range]))
  const earlier = before === null ? [] : rangesOf(before.value)
  for (const { state, from } of ranges) {
    const isNew = earlier.every((range) => range.state !== 'killed' || range.from !== from)
    if (state === 'killed' && isNew) onKilled?.(from)
  }
  return await writeShared(storage, key, { ranges }, before, { signal })
}

function split({ from, to, deaths }: Range): readonly Range[] {
  const count = to - from
  if (count === 1) {
    const state = deaths + 1 >= ROW_DEATHS ? 'killed' : 'waiting'
    return [{ from, to, state, deaths: deaths + 1 }]
  }
  const length = Math.ceil(count / SPLIT)
  return Array.from({ length: Math.ceil(count / length) }, (_, at) => ({
    from: from + at * length,
    to: Math.min(to, from + (at + 1) * length),
    state: 'waiting' as const,
    deaths: 0,
  }))
}

async function doRange({ from, to }: Range, parts: CarefulParts): Promise<void> {
  const { storage, plan, part, signal, rows, embed } = parts
  const found = await embed(rows.slice(from, to))
  const bytes = encodePart(found, parts)
  await storage.write(pieceKey(plan.round, part, from, to), bytes, { ifAbsent: true, signal })
}

async function joined(ranges: readonly Range[], parts: CarefulParts): Promise<readonly ResultRow[]> {
  const { storage, plan, part, signal, rows, job } = parts
  const found: ResultRow[] = []
  for (const { from, to, state } of ranges) {
    if (state === 'killed') {
      const row = rows[from]
      if (row === undefined) throw new Error(`part ${part} has no row ${from}`)
      const reason = `it ended the worker's process ${ROW_DEATHS} times when it was embedded by itself`
      found.push(resultOf(row, { code: 'killed', reason, transient: false }, job.settings.dtype))
      continue
    }
    const piece = await openPartOrNull(storage, pieceKey(plan.round, part, from, to), { signal })
    if (piece === null) throw new Error(`the piece ${from} to ${to} of part ${part} is gone`)
    for await (const block of piece.blocks()) found.push(...block)
  }
  return found
}

function replaced(ranges: readonly Range[], at: number, range: Range): readonly Range[] {
  return ranges.map((one, other) => (other === at ? range : one))
}

function rangesOf({ ranges }: PlainRecord): readonly Range[] {
  return Array.isArray(ranges) ? (ranges.filter(isRecord) as unknown as readonly Range[]) : []
}
