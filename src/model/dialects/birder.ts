/** Birder's own files, `.pt` and `.safetensors`: the canonical names are theirs, so little is renamed. */
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'
import { specialTokens } from '../vit-config.js'
import { readBirderConfig } from './birder-config.js'
import { type Dialect, type StoredWeight, stored, tokenWithPositions } from './dialect.js'

export const birder: Dialect = {
  name: 'birder',
  recognises: (tensors) =>
    tensors.has('encoder.block.0.attn.qkv.weight') || tensors.has('encoder.block.0.norm1.weight'),
  readConfig: readBirderConfig,
  source,
  // Rows of the special tokens come first: registers, then class token.
  positions: (config) =>
    config.positions === null
      ? null
      : { tensor: 'pos_embedding', special: config.positions.specialRows ? specialTokens(config) : 0 },
  ignores: (tensor) => tensor.endsWith('.num_batches_tracked'),
}

function gridCells({ positions }: VitConfig): number {
  return positions === null ? 0 : positions.rows * positions.columns
}

function source(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  if (weight === 'class_token' || weight === 'reg_tokens') return tokenSource(weight, shape, config)
  if (weight === 'conv_proj.weight')
    return stored(weight, [shape[0], config.channels, config.patchSize, config.patchSize])
  if (weight.startsWith('conv_proj.') && config.stem.kind === 'hmlp')
    return stemSource(weight, shape, config.stem.norm)
  if (weight === 'attn_pool.latent') return stored(weight, [1, ...shape])
  if (weight.endsWith('.mlp.slots')) return slotSource(weight, shape, config)
  return stored(weight, shape)
}

function tokenSource(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  const token = { tensor: weight, shape: [1, ...shape] }
  if (config.positions === null || !config.positions.specialRows) return { parts: [token] }
  const table = {
    tensor: 'pos_embedding',
    shape: [1, specialTokens(config) + gridCells(config), config.width],
  }
  return tokenWithPositions(token, table, weight === 'class_token' ? config.registers : 0)
}

/** Kernel = stride of the stem's convolutions, by module number. */
const STEM_KERNELS: Readonly<Record<string, number>> = { '0': 4, '3': 2, '6': 2 }
const BATCH_NORM_EPSILON = 1e-5

function stemSource(weight: string, shape: Shape, norm: 'layerNorm' | 'batchNorm'): StoredWeight {
  const [, index, kind] = weight.split('.')
  const kernel = STEM_KERNELS[index]
  if (kernel === undefined) return stored(weight, shape)
  const own = kind === 'weight' ? [shape[0], shape[1] / kernel ** 2, kernel, kernel] : shape
  if (norm === 'layerNorm') return stored(weight, own)
  const after = `conv_proj.${Number(index) + 1}`
  const vector = (name: string) => ({ tensor: `${after}.${name}`, shape: [shape[0]] })
  const parts = [
    { tensor: weight, shape: own },
    vector('weight'),
    vector('running_var'),
    vector('bias'),
    vector('running_mean'),
  ]
  return { parts, combine: kind === 'weight' ? foldedWeight : foldedBias }
}

function foldedWeight([weight, gain, variance]: readonly Float32Array[]): Float32Array {
  const perChannel = weight.length / gain.length
  return weight.map((value, i) => {
    const c = Math.floor(i / perChannel)
    return (value * gain[c]) / Math.sqrt(variance[c] + BATCH_NORM_EPSILON)
  })
}

function foldedBias([bias, gain, variance, shift, mean]: readonly Float32Array[]): Float32Array {
  return bias.map(
    (value, c) => ((value - mean[c]) * gain[c]) / Math.sqrt(variance[c] + BATCH_NORM_EPSILON) + shift[c],
  )
}

/** Slot embeddings are normalised before use, whatever the image: done once, here. */
function slotSource(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  const name = weight.slice(0, -'.slots'.length)
  const experts = config.experts?.count ?? 1
  const [slots, width] = shape
  return {
    parts: [
      { tensor: `${name}.slot_embeds`, shape: [experts, slots / experts, width] },
      { tensor: `${name}.slot_norm.weight`, shape: [width] },
    ],
    combine: ([values, gain]) => {
      const out = new Float32Array(values.length)
      for (let row = 0; row < values.length; row += width) {
        let square = 0
        for (let c = 0; c < width; c++) square += values[row + c] ** 2
        const scale = 1 / Math.sqrt(square / width + config.epsilon)
        for (let c = 0; c < width; c++) out[row + c] = values[row + c] * scale * gain[c]
      }
      return out
    },
  }
}
