/**
 * Proves that each row of a job is in its result exactly once. The plan says which rows there are: how many in each part, and the sum of their ids' hashes. Each part is
 * asked for by its name, and must say the same of itself; nothing is listed, sorted or remembered. `deep` reads all rows too, and does not believe what parts say.
 */
import { atOnce } from '../at-once.js'
import type { Storage } from '../storage/storage.js'
import { RowSum } from '../work/row-sum.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import { partKey } from './keys.js'
import { type OpenPart, openPartOrNull } from './part-file.js'
import { failuresOf, type ResultRow } from './part-rows.js'
import { type Plan, type PlannedPart, PlanReader } from './plan.js'
import { readPlans } from './rounds.js'
import type { RowHash } from './row.js'
import { addCounts, countOf, takeCounts } from './state.js'

export interface ProveParts {
  readonly job: Job
  readonly storage: Storage
  readonly hash: RowHash
  /** Reads all rows; default `false`: what parts say of themselves is compared. */
  readonly deep?: boolean
  /** Is told how many parts have been looked at, of how many. */
  readonly onProgress?: ((parts: number, of: number) => void) | undefined
  /** Is told each thing that is not as it must be. */
  readonly onProblem?: ((problem: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Says what was found. */
export interface Proof {
  /** Says that each row is there exactly once. */
  readonly proven: boolean
  /** Counts the source's rows. */
  readonly rows: number
  /** Counts those that were found in parts that are as they must be. */
  readonly found: number
  /** Counts the parts of all rounds. */
  readonly parts: number
  /** Counts the rows that have no embedding, after all retries, by their code; what is missing is in none. */
  readonly failed: Readonly<Record<string, number>>
  /** Names parts that are missing, as `round 0 part 17`, a thousand at most. */
  readonly missing: readonly string[]
  /** Counts what is not as it must be, missing parts included. */
  readonly problems: number
}

const AT_ONCE = 32
const MOST_NAMED = 1000

/** Throws `JobError` `not-found`, and `damaged` for a plan that is not as it was written; what the storage throws. */
export async function proveResult(parts: ProveParts): Promise<Proof> {
  const { storage, hash, signal } = parts
  const plans = await readPlans(storage, hash, { signal })
  const prover = new Prover(parts, plans)
  for (const plan of plans) await prover.round(plan)
  return prover.proof()
}

class Prover {
  readonly #parts: ProveParts
  readonly #plans: readonly Plan[]
  #failed: Readonly<Record<string, number>> = {}
  readonly #missing: string[] = []
  #problems = 0
  #found = 0
  #looked = 0

  constructor(parts: ProveParts, plans: readonly Plan[]) {
    this.#parts = parts
    this.#plans = plans
  }

  async round(plan: Plan): Promise<void> {
    const { storage, hash, signal } = this.#parts
    const reader = new PlanReader(storage, plan, hash)
    const sum = new RowSum()
    let rows = 0
    for (let from = 0; from < plan.parts; from += plan.partsPerSegment) {
      const count = Math.min(plan.partsPerSegment, plan.parts - from)
      // One segment is asked for once, before its parts are.
      await reader.part(from, signal)
      const numbers = Array.from({ length: count }, (_, at) => from + at)
      const planned = await atOnce(numbers, this.#parts.deep === true ? 2 : AT_ONCE, async (part) => {
        const found = await reader.part(part, signal)
        await this.#part(plan, part, found)
        return found
      })
      for (const part of planned) {
        rows += part.rows
        sum.addSum(part.rowSum)
      }
    }
    this.#failed = takeCounts(this.#failed, plan.replaces)
    if (rows !== plan.rows || sum.toString() !== plan.rowSum)
      throw new JobError(
        'damaged',
        `The plan of round ${plan.round} in ${storage.label} does not hold the rows that it says.`,
      )
  }

  proof(): Proof {
    const [first] = this.#plans
    const all = this.#plans.reduce((sum, { rows }) => sum + rows, 0)
    const failed = Object.fromEntries(Object.entries(this.#failed).filter(([, count]) => count !== 0))
    return {
      proven: this.#problems === 0 && this.#found === all,
      rows: first?.rows ?? 0,
      // What a retry replaces was counted in the first round already.
      found: this.#found - (all - (first?.rows ?? 0)),
      parts: this.#plans.reduce((sum, { parts }) => sum + parts, 0),
      failed,
      missing: this.#missing,
      problems: this.#problems,
    }
  }

  async #part(plan: Plan, part: number, planned: PlannedPart): Promise<void> {
    const { job, storage, signal, onProgress } = this.#parts
    signal?.throwIfAborted()
    const key = partKey(plan.round, part, job.identity.digest)
    const name = `round ${plan.round} part ${part}`
    try {
      const open = await openPartOrNull(storage, key, { signal })
      if (open === null) {
        if (this.#missing.length < MOST_NAMED) this.#missing.push(name)
        this.#problem(`${name} is missing (${key})`)
      } else await this.#compare(open, plan, part, planned, name)
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      this.#problem(`${name}: ${error.message}`)
    }
    const all = this.#plans.reduce((sum, { parts }) => sum + parts, 0)
    onProgress?.(++this.#looked, all)
  }

  async #compare(
    open: OpenPart,
    plan: Plan,
    part: number,
    planned: PlannedPart,
    name: string,
  ): Promise<void> {
    const { job, deep = false } = this.#parts
    const { footer } = open
    const wanted = { job: job.id, plan: plan.id, round: plan.round, part, identity: job.identity.digest }
    const other = (['job', 'plan', 'round', 'part', 'identity'] as const).find(
      (key) => footer[key] !== wanted[key],
    )
    if (other !== undefined)
      return this.#problem(`${name} is of another ${other}: ${footer[other]}, expected ${wanted[other]}`)
    if (footer.rows !== planned.rows || footer.rowSum !== planned.rowSum)
      return this.#problem(
        `${name} has ${footer.rows} rows with the sum ${footer.rowSum}, expected ${planned.rows} with ${planned.rowSum}`,
      )
    const problem = deep ? await this.#readAll(open) : null
    if (problem !== null) return this.#problem(`${name} ${problem}`)
    this.#found += footer.rows
    this.#failed = addCounts(this.#failed, footer.failed)
  }

  /** Says what of a part's rows is not as the part says. */
  async #readAll({ footer, blocks }: OpenPart): Promise<string | null> {
    const sum = new RowSum()
    let failed: Readonly<Record<string, number>> = {}
    let rows = 0
    for await (const block of blocks()) {
      this.#parts.signal?.throwIfAborted()
      for (const row of block) {
        sum.add(this.#parts.hash(row.id))
        const problem = problemOf(row, this.#parts.job.width)
        if (problem !== null) return `has ${row.id}, which ${problem}`
      }
      rows += block.length
      failed = addCounts(failed, failuresOf(block))
    }
    if (rows !== footer.rows || sum.toString() !== footer.rowSum)
      return `holds ${rows} rows with the sum ${sum.toString()}, and says ${footer.rows} with ${footer.rowSum}`
    return countOf(failed) === countOf(footer.failed) ? null : 'has other failed rows than it says'
  }

  #problem(problem: string): void {
    this.#problems++
    this.#parts.onProblem?.(problem)
  }
}

function problemOf({ state, embedding, code }: ResultRow, width: number): string | null {
  if (state === 'failed') return code === null ? 'failed without a code' : null
  return embedding?.length === width ? null : `has no embedding of ${width} numbers`
}
