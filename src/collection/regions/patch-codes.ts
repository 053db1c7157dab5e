/**
 * Keeps all patches of a photo in little room: each unit vector as its first principal components in bytes, with a scale. Cosines with a direction follow from
 * these without the patches; what the components leave out is missing in them.
 */
import type { Box } from '../../image/image.js'
import { unitRows } from '../../numerics/lengths.js'
import { principalComponents } from '../../numerics/principal-components.js'
import { type ProductOptions, type Products, plainProducts } from '../../numerics/products.js'
import { type Directions, projectBlocks } from '../../numerics/projections.js'
import { concatenateBytes } from '../../tensor/concatenate.js'
import { CollectionError } from '../collection-error.js'
import type { PlacedGrid, RegionFeatures } from './photo-regions.js'

/** Are the mean of unit vectors of patches [D] and orthonormal directions [C, D], the first of which says most: all patches of a collection are described by them. */
export interface PatchBasis extends Directions {
  /** Is the share of what differs between patches that the directions hold. */
  readonly kept: number
}

/** Holds the patches of a photo, and where they lie in it. */
export interface CodedPatches extends PlacedGrid {
  /** [N, C] Are whole numbers, -127 to 127. */
  readonly codes: Int8Array
  /** [N] Are what the codes are multiplied by. */
  readonly scales: Float32Array
}

/** Names the small file that a collection of regions keeps its basis in. */
export const PATCH_BASIS_FILE = 'patch-basis.bin'
/** Patches have so many components, or as many as they are wide. */
const COMPONENTS = 64
const MAGIC = 0x31425150
const BASIS_HEADER = 16
const PHOTO_HEADER = 40

export interface PatchOptions extends ProductOptions {
  readonly products?: Products | undefined
}

/** More patches than this say no more of what patches are like. */
const BASIS_PATCHES = 16_384

/** Finds the basis of patches [N, D] in blocks, by every so-manieth where there are many. Throws RangeError for no patches; the signal's reason. */
export async function fitPatchBasis(
  blocks: readonly Float32Array[],
  width: number,
  options: PatchOptions = {},
): Promise<PatchBasis> {
  const count = blocks.reduce((sum, block) => sum + block.length / width, 0)
  const step = Math.ceil(count / BASIS_PATCHES)
  const units = blocks.map((block) => unitRows(everyRow(block, width, step), width))
  const found = await principalComponents(units, width, Math.min(COMPONENTS, width), options)
  const held = found.variances.reduce((sum, variance) => sum + variance, 0)
  // Unit vectors differ by 1 less the square of their mean's length; some may be zeros, which are no patches of any network.
  const all = 1 - found.mean.reduce((sum, value) => sum + value * value, 0)
  // Codes of a later run are made with what the file holds.
  const stored = ({ buffer }: Float32Array<ArrayBuffer>) => Float64Array.from(new Float32Array(buffer))
  return {
    mean: stored(Float32Array.from(found.mean)),
    components: stored(Float32Array.from(found.components)),
    kept: Math.fround(all > 0 ? Math.min(1, held / all) : 1),
  }
}

function everyRow(rows: Float32Array, width: number, step: number): Float32Array {
  if (step === 1) return rows
  const count = Math.ceil(rows.length / width / step)
  const found = new Float32Array(count * width)
  for (let row = 0; row < count; row++)
    found.set(rows.subarray(row * step * width, (row * step + 1) * width), row * width)
  return found
}

/** Gives the bytes of a basis, which `readPatchBasis` reads. */
export function patchBasisFile({ mean, components, kept }: PatchBasis): Uint8Array {
  const header = new DataView(new ArrayBuffer(BASIS_HEADER))
  header.setUint32(0, MAGIC, true)
  header.setUint32(4, mean.length, true)
  header.setUint32(8, components.length / mean.length, true)
  header.setFloat32(12, kept, true)
  const values = [mean, components].map((numbers) => new Uint8Array(Float32Array.from(numbers).buffer))
  return concatenateBytes([new Uint8Array(header.buffer), ...values])
}

/** Throws `CollectionError` `damaged` for what is no basis of patches of this width. */
export function readPatchBasis(bytes: Uint8Array, width: number, label: string): PatchBasis {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isHeaded =
    bytes.length >= BASIS_HEADER && header.getUint32(0, true) === MAGIC && header.getUint32(4, true) === width
  const count = isHeaded ? header.getUint32(8, true) : 0
  if (count < 1 || count > width || bytes.length !== BASIS_HEADER + 4 * width * (1 + count))
    throw damaged('The directions of patches', label)
  // What a disk gives may be a part of a larger buffer, at any place in it.
  const values = Float64Array.from(new Float32Array(new Uint8Array(bytes.subarray(BASIS_HEADER)).buffer))
  return {
    mean: values.subarray(0, width),
    components: values.subarray(width),
    kept: header.getFloat32(12, true),
  }
}

