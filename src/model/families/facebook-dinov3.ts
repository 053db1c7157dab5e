/** Reads DINOv3 (Siméoni et al. 2025) in Meta's own files, which keep the periods of its rotary positions and a mask that takes the bias of keys away. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { configFileOf } from '../dialects/config-file.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { sizeOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import { META_MODULES, META_PARTS, metaLeftOver } from '../dialects/meta-names.js'
import { type StoredPart, type StoredWeight, stored } from '../dialects/stored-weight.js'
import { PERIODS } from '../grid-tables.js'
import { IMAGENET_STATS, type VitConfig } from '../vit-config.js'
import { agreeOnDinov3 } from './hugging-face-dinov3.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const FACEBOOK_DINOV3_LAYOUT: Layout = {
  dialect: 'facebook',
  classToken: 'cls_token',
  registers: 'storage_tokens',
  positions: '',
  blocks: 'blocks.',
  scale: 'gamma',
  modules: META_MODULES,
  parts: { ...META_PARTS, 'mlp.fc1_g': 'mlp.w1', 'mlp.fc1_x': 'mlp.w2', 'mlp.fc2': 'mlp.w3' },
}
export const STORED_PERIODS = 'rope_embed.periods'
/** No file says the trained size, and no table shows it; this is the side of an evaluation. */
export const USUAL_SIDE = 224

const usual = layoutSource(FACEBOOK_DINOV3_LAYOUT)

export const facebookDinov3: Dialect = {
  name: 'facebook',
  isCertain: true,
  recognises: (tensors) =>
    tensors.has(STORED_PERIODS) && tensors.has('blocks.0.attn.qkv.weight') && !tensors.has('pos_embed'),
  readConfig,
  assumptions: ({ label }, hints) =>
    hints.normalisation === undefined
      ? [
          `${label} does not say which mean and deviation of levels it was trained with; ImageNet's are assumed, and those that were trained on satellite images have others. Say which: normalisation, --normalisation.`,
        ]
      : [],
  source: (weight, shape, config, tensors) => {
    const mask = maskOrNull(weight)
    const plain = usual(weight, shape, config, tensors)
    return mask === null || !tensors.has(mask) ? plain : masked(plain, { tensor: mask, shape })
  },
  positions: () => null,
  tables: (config) => new Map([[PERIODS, stored(STORED_PERIODS, [config.width / config.heads / 4])]]),
  // Norms of its own for small crops are for training alone.
  leftOver: (tensor) => (tensor.startsWith('local_cls_norm.') ? 'training' : metaLeftOver(tensor)),
}

/** Names the mask of a weight; null for one that has none. */
export function maskOrNull(weight: string): string | null {
  return /^encoder\.block\.\d+\.attn\.qkv\.bias$/.test(weight)
    ? `${weight.replace('encoder.block', 'blocks')}_mask`
    : null
}

/** Makes the bias of q, k and v that counts: the mask takes the keys' part away where they have none. */
export function masked({ parts }: StoredWeight, mask: StoredPart): StoredWeight {
  return {
    parts: [...parts, mask],
    // What the mask takes away need not be finite.
    combine: (bias: Float32Array, kept: Float32Array) =>
      bias.map((value, at) => (kept[at] === 0 ? 0 : value * (kept[at] ?? Number.NaN))),
    put(bias, into, part) {
      if (part === 0) {
        into.set(bias)
        return
      }
      into.fill(1)
      const third = bias.length / 3
      const ofKeys = bias.subarray(third, 2 * third)
      if (ofKeys.every((value) => Object.is(value, 0))) into.fill(0, third, 2 * third)
    },
  }
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'DINOv3')
  const patchSize = patchSizeOf(checkpoint, FACEBOOK_DINOV3_LAYOUT)
  const gated = tensors.has('blocks.0.mlp.w3.weight')
  const [height, wide] = hints.size ?? [USUAL_SIDE, USUAL_SIDE]
  const count = (side: number) => Math.max(1, Math.round(side / patchSize))
  const trunk = trunkOf(checkpoint, FACEBOOK_DINOV3_LAYOUT, { rows: count(height), columns: count(wide) })
  const config: VitConfig = {
    ...trunk,
    heads: headsOf(checkpoint, hints, trunk.width, size(STORED_PERIODS, 0)),
    hidden: gated ? size('blocks.0.mlp.w3.weight', 1) : size('blocks.0.mlp.fc1.weight', 0),
    classToken: true,
    registers: sizeOrNull(tensors, FACEBOOK_DINOV3_LAYOUT.registers, 1) ?? 0,
    epsilon: 1e-5,
    qkvBias: tensors.has('blocks.0.attn.qkv.bias'),
    layerScale: tensors.has('blocks.0.ls1.gamma'),
    mlp: gated ? 'swiglu' : 'ffn',
    activation: gated ? 'silu' : 'gelu',
    pooling: { kind: 'class' },
    positions: null,
    rotary: {
      coordinates: { kind: 'centred' },
      bands: { kind: 'stored' },
      firstAxis: 'rows',
      spread: 'tiled',
      pairs: 'halves',
      registers: null,
    },
    rgbStats: IMAGENET_STATS,
  }
  // Meta keeps no config beside its files; a copy of transformers' is of the same networks, and says what it says there.
  if (configFileOf(checkpoint, hints, 'transformers') !== null) agreeOnDinov3(checkpoint, hints, config)
  return config
}

/** A head has four columns for each period. */
function headsOf({ label }: Checkpoint, hints: VitHints, width: number, periods: number): number {
  const heads = width / (4 * periods)
  if (Number.isInteger(heads) && heads > 0 && (hints.heads ?? heads) === heads) return heads
  throw new CheckpointError(
    'contradiction',
    hints.heads === undefined
      ? `${label}: its ${periods} periods of rotary positions (${STORED_PERIODS}) do not fit its width ${width}.`
      : `${label} has ${heads} heads, as its ${periods} periods of rotary positions show, and ${hints.heads} were told (option heads, --heads).`,
  )
}
