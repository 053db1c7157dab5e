/**
 * Says what the numbers of a result rest on. Two results may be compared only where all that changes them agrees: the weights' content, the config
 * and the recipe as they were resolved, the rule for positions, the precision, and the version of the numbers. What changes none of them is left
 * out: the names of files, the layout they are in, the engine and its threads.
 */
import type { Origin } from '../checkpoint/checkpoint.js'
import type { Engine } from '../engine/engine.js'
import { type Recipe, recipeIdentity } from '../image/recipe.js'
import { hasSizesOfItsOwn } from '../image/resize.js'
import { OVERLAP_RULE } from '../model/overlap.js'
import type { PositionRule } from '../model/positions.js'
import type { VitConfig } from '../model/vit-config.js'
import type { Identity } from './types.js'
import { digestOfText } from './weight-digest.js'

/** Is raised with a release that changes any number: of a network, of preprocessing, of decoding. */
export const NUMBERS_VERSION = 1

export interface ResultParts {
  /** Names the model after its file. */
  readonly name: string
  /** Is the digest of all canonical weights. */
  readonly weights: string
  /** Tells of which network the weights were made, whose matrices are in bytes. */
  readonly origin: Origin | null
  readonly config: VitConfig
  /** Names fields of the model's files that a person said to change nothing. */
  readonly ignoredFields: readonly string[]
  readonly recipe: Recipe
  /** Replaces the config's own rule. */
  readonly positions?: PositionRule | undefined
  /** Says how many pixels lie from one patch to the next, where they overlap. */
  readonly stride?: number
  readonly engine: Pick<Engine, 'name' | 'description' | 'precision'>
}

export function identityOf(parts: ResultParts): Identity {
  const { name, weights, origin, config, ignoredFields, recipe, engine, stride } = parts
  const { precision } = engine
  const settings = sortedJson({
    config: countingConfig(config),
    ...(ignoredFields.length === 0 ? {} : { ignoredFields }),
    numbers: NUMBERS_VERSION,
    positions: stride === undefined ? positionsUsed(config, recipe, parts.positions) : overlapping(parts),
    precision,
    recipe: countingRecipe(recipe),
    ...(stride === undefined ? {} : { stride }),
  })
  return {
    digest: digestOfText(`${weights}\n${settings}`),
    model: name,
    weights,
    settings,
    precision,
    recipe: recipeIdentity(recipe),
    engine: `${engine.name} ${engine.description}`,
    ...(origin === null ? {} : { origin: `int8 of ${origin.model}, weights ${origin.weights}` }),
  }
}

/**
 * Leaves out what no feature depends on: the name, which layers a backbone hands out, the trained size (the table's grid and the recipe's size
 * stay), the stored statistics (those that are used are the recipe's), the order of tokens in Birder, how a layout keeps positions, and that there is no head.
 */
function countingConfig({
  network: _network,
  taps: _taps,
  size: _size,
  rgbStats: _rgbStats,
  classFirst: _classFirst,
  positions,
  stem,
  pooling,
  head,
  ...counting
}: VitConfig): object {
  const sines = positions?.sines === undefined ? {} : { sines: positions.sines }
  const grid = positions === null ? null : { rows: positions.rows, columns: positions.columns, ...sines }
  return {
    ...counting,
    ...(head === null ? {} : { head }),
    stem: withoutFalse(stem),
    pooling: withoutFalse(pooling),
    positions: grid,
  }
}

/** A flag that is absent and one that is false say the same. */
function withoutFalse(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== false))
}

/**
 * Leaves out the name, since recipes of the same numbers make the same pixels, that JPEG is decoded whole, which nothing used to name, and how large an image is
 * refused.
 */
function countingRecipe({ name: _name, decode, resize, ...others }: Recipe): object {
  const { kind, ...sizes } = resize
  const counting = { ...others, resize: kind === 'scaled' ? { kind, ...sizes, maxPatches: null } : resize }
  return decode === 'whole' ? counting : { ...counting, decode }
}

/** Says how positions come to the grid of an input: as they are stored where it is always the stored grid, so that no rule is followed. */
function positionsUsed(
  { positions, patchSize }: VitConfig,
  { resize, size }: Recipe,
  rule: PositionRule | undefined,
): PositionRule | 'none' | 'stored' {
  if (positions === null) return 'none'
  const isStored = size[0] === positions.rows * patchSize && size[1] === positions.columns * patchSize
  return isStored && !hasSizesOfItsOwn(resize) ? 'stored' : (rule ?? positions.rule)
}

/** Patches that overlap are never those of the stored grid. */
function overlapping({ config, positions }: ResultParts): PositionRule | 'none' {
  return config.positions === null ? 'none' : (positions ?? OVERLAP_RULE)
}

/** Writes JSON with the keys of each object in their order, so that equal values give equal texts. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, found: unknown) => (isObject(found) ? sorted(found) : found))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(object: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
