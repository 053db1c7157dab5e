/**
 * Makes collections of what a job has embedded, each of at most so many rows, in the order of the source. Each says of which part of which job it is and of how many
 * rounds, so that this goes on where it was interrupted, brings in what a retry has changed since, and takes nobody else's collection for its own. What it has changed
 * it proves: each row of the plan is there exactly once.
 */
import type { Storage } from '../storage/storage.js'
import { RowSum } from '../work/row-sum.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import type { ResultRow } from './part-rows.js'
import { type Plan, PlanReader } from './plan.js'
import { type Proof, proveResult } from './prove-job.js'
import { type JobResult, readPlans, resultParts, retriedRows } from './rounds.js'
import type { RowHash } from './row.js'

/** Says which part of a job a collection holds, and how far it is. */
export interface Origin {
  /** Is the job's id. */
  readonly id: string
  /** Is the id of the job's first plan. */
  readonly plan: string
  /** Are the first of its parts, and the one behind the last. */
  readonly parts: readonly [from: number, to: number]
  /** Counts the rounds, retries included, whose rows it has. */
  readonly rounds: number
  /** Says that all of its rows are there. */
  readonly isWhole: boolean
  /** Says that no two rows are of one image. */
  readonly unique: boolean
}

/** Is a collection that is being made. */
export interface MadeCollection {
  /** Names it for people. */
  readonly label: string
  /** Counts the rows that it has. */
  readonly rows: number
  /** Says of what it was made; null for one that was not made by this, or is new. */
  readonly origin: Origin | null
  /** Says of what it is made, for good. */
  setOrigin(origin: Origin): Promise<void>
  /** Adds rows, all of them or none. */
  add(rows: readonly ResultRow[]): Promise<void>
  /** Replaces rows that it has by what became of them since, all of them or none, and gives those that it does not have, which stay away. */
  replace(rows: readonly ResultRow[]): Promise<readonly ResultRow[]>
  /** Gives the ids that its rows have in the job, in any order. */
  ids(): AsyncIterable<readonly string[]>
  /** All rows are there: makes its index. */
  finish(): Promise<void>
  /** Gives it back, finished or not. */
  close(): Promise<void>
}

/** Makes collections, or goes on with one. */
export type MakeCollection = (shard: number, about: { readonly job: Job }) => Promise<MadeCollection>

