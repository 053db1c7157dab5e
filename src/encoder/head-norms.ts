/** Normalises the queries and keys of single heads outside an engine, which does it within its attention and hands out what was projected. */
import { EngineError } from '../engine/engine-error.js'
import { layerNorm } from '../kernels/layer-norm.js'
import { rmsNorm } from '../kernels/rms-norm.js'
import type { VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'

/** Holds factors and summands of the columns of a head, [D / H]; there are no summands where the norm is RMS. */
export interface HeadNorm {
  /** Scales each column. */
  readonly weight: Float32Array
  /** Is added to each column; null for RMS norms. */
  readonly bias: Float32Array | null
}

/** Holds the norms of a block's queries and keys. */
export interface HeadNormsOfBlock {
  /** Is that of queries. */
  readonly q: HeadNorm
  /** Is that of keys. */
  readonly k: HeadNorm
}

/** Leads from a block's number to its norms; it is empty for a network without. */
export type HeadNorms = ReadonlyMap<number, HeadNormsOfBlock>

/** Reads them while the file is open: they are a few numbers for each block. */
export async function readHeadNorms({
  config,
  weights,
}: Pick<VitModel, 'config' | 'weights'>): Promise<HeadNorms> {
  if (!config.queryKeyNorm || config.branches > 1) return new Map()
  const shape = [config.width / config.heads]
  const read = async (block: number, part: 'q' | 'k'): Promise<HeadNorm> => {
    const name = `encoder.block.${block}.attn.${part}_norm`
    const bias = config.norm === 'layerNorm' ? await weights.read(`${name}.bias`, shape) : null
    return { weight: await weights.read(`${name}.weight`, shape), bias }
  }
  const blocks = Array.from({ length: config.depth }, async (_, block) => {
    const [q, k] = await Promise.all([read(block, 'q'), read(block, 'k')])
    return [block, { q, k }] as const
  })
  return new Map(await Promise.all(blocks))
}

export function headNormsOf(norms: HeadNorms, block: number): HeadNormsOfBlock {
  const found = norms.get(block)
  if (found !== undefined) return found
  throw new EngineError(
    'unsupported',
    'This network has no norms on queries and keys, so that there are none behind one. Leave normed out: q and k are then as they were projected.',
  )
}

/** Normalises rows of which each is the heads of a token side by side, [T, D]. */
export function normaliseHeads(
  rows: Float32Array,
  norm: HeadNorm,
  config: Pick<VitConfig, 'norm' | 'epsilon'>,
): Float32Array {
  const out = new Float32Array(rows.length)
  if (config.norm === 'rmsNorm') rmsNorm(rows, norm.weight, config.epsilon, out)
  else layerNorm(rows, norm.weight, norm.bias, config.epsilon, out)
  return out
}
