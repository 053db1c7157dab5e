/**
 * Runs the cases of images of several shapes in one call, which their libraries pack into rows of patches: padded to one length with a mask, or one after
 * the other. Each image runs at its own grid here, so that what padding and masks are for is compared without them.
 */
import type { Network } from '../encoder/network.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid } from '../model/positions.js'
import { arrange, type Order, type Place } from './activations.js'
import { type CaseContext, type Comparison, type GoldenCase, required } from './case.js'
import { judge } from './judge.js'

interface Packing {
  readonly shapes: readonly (readonly [rows: number, columns: number])[]
  /** Counts the places of each image where they are padded. */
  readonly length?: number
}

/** Is a case of several grids. `naflex` is padded, `packed` is one image behind the other. */
export interface PackedRun {
  readonly naflex?: Packing
  readonly packed?: Packing
}

/** Gives null for a case of images of one size. */
export function packingOf({ run }: GoldenCase): Packing | null {
  const { naflex, packed } = (run ?? {}) as PackedRun
  return naflex ?? packed ?? null
}

interface Compared {
  readonly network: Network
  readonly packing: Packing
  readonly expected: ReadonlyMap<string, Float32Array>
  /** Names the patches, [B, length, P * P * C] or [all, P * P * C]. */
  readonly inputName: string
  readonly tensors: readonly string[]
  readonly placeOf: (tensor: string, plan: VitPlan) => Place | null
}

/** Compares what each image gives with its part of each tensor; padded places are left out. */
export async function* comparePacked(
  golden: GoldenCase,
  { engine, signal }: CaseContext,
  { network, packing, expected, inputName, tensors, placeOf }: Compared,
): AsyncGenerator<Comparison, void, undefined> {
  const patches = required(expected.get(inputName), `tensor called ${inputName}`, golden)
  const { config } = network
  const order: Order = golden.library === 'birder' ? 'birder' : 'canonical'
  const width = config.channels * config.patchSize ** 2
  const actual = new Map<string, Float32Array[]>()
  let first = 0
  for (const [rows, columns] of packing.shapes) {
    const grid = { rows, columns }
    const plan = network.planFor(grid)
    const places = new Map(tensors.map((tensor) => [tensor, placeOf(tensor, plan)]))
    const outputs = [
      ...new Set([...places.values()].flatMap((place) => (place === null ? [] : [place.slot]))),
    ]
    const rowsOfImage = patches.subarray(first * width, (first + rows * columns) * width)
    const pixels = imageOf(rowsOfImage, grid, config, isChannelFirst(golden))
    const values = await network.run(pixels, { grid, outputs, ...(signal === undefined ? {} : { signal }) })
    for (const [tensor, place] of places) {
      const all = place === null ? undefined : values.get(place.slot)
      if (all === undefined || place === null) continue
      const laidOut = arrange(all, place, plan, config, order, 1)
      actual.set(tensor, [...(actual.get(tensor) ?? []), laidOut])
    }
    first += packing.length ?? rows * columns
  }
  for (const tensor of tensors) {
    const theirs = required(expected.get(tensor), `tensor called ${tensor}`, golden)
    const ours = actual.get(tensor)
    const whole = ours === undefined ? undefined : laidLike(theirs, ours, packing)
    const comparison = judge(engine.precision, golden, tensor, whole, theirs, 'each image at its own grid')
    if (comparison !== null) yield comparison
  }
}

/** transformers' C-RADIO and Birder cut patches as a convolution's kernel lies, the others pixel by pixel. */
function isChannelFirst({ library, family }: GoldenCase): boolean {
  return library === 'birder' || (library === 'transformers' && family === 'c-radio')
}

/** Puts rows of patches back together to an image, [C, height, width]. */
function imageOf(
  patches: Float32Array,
  { rows, columns }: PatchGrid,
  { channels, patchSize }: { readonly channels: number; readonly patchSize: number },
  channelFirst: boolean,
): Float32Array {
  const pixels = new Float32Array(patches.length)
  const [height, width] = [rows * patchSize, columns * patchSize]
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const patch = Math.floor(y / patchSize) * columns + Math.floor(x / patchSize)
        const inPatch = (y % patchSize) * patchSize + (x % patchSize)
        const at = channelFirst ? c * patchSize ** 2 + inPatch : inPatch * channels + c
        pixels[(c * height + y) * width + x] = patches[patch * channels * patchSize ** 2 + at] ?? Number.NaN
      }
    }
  }
  return pixels
}

/** Padded places hold what the golden has there, so that they are equal; a vector for each image has none. */
function laidLike(
  theirs: Float32Array,
  ours: readonly Float32Array[],
  { length, shapes }: Packing,
): Float32Array {
  const together = ours.reduce((sum, { length: count }) => sum + count, 0)
  const out = theirs.slice()
  const isPadded = length !== undefined && together !== theirs.length
  if (!isPadded && together !== theirs.length) return new Float32Array(0)
  let at = 0
  for (const values of ours) {
    out.set(values, at)
    at += isPadded ? theirs.length / shapes.length : values.length
  }
  return out
}
