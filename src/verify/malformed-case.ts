/** Loads files that lie: each must be refused with a named error, loaded, or have its bad weight reported. No numbers are compared. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { Network } from '../encoder/network.js'
import { EngineError } from '../engine/engine-error.js'
import { type Comparison, type GoldenCase, type GoldenContext, type GoldenFile, required } from './case.js'
import { comparison } from './judge.js'

/** `reported` means that it loaded and ran, and that the weight at fault was named. */
type Outcome = 'loaded' | 'refused' | 'reported'

interface MalformedCase extends GoldenCase {
  readonly expect?: string
  readonly file?: GoldenFile
}

const ALLOWED: ReadonlyMap<string, readonly Outcome[]> = new Map([
  ['load', ['loaded']],
  ['refuse', ['refused']],
  ['refuse or load', ['refused', 'loaded']],
  ['report', ['reported']],
])

export async function* runMalformedCase(
  golden: MalformedCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const expect = required(golden.expect, 'expect', golden)
  const allowed = required(ALLOWED.get(expect), `outcome that is known here (it has ${expect})`, golden)
  const { outcome, message } = await tryFile(golden, context)
  const error = allowed.includes(outcome) ? 0 : Number.POSITIVE_INFINITY
  yield comparison(golden, expect, error, 0, message === '' ? outcome : `${outcome}: ${message}`)
}

async function tryFile(
  golden: MalformedCase,
  { openModel, engine, signal }: GoldenContext,
): Promise<{ outcome: Outcome; message: string }> {
  const { path } = required(golden.file, 'file', golden)
  const network = required(golden.network, 'network', golden)
  const options = signal === undefined ? {} : { signal }
  try {
    await using open = await openModel(path, { network, ...options })
    using loaded = await Network.load(open.vit, engine, options)
    const { channels, size } = open.vit.config
    const grid = loaded.gridOf(size)
    const { embedding } = loaded.planFor(grid).slots
    const pixels = new Float32Array(channels * size[0] * size[1]).fill(0.5)
    const values = await loaded.run(pixels, { grid, outputs: [embedding], ...options })
    await loaded.assertFinite(required(values.get(embedding), `activation ${embedding}`, golden))
    return { outcome: 'loaded', message: '' }
  } catch (error) {
    if (error instanceof CheckpointError) return { outcome: 'refused', message: error.message }
    if (error instanceof EngineError && error.code === 'non-finite')
      return { outcome: 'reported', message: error.message }
    throw error
  }
}
