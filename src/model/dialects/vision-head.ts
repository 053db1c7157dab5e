/**
 * Reads dino.txt's head on the image's side (dinov2/hub/text/vision_tower.py), which is a file of its own and stands on a DINOv2 in whatever layout: further
 * blocks, a norm and maybe a projection. Its tensors lie in the checkpoint under `HEAD_PREFIX`, beside those of the network.
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
export function headSource(
  weight: string,
  shape: Shape,
  config: VitConfig,
  tensors: Checkpoint['tensors'],
): StoredWeight | null {
  if (!weight.startsWith(`${HEAD}.`)) return null
  const own = weight.slice(HEAD.length + 1).replace(/^block\./, 'encoder.block.')
  return source(own, shape, config, tensors)
}

/** Puts the head behind a network. Throws `CheckpointError`: `unknown-dialect` for another file, `contradiction` for the head of another network. */
export function withVisionHead(checkpoint: Checkpoint, hints: VitHints, config: VitConfig): VitConfig {
  const { tensors, head: label } = checkpoint
  if (label === undefined) return withoutHead(checkpoint, hints, config)
  refuseOtherFiles(checkpoint, label)
  refuseOtherNetworks(checkpoint, label, config)
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

/** Refuses what was said of a head where there is none, since it would do nothing. */
function withoutHead(
  { label }: Checkpoint,
  { headPooling, headPatchLayer }: VitHints,
  config: VitConfig,
): VitConfig {
  if (headPooling === undefined && headPatchLayer === undefined) return config
  throw new CheckpointError(
    'contradiction',
    `${label} has no head put on it, and headPooling and headPatchLayer (--head-pooling, --head-patch-layer) say how one is: give its file as the option head (--head), or leave them out.`,
  )
}

/** Says what the head's file does not tell and was taken as in the published one. */
export function headAssumptions(
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

function refuseOtherFiles({ tensors }: Checkpoint, label: string): void {
  if (tensors.has(`${HEAD_PREFIX}ln_final.weight`) && tensors.has(`${BLOCKS}0.norm1.weight`)) return
  const own = [...tensors.keys()].filter((name) => name.startsWith(HEAD_PREFIX))
  const first = own.slice(0, 3).map((name) => name.slice(HEAD_PREFIX.length))
  throw new CheckpointError(
    'unknown-dialect',
    `${label} is no vision head of dino.txt, which has tensors block_list.0.norm1.weight and ln_final.weight: it holds ${own.length} others (${first.join(', ')}). ` +
      'Give the file that is called …_vision_head.pth as the head (head, --head), and the backbone as the model.',
  )
}

/** The head reads class token and patches that are normed, and knows nothing of what else stands behind a network. */
function refuseOtherNetworks(checkpoint: Checkpoint, label: string, config: VitConfig): void {
  const width = storedSize(checkpoint, `${HEAD_PREFIX}ln_final.weight`, 0, LAYOUT.dialect)
  if (width !== config.width) {
    throw new CheckpointError(
      'contradiction',
      `The head ${label} is ${width} wide, and the network of ${checkpoint.label} is ${config.width} wide: it is the head of another network.`,
    )
  }
  const { classToken, finalNorm, rotary, bias, windows, neck, pooling, classifier, pooler, projection } =
    config
  const isPlain = [rotary, bias, windows, neck, classifier, pooler, projection].every((part) => part === null)
  if (classToken && finalNorm === 'tokens' && pooling.kind === 'class' && isPlain) return
  throw new CheckpointError(
    'contradiction',
    `The head ${label} is dino.txt's, which stands on a DINOv2, and the network of ${checkpoint.label} is built otherwise. ` +
      'Give the DINOv2 that it was trained on as the model, without a classifier, or leave the head out (head, --head).',
  )
}
