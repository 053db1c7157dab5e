/**
 * Reads dino.txt's head on the image's side (dinov2/hub/text/vision_tower.py), which is a file of its own and stands on a DINOv2 in whatever layout: further
 * blocks, a norm and maybe a projection.
 */
import { type Checkpoint, HEAD_PREFIX } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Shape } from '../../tensor/shape.js'
import { HEAD } from '../plan-head.js'
import type { VisionHead, VitConfig } from '../vit-config.js'
import type { VitHints } from './dialect.js'
import { countBlocks, sizeOrNull, storedSize } from './headers.js'
import { type Layout, layoutSource } from './layout.js'
import { META_PARTS } from './meta-names.js'
import type { StoredWeight } from './stored-weight.js'

const BLOCKS = `${HEAD_PREFIX}block_list.`
const LAYOUT: Layout = {
  dialect: "dino.txt's",
  classToken: '',
  registers: '',
  positions: '',
  blocks: BLOCKS,
  scale: 'gamma',
  modules: { norm: `${HEAD_PREFIX}ln_final`, projection: `${HEAD_PREFIX}linear_projection` },
  parts: { ...META_PARTS, 'mlp.fc1_g': 'mlp.w1', 'mlp.fc1_x': 'mlp.w2', 'mlp.fc2': 'mlp.w3' },
}
const source = layoutSource(LAYOUT)

/** Says where a canonical weight of the head comes from; null for a weight of the network itself. */
export function visionHeadSource(
  weight: string,
  shape: Shape,
  config: VitConfig,
  tensors: Checkpoint['tensors'],
): StoredWeight | null {
  if (!weight.startsWith(`${HEAD}.`)) return null
  const own = weight.slice(HEAD.length + 1).replace(/^block\./, 'encoder.block.')
  return source(own, shape, config, tensors)
}

/** Tells dino.txt's head from the others. */
export function isVisionHead(tensors: Checkpoint['tensors']): boolean {
  return tensors.has(`${HEAD_PREFIX}ln_final.weight`) && tensors.has(`${BLOCKS}0.norm1.weight`)
}

/** Puts the head behind a network. Throws `CheckpointError` `contradiction` for the head of another network. */
export function withVisionHead(
  checkpoint: Checkpoint,
  label: string,
  hints: VitHints,
  config: VitConfig,
): VitConfig {
  const { tensors } = checkpoint
  const width = storedSize(checkpoint, `${HEAD_PREFIX}ln_final.weight`, 0, LAYOUT.dialect)
  if (width !== config.width) {
    throw new CheckpointError(
      'contradiction',
      `The head ${label} is ${width} wide, and the network of ${checkpoint.label} is ${config.width} wide: it is the head of another network.`,
    )
  }
  const { headPatchLayer: patchLayer = 1, headPooling = 'mean' } = hints
  if (!Number.isInteger(patchLayer) || patchLayer < 1 || patchLayer > config.depth) {
    throw new CheckpointError(
      'contradiction',
      `The head takes patches of the block ${patchLayer} from the last (headPatchLayer, --head-patch-layer), and ${checkpoint.label} has ${config.depth} blocks.`,
    )
  }
  const head: VisionHead = {
    depth: countBlocks(tensors, BLOCKS),
    hidden: storedSize(checkpoint, `${BLOCKS}0.mlp.w3.weight`, 1, LAYOUT.dialect),
    // The class of its norms has PyTorch's own epsilon, other than the network's.
    epsilon: 1e-5,
    qkvBias: tensors.has(`${BLOCKS}0.attn.qkv.bias`),
    layerScale: tensors.has(`${BLOCKS}0.ls1.gamma`),
    projection: sizeOrNull(tensors, `${HEAD_PREFIX}linear_projection.weight`, 0),
    patchLayer,
  }
  if (headPooling === 'max') return { ...config, head, pooling: { kind: 'class-max' } }
  return { ...config, head, embedding: 'class-mean' }
}

/** Says what the head's file does not tell and was taken as in the published one. */
export function visionHeadAssumptions(
  { head }: Checkpoint,
  { headPatchLayer, headPooling }: VitHints,
): readonly string[] {
  const open = [
    ...(headPooling === undefined ? ['the mean of the patches is taken (headPooling, --head-pooling)'] : []),
    ...(headPatchLayer === undefined
      ? ['patches are of the last block (headPatchLayer, --head-patch-layer)']
      : []),
  ]
  if (head === undefined || open.length === 0) return []
  return [
    `${head} does not say how it is put on its network, so it is taken for a head as published: ${open.join(', and ')}.`,
  ]
}
