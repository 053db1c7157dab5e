/** From pixels to one vector per patch. */
import type { SlotName } from '../engine/plan.js'
import type { PlanBuilder } from './plan-builder.js'
import type { VitConfig } from './vit-config.js'

/** Kernel = stride of the three convolutions; the narrow ones have a quarter of the width. */
const HMLP_PATCHES = [4, 2, 2] as const
/** PyTorch's default, which Birder's stem keeps. */
const STEM_EPSILON = 1e-5

/** @returns the slot of the patch vectors, [rows * columns, D], always named `conv_proj` */
export function planStem(builder: PlanBuilder, config: VitConfig, pixels: SlotName): SlotName {
  const [channels, height, width] = builder.shapeOf(pixels)
  if (config.stem.kind === 'patchify') {
    const patch = config.patchSize
    const cells = (height / patch) * (width / patch)
    const cut = builder.step(
      { op: 'patchify', input: pixels, output: 'patches', layout: 'planes', channels, height, width, patch },
      [cells, channels * patch * patch],
    )
    return builder.linear(cut, 'conv_proj', 'conv_proj', config.width, config.stem.bias)
  }

  let size = { channels, height, width }
  let current = pixels
  for (const [stage, patch] of HMLP_PATCHES.entries()) {
    const last = stage === HMLP_PATCHES.length - 1
    const name = `conv_proj.${3 * stage}`
    const next = {
      channels: last ? config.width : config.width / 4,
      height: size.height / patch,
      width: size.width / patch,
    }
    const cut = builder.step(
      {
        op: 'patchify',
        input: current,
        output: `${name}.patches`,
        layout: stage === 0 ? 'planes' : 'rows',
        patch,
        ...size,
      },
      [next.height * next.width, size.channels * patch * patch],
    )
    // Batch norm at inference is a scale and a shift: the dialect folds it into the convolution's weights.
    const normed = config.stem.norm === 'layerNorm'
    current = builder.linear(cut, last && !normed ? 'conv_proj' : name, name, next.channels)
    if (normed) {
      const norm = `conv_proj.${3 * stage + 1}`
      current = builder.norm(
        current,
        last ? 'conv_proj' : norm,
        builder.normWeights(norm, next.channels, 'layerNorm', STEM_EPSILON),
      )
    }
    if (!last) {
      const output = `conv_proj.${3 * stage + 2}`
      current = builder.step(
        { op: 'activation', input: current, output, kind: 'gelu' },
        builder.shapeOf(current),
      )
    }
    size = next
  }
  return current
}
