/** Estimates how long an engine takes for a plan, before any weight is read. */
import type { Engine } from '../engine/engine.js'
import type { Plan } from '../engine/plan.js'

/** Is wide enough that a product works as those of a network do, and narrow enough to be made at once. */
const WIDTH = 384
const FEWEST_ROWS = 64
const MOST_ROWS = 8192
/** A run of this length is no longer mostly the handing over. */
const LONG_ENOUGH_SECONDS = 0.02

/**
 * Measures how many floating-point operations of a matrix product the engine does in a second on this machine, in a few tens of milliseconds; a network comes to
 * somewhat less, as its attention and norms do. Throws `EngineError` as a load does.
 */
export async function measureRate(engine: Engine, signal?: AbortSignal): Promise<number> {
  for (let rows = FEWEST_ROWS; ; rows *= 4) {
    const seconds = await timeProduct(engine, rows, signal)
    if (seconds >= LONG_ENOUGH_SECONDS || rows >= MOST_ROWS) return (2 * rows * WIDTH * 4 * WIDTH) / seconds
  }
}

async function timeProduct(engine: Engine, rows: number, signal: AbortSignal | undefined): Promise<number> {
  const plan: Plan = {
    slots: new Map([
      ['rows', [rows, WIDTH]],
      ['products', [rows, 4 * WIDTH]],
    ]),
    steps: [{ op: 'linear', input: 'rows', output: 'products', weight: 'matrix', bias: null }],
    input: 'rows',
    weights: new Map([['matrix', [4 * WIDTH, WIDTH]]]),
    constants: new Map(),
  }
  const options = signal === undefined ? {} : { signal }
  const values = (length: number) => Float32Array.from({ length }, (_, at) => ((at * 37) % 101) / 101 - 0.5)
  using model = await engine.load(plan, { read: async () => values(4 * WIDTH * WIDTH) }, options)
  using program = model.compile(plan, ['products'])
  const pixels = values(rows * WIDTH)
  let quickest = Number.POSITIVE_INFINITY
  // The first run waits for threads, shaders and memory.
  for (let run = 0; run < 3; run++) {
    const started = performance.now()
    await program.run(pixels, { batch: 1, ...options })
    quickest = Math.min(quickest, (performance.now() - started) / 1000)
  }
  return quickest
}
