/** Files that lie: each must be refused with a named error, loaded, or have its bad weight reported. No numbers are compared. */
import { join } from 'node:path'
import { CheckpointError } from '../../../checkpoint/checkpoint-error.js'
import { Network } from '../../../encoder/network.js'
import { EngineError } from '../../../engine/engine-error.js'
import type { Comparison, GoldenCase } from '../../../verify/case.js'
import { openVit } from '../open-vit.js'
import type { FolderContext } from './folder-context.js'

/** `reported`: it loaded, ran, and the weight at fault was named. */
type Outcome = 'loaded' | 'refused' | 'reported'

const ALLOWED: Readonly<Record<string, readonly Outcome[]>> = {
  load: ['loaded'],
  refuse: ['refused'],
  'refuse or load': ['refused', 'loaded'],
  report: ['reported'],
}

export async function* runMalformedCase(
  golden: GoldenCase,
  context: FolderContext,
): AsyncGenerator<Comparison, void, undefined> {
  const expect = String(golden.expect)
  const { outcome, message } = await tryFile(golden, context)
  const passed = ALLOWED[expect]?.includes(outcome) ?? false
  yield {
    id: golden.id,
    kind: golden.kind,
    tensor: expect,
    error: passed ? 0 : Number.POSITIVE_INFINITY,
    tolerance: 0,
    passed,
    note: message === '' ? outcome : `${outcome}: ${message}`,
  }
}

async function tryFile(
  golden: GoldenCase,
  { root, engine, signal }: FolderContext,
): Promise<{ outcome: Outcome; message: string }> {
  const { path } = golden.file as { path: string }
  const options = signal === undefined ? {} : { signal }
  try {
    await using open = await openVit(join(root, path), { network: golden.network ?? '', ...options })
    using network = await Network.load(open.vit, engine, options)
    const { config } = open.vit
    const grid = network.gridOf(config.size)
    const { slots } = network.planFor(grid)
    const pixels = new Float32Array(config.channels * config.size[0] * config.size[1]).fill(0.5)
    const values = await network.run(pixels, { grid, outputs: [slots.embedding], ...options })
    await network.assertFinite(values.get(slots.embedding) ?? new Float32Array())
    return { outcome: 'loaded', message: '' }
  } catch (error) {
    if (error instanceof CheckpointError) return { outcome: 'refused', message: error.message }
    if (error instanceof EngineError && error.code === 'non-finite')
      return { outcome: 'reported', message: error.message }
    throw error
  }
}
