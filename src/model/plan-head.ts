/** Plans dino.txt's head on the image's side, which stands behind a network whose tokens are normed. */
import type { SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import { type BlockContext, planBlock } from './plan-block.js'
import { PLAIN, type VisionHead, type VitConfig } from './vit-config.js'

/** Is what the names of its slots and weights begin with. */
export const HEAD = 'vision_head'

interface HeadInput {
  /** Is [T, D], after the final norm. */
  readonly tokens: SlotName
  /** Gives the tokens that a block hands out, after the final norm, by the block's number from 0. */
  readonly normed: (block: number) => SlotName
}

/** Gives the tokens behind the head, [T, D] or as wide as its projection. */
export function planHead(
  { seen: _ofTheNetwork, ...context }: BlockContext,
  head: VisionHead,
  { tokens, normed }: HeadInput,
): SlotName {
  const { builder, config } = context
  const { epsilon, qkvBias, layerScale, hidden } = head
  // Its blocks are DINOv2's, however those of the network are built.
  const own = { epsilon, qkvBias, layerScale, hidden, mlp: 'swiglu', activation: 'silu' } as const
  const blocks: VitConfig = { ...config, ...PLAIN, ...own }
  let current = tokens
  if (head.patchLayer > 1) {
    const earlier = normed(config.depth - head.patchLayer)
    const first = builder.slice(tokens, `${HEAD}.class`, 0, 1)
    const others = builder.slice(earlier, `${HEAD}.others`, 1, sizeAt(builder.shapeOf(earlier), 0))
    current = builder.stack([first, others], `${HEAD}.input`)
  }
  for (let index = 0; index < head.depth; index++)
    current = planBlock({ ...context, config: blocks, blocks: `${HEAD}.block` }, index, current)
  current = builder.norm(
    current,
    `${HEAD}.norm`,
    builder.normWeights(`${HEAD}.norm`, config.width, 'layerNorm', epsilon),
  )
  if (head.projection === null) return current
  return builder.linear(current, `${HEAD}.projection`, `${HEAD}.projection`, head.projection, false)
}
