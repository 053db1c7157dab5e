/** Follows Birder's `masked_encoding_omission` and `masked_encoding_retention` (net/vit.py), image by image, since each has a mask of its own. */
import type { OptionNames } from '../check-option-names.js'
import { checkChoice } from '../encoder/check-options.js'
import { type Network, slotValues } from '../encoder/network.js'
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import type { Masking } from '../model/plan-masking.js'
import type { VitPlan } from '../model/plan-vit.js'
import { birderOrder, patchMaps } from '../model/token-layout.js'
import { specialTokens } from '../model/vit-config.js'
import { concatenate } from '../tensor/concatenate.js'
import type { PlacedNet } from './inside-network.js'
import { idsOf, masksOf } from './masking.js'
import { imageShape, type NdArray, ndArray } from './nd-array.js'

/** Says what is wanted of an image of which patches are left out. */
export interface OmissionOptions {
  /** Gives the tokens behind each block, the last ones normed, on a new last axis; default `false`. */
  readonly returnAllFeatures?: boolean
  /** Says which results are given; default `tokens`. */
  readonly returnKeys?: 'tokens' | 'embedding' | 'all'
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says what is wanted of an image of which patches are replaced. */
export interface RetentionOptions {
  /** Stands in the place of masked patches, D numbers; default: zeros. */
  readonly maskToken?: NdArray
  /** Says which results are given; default `features`. */
  readonly returnKeys?: 'features' | 'embedding' | 'all'
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Holds what was asked for. */
export interface OmissionResult {
  /** [B, S + K, D], normed, in Birder's order; [B, S + K, D, L] with `returnAllFeatures`. */
  readonly tokens?: NdArray
  /** [B, D]. */
  readonly embedding?: NdArray
}

/** Holds what was asked for. */
export interface RetentionResult {
  /** Normed patch tokens as maps, [B, D, rows, columns]. */
  readonly features?: NdArray
  /** [B, D]. */
  readonly embedding?: NdArray
}

export const OMISSION_OPTIONS = {
  returnAllFeatures: true,
  returnKeys: true,
  signal: true,
} satisfies OptionNames<OmissionOptions>
export const RETENTION_OPTIONS = {
  maskToken: true,
  returnKeys: true,
  signal: true,
} satisfies OptionNames<RetentionOptions>

export async function encodeOmitted(
  net: PlacedNet,
  x: NdArray,
  idsKeep: NdArray | null,
  options: OmissionOptions,
): Promise<OmissionResult> {
  const { returnAllFeatures = false, returnKeys = 'tokens', signal } = options
  checkChoice('returnKeys', returnKeys, ['tokens', 'embedding', 'all'])
  const { batch } = imageShape(x)
  const cells = net.grid.rows * net.grid.columns
  const all = Array.from({ length: cells }, (_, patch) => patch)
  const ids = idsKeep === null ? Array.from({ length: batch }, () => all) : idsOf(idsKeep, cells)
  const maskings = ids.map((kept) => ({ kind: 'omission', kept }) as const)
  const layers = ({ blocks, tokens }: VitPlan['slots']) =>
    returnAllFeatures ? [...blocks.slice(0, -1), tokens] : [tokens]
  const found = await runEach(net, x, maskings, (slots) => [...layers(slots), slots.embedding], signal)
  const { config } = net.network
  const rows = specialTokens(config) + (ids[0]?.length ?? 0)
  const tokensOf = ({ values, slots }: Found) => {
    const each = layers(slots).map((slot) => birderOrder(slotValues(values, slot), 1, config))
    return returnAllFeatures ? onLastAxis(each) : (each[0] ?? new Float32Array())
  }
  const depth = returnAllFeatures ? [config.depth] : []
  return {
    ...(returnKeys === 'embedding'
      ? {}
      : { tokens: ndArray(concatenate(found.map(tokensOf)), [batch, rows, config.width, ...depth]) }),
    ...(returnKeys === 'tokens' ? {} : { embedding: embeddingsOf(found) }),
  }
}

export async function encodeRetained(
  net: PlacedNet,
  x: NdArray,
  mask: NdArray,
  options: RetentionOptions,
): Promise<RetentionResult> {
  const { maskToken, returnKeys = 'features', signal } = options
  checkChoice('returnKeys', returnKeys, ['features', 'embedding', 'all'])
  const { batch } = imageShape(x)
  const { config } = net.network
  const { rows, columns } = net.grid
  const token = maskToken?.data ?? null
  if (token !== null && token.length !== config.width)
    throw new RangeError(`A mask token has ${config.width} numbers here, got ${token.length}.`)
  const maskings = masksOf(mask).map((masked) => ({ kind: 'retention', masked, token }) as const)
  const wrong = maskings.find(({ masked }) => masked.length !== rows * columns)
  if (wrong !== undefined) {
    throw new RangeError(
      `The mask has ${wrong.masked.length} numbers for each image, and the images have ${rows} x ${columns} patches.`,
    )
  }
  const found = await runEach(net, x, maskings, ({ tokens, embedding }) => [tokens, embedding], signal)
  const mapOf = ({ values, slots }: Found) =>
    patchMaps(slotValues(values, slots.tokens), 1, config.width, specialTokens(config))
  return {
    ...(returnKeys === 'embedding'
      ? {}
      : { features: ndArray(concatenate(found.map(mapOf)), [batch, config.width, rows, columns]) }),
    ...(returnKeys === 'features' ? {} : { embedding: embeddingsOf(found) }),
  }
}

interface Found {
  readonly slots: VitPlan['slots']
  readonly values: ReadonlyMap<SlotName, Float32Array>
}

async function runEach(
  { network, grid, rule: positions }: PlacedNet,
  x: NdArray,
  maskings: readonly Masking[],
  choose: (slots: VitPlan['slots']) => readonly SlotName[],
  signal: AbortSignal | undefined,
): Promise<readonly Found[]> {
  refuseOthers(network)
  const { batch } = imageShape(x)
  if (maskings.length !== batch)
    throw new RangeError(`There are ${batch} images, and what is masked is told of ${maskings.length}.`)
  const length = x.data.length / batch
  const found: Found[] = []
  for (const [image, masking] of maskings.entries()) {
    const pixels = x.data.subarray(image * length, (image + 1) * length)
    const run = { grid, masking, positions, ...(signal === undefined ? {} : { signal }) }
    const { plan, values } = await network.runMasked(pixels, run, choose)
    await network.assertFinite(slotValues(values, plan.slots.tokens))
    found.push({ slots: plan.slots, values })
  }
  return found
}

/** Birder's DeiT has no masked encoding, and its FlexiViT masks patches of its own side only. */
function refuseOthers({ config: { classFirst, stem } }: Network): void {
  const isResized = stem.kind === 'patchify' && stem.kernel !== undefined
  if (!classFirst && !isResized) return
  throw new EngineError(
    'unsupported',
    classFirst
      ? "Birder's DeiT has no masked encoding: take a ViT, RoPE_ViT, Simple_ViT or ViT_Parallel."
      : 'Birder masks patches of the side that the network has by itself: load it without another one (patch_size).',
  )
}

function embeddingsOf(found: readonly Found[]): NdArray {
  const all = concatenate(found.map(({ values, slots }) => slotValues(values, slots.embedding)))
  return ndArray(all, [found.length, all.length / found.length])
}

/** Lays the L values of each place side by side. */
function onLastAxis(layers: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(layers.length * (layers[0]?.length ?? 0))
  for (const [layer, values] of layers.entries())
    values.forEach((value, at) => {
      out[at * layers.length + layer] = value
    })
  return out
}