export interface FinishParts {
  readonly job: Job
  readonly storage: Storage
  readonly hash: RowHash
  readonly makeCollection: MakeCollection
  /** Bounds the rows of a collection. */
  readonly rowsPerCollection: number
  readonly onProgress?: ((rows: number, of: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Says what was made of a job. */
export interface Finished {
  /** Says that all rows are there, and how many failed. */
  readonly proof: Proof
  /** Counts the rows of all collections. */
  readonly rows: number
  /** Counts collections. */
  readonly collections: number
  /** Counts the rows that were replaced in collections that had them, since they were tried again. */
  readonly replaced: number
}

/** So many rows of a collection at most: what one of more does is shown nowhere. */
export const MOST_COLLECTION_ROWS = 20_000_000
/** Each addition makes a version of the table: few large ones. */
const BLOCK_ROWS = 2 ** 14

/** Throws `JobError` `not-finished` where the result is not proven whole; what storage and collections throw. */
export async function finishJobWith(parts: FinishParts): Promise<Finished> {
  const { job, storage, hash, rowsPerCollection, signal } = parts
  const plans = await readPlans(storage, hash, { signal })
  const proof = await proveResult({ job, storage, hash, signal })
  if (!proof.proven)
    throw new JobError(
      'not-finished',
      `${proof.problems} parts of the job in ${storage.label} are missing or not as they must be: see plumage job prove, and run plumage worker until all are done.`,
    )
  const [plan] = plans
  if (plan === undefined) throw new Error('the job has no plan')
  const partsEach = Math.max(1, Math.floor(rowsPerCollection / plan.rowsPerPart))
  const collections = Math.ceil(plan.parts / partsEach)
  let replaced = 0
  for (let shard = 0; shard < collections; shard++) {
    signal?.throwIfAborted()
    replaced += await new Shard(parts, plans, plan, shard, partsEach).make()
  }
  return { proof, rows: plan.rows, collections, replaced }
}

class Shard {
  readonly #parts: FinishParts
  readonly #plans: readonly Plan[]
  readonly #plan: Plan
  readonly #shard: number
  readonly #first: number
  readonly #last: number
  /** Counts the rows that it is to have. */
  readonly #wanted: number

  constructor(parts: FinishParts, plans: readonly Plan[], plan: Plan, shard: number, partsEach: number) {
    this.#parts = parts
    this.#plans = plans
    this.#plan = plan
    this.#shard = shard
    this.#first = shard * partsEach
    this.#last = Math.min(plan.parts, this.#first + partsEach)
    this.#wanted = Math.min(plan.rows, this.#last * plan.rowsPerPart) - this.#first * plan.rowsPerPart
  }

  /** Gives the number of rows that were replaced. */
  async make(): Promise<number> {
    const { job, makeCollection } = this.#parts
    const collection = await makeCollection(this.#shard, { job })
    try {
      const before = this.#known(collection)
      const rounds = this.#plans.length
      if (before?.isWhole && before.rounds === rounds) {
        this.#tell(this.#wanted)
        return 0
      }
      // What is added rests on all rounds that there are now: a later call brings in those that come behind them.
      const { unique } = job.settings
      const parts = [this.#first, this.#last] as const
      const origin = before ?? { id: job.id, plan: this.#plan.id, parts, rounds, isWhole: false, unique }
      if (before === null) await collection.setOrigin(origin)
      if (!origin.isWhole) await this.#add(collection)
      const replaced = await this.#replace(collection, origin.rounds)
      await this.#prove(collection)
      await collection.finish()
      await collection.setOrigin({ ...origin, rounds, isWhole: true })
      return replaced
    } finally {
      await collection.close()
    }
  }

  /** Refuses what is another's, and what others have changed. */
  #known({ origin, rows, label }: MadeCollection): Origin | null {
    const { job } = this.#parts
    const refuse = (why: string) => new JobError('damaged', `${label} ${why}. Name another folder.`)
    if (origin === null) {
      if (rows === 0) return null
      throw refuse(`has ${rows} rows, and was not made of this job`)
    }
    if (origin.id !== job.id || origin.plan !== this.#plan.id) throw refuse('was made of another job')
    const [from, to] = origin.parts
    if (from !== this.#first || to !== this.#last)
      throw new JobError(
        'damaged',
        `${label} has parts ${from} to ${to - 1} of the job, not ${this.#first} to ${this.#last - 1}: it was made with other --rows-per-collection. Give the same number, or name another folder.`,
      )
    const isDue = origin.rounds < this.#plans.length
    if (rows > this.#wanted || (origin.isWhole && isDue && rows !== this.#wanted))
      throw refuse(
        `has ${rows} rows where the job has ${this.#wanted}: rows were added or removed since it was made, and what a retry has changed is not brought into it`,
      )
    return origin
  }

  async #add(collection: MadeCollection): Promise<void> {
    const { signal } = this.#parts
    const { rowsPerPart } = this.#plan
    // Whole parts that it has are not read again.
    const from = this.#first + Math.floor(collection.rows / rowsPerPart)
    let skip = collection.rows % rowsPerPart
    let count = collection.rows
    let block: ResultRow[] = []
    const flush = async () => {
      await collection.add(block)
      count += block.length
      block = []
      this.#tell(count)
    }
    for await (const { rows } of resultParts(this.#result, { from, to: this.#last, signal })) {
      for (const row of rows) {
        if (skip > 0) skip--
        else if (block.push(row) === BLOCK_ROWS) await flush()
      }
    }
    if (block.length > 0) await flush()
    if (count !== this.#wanted)
      throw new Error(`the collection ${this.#shard} has ${count} rows, not ${this.#wanted}`)
  }

  /** A row is replaced by the same row however often this is interrupted; of several rounds the last one stays. */
  async #replace(collection: MadeCollection, rounds: number): Promise<number> {
    const within = { from: this.#first, to: this.#last, signal: this.#parts.signal }
    let count = 0
    let block: ResultRow[] = []
    const flush = async () => {
      const [missing] = await collection.replace(block)
      if (missing !== undefined)
        throw new JobError(
          'damaged',
          `${collection.label} has no row ${missing.id}, which a retry has changed: it was removed. Name another folder.`,
        )
      count += block.length
      block = []
    }
    for (const plan of this.#plans.slice(rounds))
      for await (const row of retriedRows(this.#result, plan, within))
        if (block.push(row) === BLOCK_ROWS) await flush()
    if (block.length > 0) await flush()
    return count
  }

  /** Adds up the rows that the collection has, as those of parts are: nothing is missing, double or another's. */
  async #prove(collection: MadeCollection): Promise<void> {
    const { storage, hash, signal } = this.#parts
    const [found, expected] = [new RowSum(), new RowSum()]
    let rows = 0
    for await (const ids of collection.ids()) {
      signal?.throwIfAborted()
      for (const id of ids) found.add(hash(id))
      rows += ids.length
    }
    const reader = new PlanReader(storage, this.#plan, hash)
    for (let part = this.#first; part < this.#last; part++)
      expected.addSum((await reader.part(part, signal)).rowSum)
    if (rows === this.#wanted && found.toString() === expected.toString()) return
    throw new JobError(
      'damaged',
      `${collection.label} has ${rows} rows with the sum ${found.toString()}, expected ${this.#wanted} with ${expected.toString()}: something else has written to it. Name another folder.`,
    )
  }

  get #result(): JobResult {
    const { storage, job, hash } = this.#parts
    return { storage, job, plans: this.#plans, hash }
  }

  #tell(rows: number): void {
    this.#parts.onProgress?.(this.#first * this.#plan.rowsPerPart + rows, this.#plan.rows)
  }
}