/**
 * Gives a photo's patches as text, which any table keeps: base64 of size, box and steps of the grid, then of a scale for each patch, then of codes. Throws the
 * signal's reason.
 */
export async function encodePatches(
  features: RegionFeatures,
  basis: PatchBasis,
  { products = plainProducts, signal }: PatchOptions = {},
): Promise<string> {
  const width = basis.mean.length
  const each = basis.components.length / width
  const units = unitRows(features.patches, width)
  const count = units.length / width
  const [alongs = new Float32Array(0)] = await projectBlocks([units], basis, { products, signal })
  const along = (patch: number, component: number) => alongs[component * count + patch] ?? 0
  const scales = new Float32Array(count)
  const codes = new Int8Array(count * each)
  for (let patch = 0; patch < count; patch++) {
    let largest = 0
    for (let at = 0; at < each; at++) largest = Math.max(largest, Math.abs(along(patch, at)))
    const scale = Math.fround(largest / 127)
    scales[patch] = scale
    if (scale > 0)
      for (let at = 0; at < each; at++) codes[patch * each + at] = Math.round(along(patch, at) / scale)
  }
  return toBase64(
    concatenateBytes([headerOf(features), new Uint8Array(scales.buffer), new Uint8Array(codes.buffer)]),
  )
}

/** Patches lie in even steps, so that the first one's box and its neighbours' tell where all are. */
function headerOf({ grid, imageSize, patchBox }: RegionFeatures): Uint8Array {
  const header = new DataView(new ArrayBuffer(PHOTO_HEADER))
  const { top, left, bottom, right } = patchBox(0, 0)
  const down = grid.rows > 1 ? patchBox(1, 0).top - top : 0
  const across = grid.columns > 1 ? patchBox(0, 1).left - left : 0
  header.setUint32(0, grid.rows, true)
  header.setUint32(4, grid.columns, true)
  for (const [at, value] of [...imageSize, top, left, bottom, right, down, across].entries())
    header.setFloat32(8 + 4 * at, value, true)
  return new Uint8Array(header.buffer)
}

/** Throws `CollectionError` `damaged` for text that `encodePatches` has not made with a basis of so many components. */
export function readPatches(text: string, components: number, label: string): CodedPatches {
  const bytes = bytesOfOrNull(text)
  if (bytes === null || bytes.length < PHOTO_HEADER) throw damaged('The patches of a photo', label)
  const header = new DataView(bytes.buffer)
  const [rows, columns] = [header.getUint32(0, true), header.getUint32(4, true)]
  const count = rows * columns
  if (count < 1 || bytes.length !== PHOTO_HEADER + count * (4 + components))
    throw damaged('The patches of a photo', label)
  const [height = 0, width = 0, top = 0, left = 0, bottom = 0, right = 0, down = 0, across = 0] = Array.from(
    { length: 8 },
    (_, at) => header.getFloat32(8 + 4 * at, true),
  )
  return {
    grid: { rows, columns },
    imageSize: [height, width],
    patchBox: (row, column): Box => ({
      top: top + row * down,
      left: left + column * across,
      bottom: bottom + row * down,
      right: right + column * across,
    }),
    scales: new Float32Array(bytes.buffer.slice(PHOTO_HEADER, PHOTO_HEADER + 4 * count)),
    codes: new Int8Array(bytes.buffer, PHOTO_HEADER + 4 * count),
  }
}

/** Is a direction as patches are compared with it. */
export interface CodedDirection {
  /** Is its product with the mean of patches. */
  readonly offset: number
  /** [C] Are its products with the components. */
  readonly weights: Float32Array
}

/** Gives a direction [D] of length 1 as it is compared with coded patches. */
export function codedDirection({ mean, components }: PatchBasis, direction: Float32Array): CodedDirection {
  const width = mean.length
  const product = (at: number, rows: Float64Array) =>
    direction.reduce((sum, value, i) => sum + value * (rows[at * width + i] ?? 0), 0)
  const weights = Float32Array.from({ length: components.length / width }, (_, at) => product(at, components))
  return { offset: product(0, mean), weights }
}

/** Gives the cosine of a direction with each patch [N], as far as the components know the patch. */
export function cosinesOf(
  { codes, scales }: CodedPatches,
  { offset, weights }: CodedDirection,
): Float32Array {
  const each = weights.length
  return scales.map((scale, patch) => {
    let sum = 0
    for (let i = 0; i < each; i++) sum += (codes[patch * each + i] ?? 0) * (weights[i] ?? 0)
    return offset + scale * sum
  })
}

function damaged(what: string, label: string): CollectionError {
  return new CollectionError(
    'damaged',
    `${what} in ${label} are not whole. Make the regions anew: remove ${label}, and run plumage index --regions full.`,
  )
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  // So many arguments any engine takes.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

function bytesOfOrNull(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const letters = atob(text)
    // Two hundred photos are read at a time: letter by letter from an iterator that takes longer than all else of such a search.
    const bytes = new Uint8Array(letters.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at)
    return bytes
  } catch {
    return null
  }
}
