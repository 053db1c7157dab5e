/** Plans the way from pixels to one vector per patch. */
import type { SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import { patchesAlong } from './overlap.js'
import type { PlanBuilder } from './plan-builder.js'
import type { VitConfig } from './vit-config.js'

/** These are kernel and stride of the three convolutions; the first two have a quarter of the width. */
const HMLP_PATCHES = [4, 2, 2] as const
/** PyTorch's default is kept in Birder's stem. */
const STEM_EPSILON = 1e-5

/** Each convolution makes a smaller picture of one. */
interface StemPicture {
  readonly slot: SlotName
  readonly channels: number
  readonly height: number
  readonly width: number
}

/**
 * @param stride says how many pixels lie from one patch to the next; other than the patch size it is of a stem that is one convolution
 * @returns the slot of the patch vectors, [rows * columns, D], always named `conv_proj`
 */
export function planStem(
  builder: PlanBuilder,
  config: VitConfig,
  pixels: SlotName,
  stride = config.patchSize,
): SlotName {
  const shape = builder.shapeOf(pixels)
  let picture: StemPicture = {
    slot: pixels,
    channels: sizeAt(shape, 0),
    height: sizeAt(shape, 1),
    width: sizeAt(shape, 2),
  }
  if (config.stem.kind === 'patchify') {
    const cut = planCut(builder, picture, config.patchSize, 'planes', 'patches', stride)
    const { bias, norm = false } = config.stem
    if (!norm) return builder.linear(cut, 'conv_proj', 'conv_proj', config.width, bias)
    const weights = builder.normWeights('stem_norm', config.width, config.norm, config.epsilon)
    const patches = builder.linear(cut, 'conv_proj.0', 'conv_proj', config.width, bias)
    return builder.norm(patches, 'conv_proj', weights)
  }
  for (const [stage, patch] of HMLP_PATCHES.entries()) {
    picture = planHmlpStage(builder, config.width, config.stem.norm, picture, stage, patch)
  }
  return picture.slot
}

function planCut(
  builder: PlanBuilder,
  { slot, channels, height, width }: StemPicture,
  patch: number,
  layout: 'planes' | 'rows',
  output: SlotName,
  stride = patch,
): SlotName {
  const [rows = 0, columns = 0] = [height, width].map((side) => patchesAlong(side, patch, stride))
  const step = {
    op: 'patchify',
    input: slot,
    output,
    layout,
    channels,
    height,
    width,
    patch,
    stride,
  } as const
  return builder.step(step, [rows * columns, channels * patch * patch])
}

/** A stage is a convolution, its norm, and GELU but for the last; each is numbered as in PyTorch's `Sequential`. */
function planHmlpStage(
  builder: PlanBuilder,
  width: number,
  norm: 'layerNorm' | 'batchNorm',
  picture: StemPicture,
  stage: number,
  patch: number,
): StemPicture {
  const isLast = stage === HMLP_PATCHES.length - 1
  const name = (module: number) => `conv_proj.${3 * stage + module}`
  const channels = isLast ? width : width / 4
  const cut = planCut(builder, picture, patch, stage === 0 ? 'planes' : 'rows', `${name(0)}.patches`)
  // Batch norm at inference is a scale and a shift: the dialect folds it into the convolution's weights.
  const normed = norm === 'layerNorm'
  let slot = builder.linear(cut, isLast && !normed ? 'conv_proj' : name(0), name(0), channels)
  if (normed) {
    const weights = builder.normWeights(name(1), channels, 'layerNorm', STEM_EPSILON)
    slot = builder.norm(slot, isLast ? 'conv_proj' : name(1), weights)
  }
  if (!isLast) {
    const shape = builder.shapeOf(slot)
    slot = builder.step({ op: 'activation', input: slot, output: name(2), kind: 'gelu' }, shape)
  }
  return { slot, channels, height: picture.height / patch, width: picture.width / patch }
}
