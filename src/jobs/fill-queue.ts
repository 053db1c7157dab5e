/**
 * Fills the queue from the plan, a few thousand parts at a time, so that it stays small however long the plan is. How far it came stands in storage; tasks are put in
 * before that is moved, so that a death between the two repeats some and loses none. The first pass puts in all parts. When a pass has come to its end and the queue
 * is empty, the next one asks for each part by name and puts in those that nobody has committed: what a queue forgot comes again so.
 */
import { atOnce } from '../at-once.js'
import type { Storage } from '../storage/storage.js'
import { CURSOR_KEY, partKey } from './keys.js'
import type { JobQueue, Task } from './queue.js'
import { changeShared, readShared, type Shared, writeShared } from './shared-json.js'

/** Says how far the plan has been put into the queue. */
export interface Cursor {
  readonly round: number
  readonly pass: number
  /** Is the next part. */
  readonly next: number
  /** Counts the parts that this pass found missing, all of them in the first. */
  readonly missing: number
}

/** `complete`: each part of the round was found committed. `filled`: tasks were put in. `waiting`: there is enough in it, or others have the last ones. */
export type Filled = 'complete' | 'filled' | 'waiting'

export interface FillSettings {
  readonly round: number
  readonly parts: number
  readonly identity: string
  readonly signal?: AbortSignal | undefined
  /** Fewer waiting parts than this are too few; default 1,000. */
  readonly low?: number | undefined
  /** So many are put in at a time; default 2,000. */
  readonly chunk?: number | undefined
}

/** So many parts are asked for at a time. */
const AT_ONCE = 32
/** No more wait in the queue. */
const MOST_WAITING = 8000

/** Throws what storage and queue throw. */
export async function fillQueue(storage: Storage, queue: JobQueue, settings: FillSettings): Promise<Filled> {
  const { round, parts, signal, low = 1000, chunk = 2000 } = settings
  let isFilled = false
  for (;;) {
    signal?.throwIfAborted()
    const counts = await queue.counts({ signal })
    const most = isFilled ? Math.min(2 * low, MOST_WAITING) : low
    if (counts.waiting >= most) return isFilled ? 'filled' : 'waiting'
    const before = await readShared(storage, CURSOR_KEY, { signal })
    const cursor = cursorOf(before, round)
    // Another round has begun: whoever asks is to look again.
    if (cursor.round !== round) return 'waiting'
    if (cursor.next < parts) {
      const tasks = await wantedTasks(storage, cursor, { ...settings, chunk })
      if (tasks.length > 0) await queue.add(tasks, { signal })
      const next = Math.min(parts, cursor.next + chunk)
      const moved = { ...cursor, next, missing: cursor.missing + tasks.length }
      const isMoved = await writeShared(storage, CURSOR_KEY, moved, before, { signal })
      isFilled ||= isMoved !== null && tasks.length > 0
    } else if (cursor.pass > 0 && cursor.missing === 0) return 'complete'
    else if (isFilled || counts.waiting + counts.active > 0) return isFilled ? 'filled' : 'waiting'
    else await writeShared(storage, CURSOR_KEY, nextPass(cursor), before, { signal })
  }
}

async function wantedTasks(
  storage: Storage,
  { round, pass, next }: Cursor,
  { parts, identity, signal, chunk }: FillSettings & { readonly chunk: number },
): Promise<readonly Task[]> {
  const numbers = Array.from({ length: Math.min(chunk, parts - next) }, (_, at) => next + at)
  const tasks = numbers.map((part) => ({ round, part, pass }))
  if (pass === 0) return tasks
  const found = await atOnce(tasks, AT_ONCE, ({ part }) =>
    storage.look(partKey(round, part, identity), { signal }),
  )
  return tasks.filter((_, at) => found[at] === null)
}

function nextPass({ round, pass }: Cursor): Cursor {
  return { round, pass: pass + 1, next: 0, missing: 0 }
}

function cursorOf(found: Shared | null, round: number): Cursor {
  if (found === null) return { round, pass: 0, next: 0, missing: 0 }
  const { round: own, pass, next, missing } = found.value
  return { round: Number(own), pass: Number(pass), next: Number(next), missing: Number(missing) }
}

/** Says which round is worked on. */
export async function readCursor(
  storage: Storage,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Cursor> {
  return cursorOf(await readShared(storage, CURSOR_KEY, options), 0)
}

/** Begins a round, from its first part on. */
export async function beginRound(storage: Storage, round: number): Promise<void> {
  await changeShared(storage, CURSOR_KEY, (value) =>
    Number(value?.round ?? -1) >= round ? null : { round, pass: 0, next: 0, missing: 0 },
  )
}

/** Goes through the plan anew, for a queue that has nothing of it. */
export async function beginPass(storage: Storage): Promise<void> {
  await changeShared(storage, CURSOR_KEY, (value) => ({
    round: Number(value?.round ?? 0),
    pass: Number(value?.pass ?? 0) + 1,
    next: 0,
    missing: 0,
  }))
}
