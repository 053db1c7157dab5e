/** Estimates how long an engine takes for a network, before any weight is read. */
import { countFlop } from '../engine/count-flop.js'
import type { Engine } from '../engine/engine.js'
import { inputLength } from '../engine/plan-lookup.js'
import { planVit } from '../model/plan-vit.js'
import type { PatchGrid } from '../model/positions.js'
import type { VitConfig } from '../model/vit-config.js'
import { elementCount } from '../tensor/shape.js'

/** A block of so many patches works at the rate of a larger one, and takes a fraction of a second. */
const LARGEST_SIDE = 37
const RUNS = 3

/**
 * Measures how many floating-point operations the engine does in a second on this machine in one block of such a network, whose weights are made up. It takes as long as a
 * few blocks of an image of at most 37 x 37 patches. Throws `EngineError` as a load does.
 */
export async function measureRate(
  engine: Engine,
  config: VitConfig,
  grid: PatchGrid,
  signal?: AbortSignal,
): Promise<number> {
  const within = { rows: Math.min(grid.rows, LARGEST_SIDE), columns: Math.min(grid.columns, LARGEST_SIDE) }
  const { plan, slots } = planVit({ ...config, depth: 1, head: null, taps: null }, within, null)
  const [block] = slots.blocks
  if (block === undefined) throw new Error('A network of one block has none.')
  const options = signal === undefined ? {} : { signal }
  const made = (length: number) => Float32Array.from({ length }, (_, at) => ((at * 37) % 101) / 2020 - 0.025)
  using model = await engine.load(plan, { read: async (_, shape) => made(elementCount(shape)) }, options)
  using program = model.compile(plan, [block])
  const pixels = made(inputLength(plan))
  let quickest = Number.POSITIVE_INFINITY
  // The first run waits for threads, shaders and memory, and whatever else the machine does can only make one slower.
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now()
    await program.run(pixels, { batch: 1, ...options })
    quickest = Math.min(quickest, (performance.now() - started) / 1000)
  }
  return countFlop(plan, [block]) / quickest
}
