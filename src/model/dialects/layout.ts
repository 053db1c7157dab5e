/**
 * Says where a library keeps the canonical weights, as a table for each of its layouts. It has the canonical modules, named as Birder does, with the
 * library's own names; what a file's weight then needs beside its name is the same for all of them.
 */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import { elementCount, type Shape, sizeAt } from '../../tensor/shape.js'
import { specialTokens, type VitConfig } from '../vit-config.js'
import {
  band,
  type StoredPart,
  type StoredWeight,
  stacked,
  stored,
  tokenWithPositions,
  zeros,
} from './stored-weight.js'

export interface Layout {
  /** Names the dialect in errors. */
  readonly dialect: string
  /** Names the class token. */
  readonly classToken: string
  /** Counts the axes that class token and registers have in the file; default 3, the first of which is 1. */
  readonly tokenAxes?: 1 | 2 | 3
  /** Names the registers. */
  readonly registers: string
  /** Names the position table. */
  readonly positions: string
  /** Tells whether the table is [rows, D] and not [1, rows, D]. */
  readonly hasFlatPositions?: boolean
  /** Says whether registers have rows of the table where the class token has one. */
  readonly placesRegisters?: boolean
  /** Stands in front of a block's number. */
  readonly blocks: string
  /** Names the vector of a layer scale, which Birder calls `gamma`; null where the module's own name is the vector's. */
  readonly scale: string | null
  /** Says in which order the patch embedding has a patch's values; `kernel` is that of a convolution, [D, C, P, P]. */
  readonly patches?: 'kernel' | 'pixels'
  /** Names the modules outside the blocks. */
  readonly modules: Places
  /** Names the modules of a block, without the block. */
  readonly parts: Places
  /** Names tensors, as they are called in a block or outside, that a file may leave out of all blocks alike: zeros stand for them. */
  readonly optional?: readonly RegExp[]
}

export type Places = { readonly [module: string]: Place }

/** A module is kept under another name, as one band of a fused matrix's rows, in pieces one below the other, or with names of its own for its tensors. */
export type Place =
  | string
  | { readonly half: 0 | 1; readonly of: string }
  | { readonly pieces: readonly string[] }
  | { readonly weight: string | readonly string[]; readonly bias: string | readonly (string | null)[] | null }

type Tensors = ReadonlyMap<string, TensorInfo>

/** Gives the name of a tensor outside the blocks, or inside the block of that number. Throws where the layout has no such module. */
export function tensorName(layout: Layout, weight: string): string {
  const { place, name } = locate(layout, weight)
  if (typeof place === 'string') return name(place)
  throw new Error(`The ${layout.dialect} layout keeps ${weight} in other tensors than one of its own.`)
}

export function layoutSource(
  layout: Layout,
): (weight: string, shape: Shape, config: VitConfig, tensors: Tensors) => StoredWeight {
  return (weight, shape, config, tensors) => {
    if (weight === 'class_token') return tokenSource(layout, layout.classToken, 0, shape, config)
    if (weight === 'reg_tokens') return registerSource(layout, shape, config)
    if (weight === 'attn_pool.latent') return latentSource(layout, shape)
    if (weight === 'conv_proj.weight') return patchSource(layout, shape, config)
    const { place, name, plain } = locate(layout, weight)
    const lacks = (own: string) => isLeftOut(layout, name(own), tensors)
    if (typeof place === 'string') return lacks(place) ? zeros(shape) : stored(name(place), shape)
    if ('pieces' in place) return piecesSource(place.pieces, shape, name, lacks)
    if ('half' in place) return lacks(place.of) ? zeros(shape) : band(name(place.of), shape, place.half, 2)
    const own = weight.endsWith('.bias') ? place.bias : place.weight
    if (own === null) return zeros(shape)
    if (typeof own === 'string') return stored(plain(own), shape)
    return piecesSource(own, shape, plain, (piece) => isLeftOut(layout, plain(piece), tensors))
  }
}

/** Says where a file that is written keeps a weight: it leaves nothing out. */
export function writtenSource(
  layout: Layout,
): (weight: string, shape: Shape, config: VitConfig) => StoredWeight {
  const source = layoutSource({ ...layout, optional: [] })
  return (weight, shape, config) => source(weight, shape, config, new Map())
}

/** The pieces lie one below the other; one that has no name, or that the file leaves out, is zeros. */
function piecesSource(
  pieces: readonly (string | null)[],
  shape: Shape,
  name: (piece: string) => string,
  lacks: (piece: string) => boolean,
): StoredWeight {
  const here = pieces.map((piece) => (piece === null || lacks(piece) ? null : name(piece)))
  const names = here.filter((piece) => piece !== null)
  if (names.length === here.length) return stacked(names, shape)
  const part: Shape = [sizeAt(shape, 0) / pieces.length, ...shape.slice(1)]
  const size = elementCount(part)
  const places = here.flatMap((piece, index) => (piece === null ? [] : [index]))
  return {
    parts: names.map((tensor) => ({ tensor, shape: part })),
    isStacked: true,
    put(weight, into, part) {
      const place = places[part] ?? 0
      into.set(weight.subarray(place * size, (place + 1) * size))
    },
    combine: (...parts) => {
      const out = new Float32Array(elementCount(shape))
      let next = 0
      for (const [index, piece] of here.entries()) {
        const values = piece === null ? undefined : parts[next++]
        if (values !== undefined) out.set(values, index * size)
      }
      return out
    },
  }
}

