/** Takes an engine's activations apart into what a person asked for, image by image. */
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import { boxInImage, type Placement, type PreparedImage } from '../image/prepare-image.js'
import { OVERLAP_RULE } from '../model/overlap.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import type { VitConfig } from '../model/vit-config.js'
import { specialTokens, tokenWidth } from '../model/vit-config.js'
import { float16ToFloat32 } from '../tensor/float16.js'
import { blockIndex } from './block-index.js'
import { given } from './choose-recipe.js'
import type { HeadNorms } from './head-norms.js'
import { type PlanChoice, slotValues } from './network.js'
import type {
  FeatureChoice,
  Features,
  Identity,
  StoppedChoice,
  StoppedFeatures,
  TiledChoice,
  TiledFeatures,
} from './types.js'

/** Is all that can be asked for, of which some exclude each other. */
export type WantedFeatures = FeatureChoice & Partial<StoppedChoice & TiledChoice>

/** Is what looks into networks. */
export type Inside = typeof import('./look-inside.js')

/** Loads what looks into networks where something of their inside is wanted; else there is no need of it. */
export async function insideFor({ attention, facets }: WantedFeatures): Promise<Inside | null> {
  return attention === undefined && facets === undefined ? null : await import('./look-inside.js')
}

/**
 * Says which of a network's plans gives what is wanted of an image of this size.
 *
 * @param positions is how positions are resampled; undefined for the network's way, or dino-vit-features' where patches overlap
 * @param inside is that of `insideFor`
 * @throws as `attentionBytes`; `EngineError` `unsupported`
 */
export function planChoiceFor(
  { stride, ...wanted }: WantedFeatures,
  config: VitConfig,
  size: readonly [height: number, width: number],
  grid: PatchGrid,
  positions: PositionRule | undefined,
  inside: Inside | null,
): PlanChoice {
  const isOverlapping = stride !== undefined && stride < config.patchSize
  return given({
    inspection: inside?.inspectionFor(wanted, config, grid),
    overlap: isOverlapping ? { stride, size } : undefined,
    positions: positions ?? (isOverlapping ? OVERLAP_RULE : undefined),
  })
}

/** Names the slots that an encode needs, each once. Throws `EngineError` `unsupported` for hidden layers that are of another width than the tokens. */
export function slotsFor(
  plan: VitPlan,
  config: VitConfig,
  { preNorm, layers = [], stopAfter, ...wantedInside }: WantedFeatures,
  inside: Inside | null,
): readonly SlotName[] {
  const { slots } = plan
  const isWhole = stopAfter === undefined
  const inner = [...(preNorm ? [-1] : []), ...layers].map((layer) => blockSlot(slots.blocks, layer))
  if (isWhole) assertAsWide(plan, inner)
  const wanted = isWhole ? [slots.embedding, slots.tokens] : []
  if (isWhole && slots.logits !== null) wanted.push(slots.logits)
  wanted.push(...inner, ...(inside?.slotsInside(wantedInside, plan, config) ?? []))
  return [...new Set(wanted)]
}

function assertAsWide({ plan, slots }: VitPlan, inner: readonly SlotName[]): void {
  const widthOf = (slot: SlotName) => plan.slots.get(slot)?.[1]
  if (inner.every((slot) => widthOf(slot) === widthOf(slots.tokens))) return
  throw new EngineError(
    'unsupported',
    'What stands behind the blocks (convolutions, or a head that projects) gives the tokens of this network another width, so that its hidden layers cannot be handed out beside them.',
  )
}

function blockSlot(blocks: readonly SlotName[], layer: number): SlotName {
  const slot = blocks[blockIndex(layer, blocks.length)]
  if (slot === undefined) throw new RangeError(`The plan has no slot for the hidden layer ${layer}.`)
  return slot
}

export interface Activations {
  readonly plan: VitPlan
  readonly config: VitConfig
  readonly headNorms: HeadNorms
  /** Holds each slot for the whole batch. */
  readonly values: ReadonlyMap<SlotName, Float32Array>
  readonly batch: number
  /** Says how many pixels lie from one patch to the next. */
  readonly stride: number
  readonly inside: Inside | null
}

/** Says where patches lie, as plain data. */
interface PlacedPatches {
  readonly placement: Placement
  readonly patchSize: number
  readonly stride: number
}

/** Features as plain data can be sent between threads. */
export interface FeatureData extends Omit<Features, 'patchBox'>, PlacedPatches {}

