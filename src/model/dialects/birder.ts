/** Birder's own files, `.pt` and `.safetensors`, have the canonical names already, so little is renamed. */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import { foldIntoBias, foldIntoWeight } from '../../kernels/fold-batch-norm.js'
import { resizeKernels } from '../../kernels/resize-kernels.js'
import { rmsNorm } from '../../kernels/rms-norm.js'
import { elementCount, type Shape, sizeAt } from '../../tensor/shape.js'
import { isRouted } from '../plan-experts.js'
import { KERNEL_OFFSETS } from '../plan-neck.js'
import { specialTokens, type VitConfig } from '../vit-config.js'
import { offsetGrid, offsetName } from '../windows.js'
import { branchTensorOrNull, samTensor } from './birder-classes.js'
import { birderAssumptions, readBirderConfig } from './birder-config.js'
import { isBirderFile } from './birder-entries.js'
import { BIRDER_ENTRIES } from './birder-fields.js'
import type { Dialect } from './dialect.js'
import { type StoredWeight, scaledBy, stored, tokenWithPositions } from './stored-weight.js'

export const birder: Dialect = {
  name: 'birder',
  recognises: (tensors) =>
    tensors.has('body.0.attn.rel_pos_h') ||
    ['attn.qkv.weight', 'norm1.weight', 'attn_blocks.0.0.weight'].some((part) =>
      tensors.has(`encoder.block.0.${part}`),
    ),
  readConfig: readBirderConfig,
  entries: ({ metadata }) => (isBirderFile(metadata) ? BIRDER_ENTRIES : null),
  assumptions: birderAssumptions,
  source,
  // Rows of the special tokens come first: registers, then the class token.
  positions: (config) =>
    config.positions === null
      ? null
      : {
          tensor: 'pos_embedding',
          special: config.positions.specialRows ? specialTokens(config) : 0,
          // What is not learnt is kept as a buffer, which has no axis for a batch.
          isFlat: config.positions.sines !== undefined,
          isGrid: config.windows?.offsets != null,
        },
  tables,
  leftOver: (tensor) => (tensor.endsWith('.num_batches_tracked') ? 'training' : null),
}

function source(
  weight: string,
  shape: Shape,
  config: VitConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
): StoredWeight {
  if (weight === 'class_token' || weight === 'reg_tokens') return tokenSource(weight, shape, config)
  if (config.windows?.offsets != null) return samSource(weight, shape, config)
  if (weight === 'conv_proj.weight') return kernelSource(weight, shape, config)
  if (weight.startsWith('classifier.') && config.classifier?.kind === 'distilled')
    return halfSource(weight, shape)
  if (config.branches > 1 || tensors.has(BRANCHES)) {
    const branch = branchTensorOrNull(weight)
    if (branch !== null) return stored(branch, shape)
  }
  if (weight.startsWith('conv_proj.') && config.stem.kind === 'hmlp')
    return stemSource(weight, shape, config.stem.norm)
  if (weight === 'attn_pool.latent') return stored(weight, [1, ...shape])
  const { experts, epsilon } = config
  if (experts === null) return stored(weight, shape)
  if (!isRouted(experts))
    return weight.endsWith('.mlp.slots')
      ? slotSource(weight, shape, experts.count, epsilon)
      : stored(weight, shape)
  return experts.routing.kind === 'byExperts'
    ? groupedSource(weight, shape, experts.count)
    : stored(weight, shape)
}

/** Experts that choose their tokens have as many each, so that Birder keeps each of their layers as one tensor. */
function groupedSource(weight: string, shape: Shape, experts: number): StoredWeight {
  const [, start, expert, layer] = /^(.+\.routed_experts)\.(\d+)\.(.+)$/.exec(weight) ?? []
  if (expert === undefined) return stored(weight, shape)
  const first = Number(expert) * elementCount(shape)
  return {
    parts: [{ tensor: `${start}.${layer}`, shape: [experts, ...shape] }],
    start: first,
    combine: (all: Float32Array) => all.slice(first, first + elementCount(shape)),
  }
}

/** Tells that blocks have branches side by side, each under a name of its own. */
const BRANCHES = 'encoder.block.0.attn_blocks.0.0.weight'

function kernelSource(weight: string, shape: Shape, { channels, patchSize, stem }: VitConfig): StoredWeight {
  const side = (stem.kind === 'patchify' ? stem.kernel : undefined) ?? patchSize
  const kernel = stored(weight, [sizeAt(shape, 0), channels, side, side])
  if (side === patchSize) return kernel
  return { parts: kernel.parts, combine: (values: Float32Array) => resizeKernels(values, side, patchSize) }
}

