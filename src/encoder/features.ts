/** Takes an engine's activations apart into what a person asked for, image by image. */
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import { boxInImage, type Placement, type PreparedImage } from '../image/prepare-image.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import { specialTokens, tokenWidth } from '../model/vit-config.js'
import { slotValues } from './network.js'
import type { FeatureChoice, Features, Identity } from './types.js'

/** Names the slots that an encode needs, each once. Throws `EngineError` `unsupported` for hidden layers that are of another width than the tokens. */
export function slotsFor(
  { plan, slots }: VitPlan,
  { preNorm, layers = [] }: FeatureChoice,
): readonly SlotName[] {
  const wanted = [slots.embedding, slots.tokens]
  if (slots.logits !== null) wanted.push(slots.logits)
  for (const layer of [...(preNorm ? [-1] : []), ...layers]) wanted.push(blockSlot(slots.blocks, layer))
  const [width, ...widths] = [slots.tokens, ...wanted.slice(slots.logits === null ? 2 : 3)].map(
    (slot) => plan.slots.get(slot)?.[1],
  )
  if (widths.some((other) => other !== width)) {
    throw new EngineError(
      'unsupported',
      'What stands behind the blocks (convolutions, or a head that projects) gives the tokens of this network another width, so that its hidden layers cannot be handed out beside them.',
    )
  }
  return [...new Set(wanted)]
}

function blockSlot(blocks: readonly SlotName[], layer: number): SlotName {
  const slot = blocks[blockIndex(layer, blocks.length)]
  if (slot === undefined) throw new RangeError(`The plan has no slot for the hidden layer ${layer}.`)
  return slot
}

/** Gives a hidden layer's number from 0; negative ones count from the last. Throws RangeError. */
export function blockIndex(index: number, depth: number): number {
  const positive = index < 0 ? depth + index : index
  if (Number.isInteger(positive) && positive >= 0 && positive < depth) return positive
  throw new RangeError(
    `There is no hidden layer ${index}: this network has ${depth}, numbered 0 to ${depth - 1} or -${depth} to -1.`,
  )
}

export interface Activations {
  readonly plan: VitPlan
  readonly config: VitConfig
  /** Holds each slot for the whole batch. */
  readonly values: ReadonlyMap<SlotName, Float32Array>
  readonly batch: number
}

/** Features as plain data can be sent between threads. */
export interface FeatureData extends Omit<Features, 'patchBox'> {
  readonly placement: Placement
  readonly patchSize: number
}

export function featuresFrom({ placement, patchSize, ...features }: FeatureData): Features {
  const { rows, columns } = features.grid
  return {
    ...features,
    patchBox(row, column) {
      if (!(row >= 0 && row < rows && column >= 0 && column < columns)) {
        throw new RangeError(`There is no patch (${row}, ${column}) in a grid of ${rows} x ${columns}.`)
      }
      const [top, left] = [row * patchSize, column * patchSize]
      return boxInImage(placement, { top, left, bottom: top + patchSize, right: left + patchSize })
    },
  }
}

/** Gives the features of the `index`-th image of a batch, in memory of their own where the batch has more than one. */
export function featureDataOf(
  { plan, config, values, batch }: Activations,
  index: number,
  image: PreparedImage,
  identity: Identity,
  { preNorm, layers = [] }: FeatureChoice,
): FeatureData {
  const { slots, grid } = plan
  const { registers, patchSize } = config
  const width = tokenWidth(config)
  const of = (slot: SlotName): Float32Array => {
    const all = slotValues(values, slot)
    const size = all.length / batch
    return batch === 1 ? all : all.slice(index * size, (index + 1) * size)
  }
  const firstPatch = specialTokens(config) * width
  const tokens = of(slots.tokens)
  return {
    embedding: of(slots.embedding),
    patches: tokens.subarray(firstPatch),
    registers: tokens.subarray(firstPatch - registers * width, firstPatch),
    grid,
    ...(preNorm ? { preNorm: of(blockSlot(slots.blocks, -1)).subarray(firstPatch) } : {}),
    layers: new Map(layers.map((layer) => [layer, of(blockSlot(slots.blocks, layer))])),
    ...(slots.logits === null ? {} : { logits: of(slots.logits) }),
    imageSize: image.imageSize,
    orientation: image.orientation,
    identity,
    placement: image.placement,
    patchSize,
  }
}
