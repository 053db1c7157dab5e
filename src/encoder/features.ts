/** From an engine's activations to what a person asked for, image by image. */

import type { SlotName } from '../engine/plan.js'
import { boxInImage, type Placement, type PreparedImage } from '../image/prepare-image.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import { specialTokens } from '../model/vit-config.js'
import type { EncodeOptions, Features, Identity } from './types.js'

/** Which slots an encode needs; each named once. */
export function slotsFor({ slots }: VitPlan, options: EncodeOptions): readonly SlotName[] {
  const wanted = [slots.embedding, slots.tokens]
  if (slots.logits !== null) wanted.push(slots.logits)
  if (options.preNorm) wanted.push(slots.blocks[slots.blocks.length - 1])
  for (const index of options.layers ?? []) wanted.push(slots.blocks[blockIndex(index, slots.blocks.length)])
  return [...new Set(wanted)]
}

/** A hidden layer's number from 0; negative ones count from the last. Throws RangeError. */
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
  /** Each slot for the whole batch. */
  readonly values: ReadonlyMap<SlotName, Float32Array>
  readonly batch: number
}

/** Features as plain data, which can be sent between threads. */
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

/** The features of the `index`-th image of a batch, in memory of their own where the batch has more than one. */
export function featureDataOf(
  { plan, config, values, batch }: Activations,
  index: number,
  image: PreparedImage,
  identity: Identity,
  options: EncodeOptions,
): FeatureData {
  const { slots, grid } = plan
  const { width, registers, patchSize } = config
  const of = (slot: SlotName): Float32Array => {
    const all = values.get(slot) ?? new Float32Array()
    const size = all.length / batch
    return batch === 1 ? all : all.slice(index * size, (index + 1) * size)
  }
  const firstPatch = specialTokens(config) * width
  const tokens = of(slots.tokens)
  const depth = slots.blocks.length
  return {
    embedding: of(slots.embedding),
    patches: tokens.subarray(firstPatch),
    registers: tokens.subarray(firstPatch - registers * width, firstPatch),
    grid,
    ...(options.preNorm ? { preNorm: of(slots.blocks[depth - 1]).subarray(firstPatch) } : {}),
    layers: new Map(
      (options.layers ?? []).map((layer) => [layer, of(slots.blocks[blockIndex(layer, depth)])]),
    ),
    ...(slots.logits === null ? {} : { logits: of(slots.logits) }),
    imageSize: image.imageSize,
    orientation: image.orientation,
    identity,
    placement: image.placement,
    patchSize,
  }
}