/** Both convolutions of the neck are kernels; the wider one is taken apart into a matrix for each of its nine places. */
function samSource(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  if (weight === 'conv_proj.weight') {
    const { parts, combine } = kernelSource(weight, shape, config)
    return { parts: parts.map((part) => ({ ...part, tensor: samTensor(part.tensor) })), combine, start: 0 }
  }
  if (weight === 'neck.0.weight') return stored(weight, [...shape, 1, 1])
  const [, place] = /^neck\.2\.(\d)\.weight$/.exec(weight) ?? []
  if (place === undefined) return stored(samTensor(weight), shape)
  const places = KERNEL_OFFSETS.length
  return {
    parts: [{ tensor: 'neck.2.weight', shape: [...shape, 3, 3] }],
    combine: (kernel: Float32Array) =>
      Float32Array.from(
        { length: kernel.length / places },
        (_, at) => kernel[at * places + Number(place)] ?? Number.NaN,
      ),
  }
}

/** Says where the learnt rows for offsets are. */
function tables(config: VitConfig): ReadonlyMap<string, StoredWeight> {
  const { windows, width, heads, depth } = config
  const found = new Map<string, StoredWeight>()
  if (windows === null || windows.offsets === null) return found
  for (let block = 0; block < depth; block++) {
    const grid = offsetGrid(windows, block, windows.offsets)
    for (const axis of ['rows', 'columns'] as const) {
      const name = offsetName(block, axis)
      found.set(name, stored(samTensor(name), [2 * grid[axis] - 1, width / heads]))
    }
  }
  return found
}

/** The two matrices of a DeiT are halved, so that the sum of both scores is their mean. */
function halfSource(weight: string, shape: Shape): StoredWeight {
  const [, head, part] = /^classifier\.(class|distillation)\.(\w+)$/.exec(weight) ?? []
  return scaledBy(0.5, `${head === 'class' ? '' : 'dist_'}classifier.${part}`, shape)
}

function tokenSource(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  const { positions, width, registers, classFirst } = config
  // The one register of a network whose class token leads is DeiT's distillation token.
  const token = {
    tensor: classFirst && weight === 'reg_tokens' ? 'dist_token' : weight,
    shape: [1, ...shape],
  }
  if (positions === null || !positions.specialRows) return stored(token.tensor, token.shape)
  const rows = specialTokens(config) + positions.rows * positions.columns
  const table = { tensor: 'pos_embedding', shape: [1, rows, width] }
  return tokenWithPositions(
    token,
    table,
    (weight === 'class_token') === classFirst ? 0 : classFirst ? 1 : registers,
  )
}

/** Each convolution of the stem has kernel = stride, and a norm behind it. */
const STEM_LAYERS: ReadonlyMap<string, { readonly kernel: number; readonly norm: string }> = new Map([
  ['conv_proj.0', { kernel: 4, norm: 'conv_proj.1' }],
  ['conv_proj.3', { kernel: 2, norm: 'conv_proj.4' }],
  ['conv_proj.6', { kernel: 2, norm: 'conv_proj.7' }],
])
const BATCH_NORM_EPSILON = 1e-5

function stemSource(weight: string, shape: Shape, norm: 'layerNorm' | 'batchNorm'): StoredWeight {
  const dot = weight.lastIndexOf('.')
  const isWeight = weight.slice(dot) === '.weight'
  const layer = STEM_LAYERS.get(weight.slice(0, dot))
  if (layer === undefined) return stored(weight, shape)
  const { kernel } = layer
  const channels = sizeAt(shape, 0)
  const own = isWeight ? [channels, sizeAt(shape, 1) / kernel ** 2, kernel, kernel] : shape
  if (norm === 'layerNorm') return stored(weight, own)
  const vector = (name: string) => ({ tensor: `${layer.norm}.${name}`, shape: [channels] })
  return {
    parts: [
      { tensor: weight, shape: own },
      vector('weight'),
      vector('running_var'),
      vector('bias'),
      vector('running_mean'),
    ],
    combine: (
      values: Float32Array,
      gain: Float32Array,
      variance: Float32Array,
      shift: Float32Array,
      mean: Float32Array,
    ) => {
      const fold = isWeight ? foldIntoWeight : foldIntoBias
      return fold(values, { gain, variance, shift, mean, epsilon: BATCH_NORM_EPSILON })
    },
  }
}

/** Slot embeddings are normalised before use, whatever the image, so it is done once, here. */
function slotSource(weight: string, shape: Shape, experts: number, epsilon: number): StoredWeight {
  const name = weight.slice(0, -'.slots'.length)
  const width = sizeAt(shape, 1)
  return {
    parts: [
      { tensor: `${name}.slot_embeds`, shape: [experts, sizeAt(shape, 0) / experts, width] },
      { tensor: `${name}.slot_norm.weight`, shape: [width] },
    ],
    combine: (values: Float32Array, gain: Float32Array) => {
      const out = new Float32Array(values.length)
      rmsNorm(values, gain, epsilon, out)
      return out
    },
  }
}