function isLeftOut({ optional = [] }: Layout, tensor: string, tensors: Tensors): boolean {
  if (tensors.has(tensor) || !optional.some((pattern) => pattern.test(tensor))) return false
  // What one block lacks and another has is a damaged file, and no network of that shape.
  const pattern = new RegExp(`^${tensor.replaceAll('.', '\\.').replace(/\\\.\d+\\\./, '\\.\\d+\\.')}$`)
  return ![...tensors.keys()].some((name) => pattern.test(name))
}

/** The kernel of a convolution is [D, C, P, P]: as a matrix its rows are in order already. Some keep a matrix, with a patch's pixels one after the other. */
function patchSource(layout: Layout, shape: Shape, { channels, patchSize }: VitConfig): StoredWeight {
  const tensor = tensorName(layout, 'conv_proj.weight')
  const rows = sizeAt(shape, 0)
  if (layout.patches !== 'pixels') return stored(tensor, [rows, channels, patchSize, patchSize])
  const depth = channels * patchSize ** 2
  /** Gives the place in the matrix of what the convolution has at a place. */
  const pixelFirst = (at: number) => {
    const [row, inRow] = [Math.floor(at / depth), at % depth]
    const [channel, pixel] = [Math.floor(inRow / patchSize ** 2), inRow % patchSize ** 2]
    return row * depth + pixel * channels + channel
  }
  const combine = (values: Float32Array) => values.map((_, at) => values[pixelFirst(at)] ?? Number.NaN)
  const put = (weight: Float32Array, into: Float32Array) => {
    for (const [at, value] of weight.entries()) into[pixelFirst(at)] = value
  }
  return { parts: [{ tensor, shape: [rows, depth] }], combine, put }
}

function latentSource({ modules }: Layout, shape: Shape): StoredWeight {
  const place = modules['attn_pool.latent'] ?? 'attn_pool.latent'
  return stored(typeof place === 'string' ? place : 'attn_pool.latent', [1, ...shape])
}

function locate(
  layout: Layout,
  weight: string,
): {
  readonly place: Place
  /** Gives the tensor of a module. */
  readonly name: (module: string) => string
  /** Gives the tensor that a place names in full. */
  readonly plain: (tensor: string) => string
} {
  const [, block, module, vector] = /^(?:encoder\.block\.(\d+)\.)?(.+)\.(\w+)$/.exec(weight) ?? []
  const places = block === undefined ? layout.modules : layout.parts
  const place = module === undefined ? undefined : places[module]
  if (place === undefined)
    throw new Error(`The ${layout.dialect} layout does not say where ${weight} is kept.`)
  const prefix = block === undefined ? '' : `${layout.blocks}${block}.`
  const suffix = vector === 'gamma' ? layout.scale : vector
  return {
    place,
    name: (own) => (suffix === null ? `${prefix}${own}` : `${prefix}${own}.${suffix}`),
    plain: (tensor) => `${prefix}${tensor}`,
  }
}

/** Rows of the position table are added to a token where the table has rows for special tokens: first the class token's, then the registers'. */
function tokenSource(
  layout: Layout,
  tensor: string,
  firstRow: number,
  shape: Shape,
  config: VitConfig,
): StoredWeight {
  const token = tokenPart(layout, tensor, shape)
  const { positions, width } = config
  if (positions === null || !positions.specialRows) return stored(token.tensor, token.shape)
  const special = layout.placesRegisters ? specialTokens(config) : 1
  const rows = positions.rows * positions.columns + special
  const table = layout.hasFlatPositions ? [rows, width] : [1, rows, width]
  return tokenWithPositions(token, { tensor: layout.positions, shape: table }, firstRow)
}

function tokenPart({ tokenAxes = 3 }: Layout, tensor: string, shape: Shape): StoredPart {
  const axes: Readonly<Record<1 | 2 | 3, Shape>> = { 1: shape.slice(1), 2: shape, 3: [1, ...shape] }
  return { tensor, shape: axes[tokenAxes] }
}

function registerSource(layout: Layout, shape: Shape, config: VitConfig): StoredWeight {
  if (layout.placesRegisters)
    return tokenSource(layout, layout.registers, config.classToken ? 1 : 0, shape, config)
  const { tensor, shape: own } = tokenPart(layout, layout.registers, shape)
  return stored(tensor, own)
}