/** Is what was found of an image that was computed no further than a block. */
export interface StoppedData extends Omit<StoppedFeatures, 'patchBox'>, PlacedPatches {}

/** Is the patch map of an image that was encoded tile by tile. */
export interface TiledData extends Omit<TiledFeatures, 'patchBox' | 'band'>, PlacedPatches {}

export function featuresFrom(data: FeatureData): Features
export function featuresFrom(data: TiledData): TiledFeatures
export function featuresFrom(data: StoppedData): StoppedFeatures
export function featuresFrom(data: StoppedData): StoppedFeatures
export function featuresFrom(data: StoppedData | TiledData): StoppedFeatures {
  const { placement, patchSize, stride, ...features } = data
  const { rows, columns } = features.grid
  return {
    ...features,
    ...('tiles' in data ? { band: bandsOf(data) } : {}),
    patchBox(row, column) {
      if (!(row >= 0 && row < rows && column >= 0 && column < columns)) {
        throw new RangeError(`There is no patch (${row}, ${column}) in a grid of ${rows} x ${columns}.`)
      }
      const [top, left] = [row * stride, column * stride]
      return boxInImage(placement, { top, left, bottom: top + patchSize, right: left + patchSize })
    },
  }
}

function bandsOf({ grid, patchWidth, identity, ...maps }: TiledData): TiledFeatures['band'] {
  return (from, to, of = 'patches') => {
    const map = maps[of]
    if (map === undefined) throw new RangeError(`The band is asked for ${of}, which the encode was not.`)
    if (!(from >= 0 && from <= to && to <= grid.rows))
      throw new RangeError(`There are no rows ${from} to ${to} in a grid of ${grid.rows} x ${grid.columns}.`)
    const length = grid.columns * patchWidth
    const kept = map.subarray(from * length, to * length)
    const patches = kept instanceof Float32Array ? kept : new Float32Array(kept.length)
    if (kept instanceof Uint16Array) float16ToFloat32(kept, patches)
    return { patches, grid: { rows: to - from, columns: grid.columns }, identity }
  }
}

/** Gives the features of the `index`-th image of a batch, in memory of their own where the batch has more than one. */
export function featureDataOf(
  activations: Activations,
  index: number,
  image: PreparedImage,
  identity: Identity,
  wanted: WantedFeatures,
): FeatureData | StoppedData {
  const { imageSize, orientation, placement } = image
  const { stride, config } = activations
  const seen: StoppedData = {
    ...seenOf(activations, index, wanted),
    imageSize,
    orientation,
    identity,
    placement,
    patchSize: config.patchSize,
    stride,
  }
  if (wanted.stopAfter !== undefined) return seen
  return { ...seen, ...finalOf(activations, wanted, (slot) => ofImage(activations, slot, index)) }
}

/** Gives a slot's values of the `index`-th image, which are a copy where there are others. */
function ofImage({ values, batch }: Activations, slot: SlotName, index: number): Float32Array {
  const all = slotValues(values, slot)
  const size = all.length / batch
  return batch === 1 ? all : all.slice(index * size, (index + 1) * size)
}

/** Gives what was asked for of the blocks of the `index`-th image. */
export function seenOf(
  activations: Activations,
  index: number,
  { layers = [], ...wanted }: WantedFeatures,
): Pick<StoppedFeatures, 'grid' | 'layers' | 'attention' | 'facets'> {
  const { plan, inside } = activations
  const of = (slot: SlotName) => ofImage(activations, slot, index)
  return {
    grid: plan.grid,
    layers: new Map(layers.map((layer) => [layer, of(blockSlot(plan.slots.blocks, layer))])),
    ...inside?.seenInside(wanted, activations, of),
  }
}

function finalOf(
  { plan: { slots }, config }: Activations,
  { preNorm }: WantedFeatures,
  of: (slot: SlotName) => Float32Array,
): Pick<FeatureData, 'embedding' | 'patches' | 'registers' | 'preNorm' | 'logits'> {
  const width = tokenWidth(config)
  const firstPatch = specialTokens(config) * width
  const tokens = of(slots.tokens)
  return {
    embedding: of(slots.embedding),
    patches: tokens.subarray(firstPatch),
    registers: tokens.subarray(firstPatch - config.registers * width, firstPatch),
    ...(preNorm ? { preNorm: of(blockSlot(slots.blocks, -1)).subarray(firstPatch) } : {}),
    ...(slots.logits === null ? {} : { logits: of(slots.logits) }),
  }
}
