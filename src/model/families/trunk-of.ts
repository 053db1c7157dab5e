/** Starts the config of a network of any library with what all have alike: what its grid, its patch embedding [D, C, P, P] and its blocks show. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { countBlocks, storedSize } from '../dialects/headers.js'
import { type Layout, tensorName } from '../dialects/layout.js'
import type { PatchGrid } from '../positions.js'
import { PLAIN, type VitConfig } from '../vit-config.js'

type Trunk = typeof PLAIN & Pick<VitConfig, 'network' | 'size' | 'channels' | 'patchSize' | 'width' | 'depth'>

/** Gives all else the plain value. Throws `missing-tensor` and `wrong-shape` where there is no patch embedding. */
export function trunkOf(checkpoint: Checkpoint, layout: Layout, { rows, columns }: PatchGrid): Trunk {
  const patchSize = patchSizeOf(checkpoint, layout)
  return {
    ...PLAIN,
    network: null,
    size: [rows * patchSize, columns * patchSize],
    channels: kernelSize(checkpoint, layout, 1),
    patchSize,
    width: kernelSize(checkpoint, layout, 0),
    depth: countBlocks(checkpoint.tensors, layout.blocks),
  }
}

/** Gives the side of a patch in pixels, on which the grid depends. Throws as `trunkOf`. */
export function patchSizeOf(checkpoint: Checkpoint, layout: Layout): number {
  return kernelSize(checkpoint, layout, 2)
}

function kernelSize(checkpoint: Checkpoint, layout: Layout, axis: number): number {
  return storedSize(checkpoint, tensorName(layout, 'conv_proj.weight'), axis, layout.dialect)
}
