/**
 * Where DINOv2's three other dialects keep the canonical weights is a table for each of them. It has the canonical modules, named as
 * Birder does, with each library's own name; what a file's weight then needs beside its name is the same for all three.
 */
import { type Shape, sizeAt } from '../../tensor/shape.js'
import { specialTokens, type VitConfig } from '../vit-config.js'
import { band, type StoredWeight, stacked, stored, tokenWithPositions } from './stored-weight.js'

export interface Dinov2Layout {
  /** Names the dialect in errors. */
  readonly dialect: string
  readonly classToken: string
  readonly registers: string
  /** Names the position table. */
  readonly positions: string
  /** Says whether registers have rows of the table where the class token has one. */
  readonly placesRegisters?: boolean
  /** Stands in front of a block's number. */
  readonly blocks: string
  /** Names the vector of a layer scale, which Birder calls `gamma`. */
  readonly scale: string
  /** Names the modules outside the blocks. */
  readonly modules: Places
  /** Names the modules of a block, without the block. */
  readonly parts: Places
}

export type Places = { readonly [module: string]: Place }

/** A module is kept under another name, as one half of a fused matrix's rows, or in pieces one below the other. */
type Place = string | { readonly half: 0 | 1; readonly of: string } | { readonly pieces: readonly string[] }

/** Gives the name of a tensor outside the blocks, or inside the block of that number. Throws where the layout has no such module. */
export function tensorName(layout: Dinov2Layout, weight: string): string {
  const { place, name } = locate(layout, weight)
  if (typeof place === 'string') return name(place)
  throw new Error(`The ${layout.dialect} layout keeps ${weight} in other tensors than one of its own.`)
}

export function dinov2Source(
  layout: Dinov2Layout,
): (weight: string, shape: Shape, config: VitConfig) => StoredWeight {
  return (weight, shape, config) => {
    if (weight === 'class_token') return tokenSource(layout, layout.classToken, 0, shape, config)
    if (weight === 'reg_tokens') return registerSource(layout, shape, config)
    if (weight === 'attn_pool.latent') return stored(weight, [1, ...shape])
    const { place, name } = locate(layout, weight)
    if (weight === 'conv_proj.weight' && typeof place === 'string') {
      // The kernel is [D, C, P, P]; as a matrix its rows are in order already.
      return stored(name(place), [sizeAt(shape, 0), config.channels, config.patchSize, config.patchSize])
    }
    if (typeof place === 'string') return stored(name(place), shape)
    if ('pieces' in place) return stacked(place.pieces.map(name), shape)
    return band(name(place.of), shape, place.half, 2)
  }
}

function locate(
  layout: Dinov2Layout,
  weight: string,
): { readonly place: Place; readonly name: (module: string) => string } {
  const [, block, module, vector] = /^(?:encoder\.block\.(\d+)\.)?(.+)\.(\w+)$/.exec(weight) ?? []
  const places = block === undefined ? layout.modules : layout.parts
  const place = module === undefined ? undefined : places[module]
  if (place === undefined)
    throw new Error(`The ${layout.dialect} layout does not say where ${weight} is kept.`)
  const prefix = block === undefined ? '' : `${layout.blocks}${block}.`
  const suffix = vector === 'gamma' ? layout.scale : vector
  return { place, name: (own) => `${prefix}${own}.${suffix}` }
}

/** Rows of the position table are added to a token where the table has rows for special tokens: first the class token's, then the registers'. */
function tokenSource(
  layout: Dinov2Layout,
  tensor: string,
  firstRow: number,
  shape: Shape,
  config: VitConfig,
): StoredWeight {
  const token = { tensor, shape: [1, ...shape] }
  const { positions, width } = config
  if (positions === null || !positions.specialRows) return stored(token.tensor, token.shape)
  const special = layout.placesRegisters ? specialTokens(config) : 1
  const rows = positions.rows * positions.columns + special
  return tokenWithPositions(token, { tensor: layout.positions, shape: [1, rows, width] }, firstRow)
}

function registerSource(layout: Dinov2Layout, shape: Shape, config: VitConfig): StoredWeight {
  if (!layout.placesRegisters) return stored(layout.registers, [1, ...shape])
  return tokenSource(layout, layout.registers, config.classToken ? 1 : 0, shape, config)
}
