/** Measures what this processor can multiply and add at most, so that a speed can be told as a share of it. */
import type { Precision } from '../../../engine/engine.js'
import type { InstructionSet } from '../../../engine/native/addon.js'
import { PRECISIONS } from '../../../engine/ops.js'
import { nativePrecisions } from '../native/index.js'
import { loadAddon } from '../native/load-addon.js'

/** A turn takes a tenth of a second. Threads count their own time, so that other work on the machine slows none of them much. */
const TURNS = 5

/**
 * Counts the floating-point operations a second of products in this precision, all operands in registers, each thread having a processor to itself.
 * Gives null where it cannot be measured: without the native engine, and for precisions that it lacks. `high` counts a product once that takes three.
 *
 * @param options say on how many threads, default all that this process may use, and on which path, default the fastest of this processor
 */
export async function measurePeak(
  precision: Precision,
  { threads, instructionSet }: { threads?: number; instructionSet?: InstructionSet } = {},
): Promise<number | null> {
  const own = nativePrecisions(instructionSet).find((name) => name === precision)
  if (own === undefined) return null
  const addon = loadAddon()
  const { instructionSets, cores } = addon.info()
  const chosen = instructionSet ?? instructionSets[0]?.name
  if (chosen === undefined) return null
  const engine = addon.createEngine(chosen, threads ?? cores)
  try {
    let best = 0
    for (let turn = 0; turn < TURNS; turn++) {
      const gigaflops = await new Promise<number>((resolve) =>
        addon.measurePeak(engine, PRECISIONS.indexOf(own), [(_status, value) => resolve(value)]),
      )
      best = Math.max(best, gigaflops)
    }
    return best * 1e9
  } finally {
    await new Promise<void>((resolve) => addon.releaseEngine(engine, [() => resolve()]))
  }
}
