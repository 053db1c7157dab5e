/** Says what the options for the inside of a network come to for a model; it is loaded by the command that has them, since others begin sooner without it. */
import { assertAllowed, settleAttention } from '../encoder/attention-map.js'
import { blockIndex } from '../encoder/block-index.js'
import { checkInspection } from '../encoder/check-inspection.js'
import { given } from '../encoder/choose-recipe.js'
import { encodeLike } from '../encoder/like.js'
import type { AttentionChoice, FacetChoice, FeatureChoice } from '../encoder/types.js'
import type { Recipe } from '../image/recipe.js'
import { hasSizesOfItsOwn } from '../image/resize.js'
import { patchesAlong } from '../model/overlap.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { UsageError } from './cli-error.js'
import type { Wanted } from './feature-arrays.js'
import { facetName, type LookOptions } from './look-options.js'

/** Is what the options come to for a model. */
export interface Look extends Pick<Wanted, 'attention' | 'facets'> {
  readonly choice: FeatureChoice
  /** Says what the names do not, for the work's identity. */
  readonly what: string
}

/** Settles the options for a model. Throws UsageError for what it has not, and for attention of more bytes than are allowed where each image has one size. */
export function lookingInto(options: LookOptions, encoder: FileEncoder): Look {
  try {
    const choice = choiceOf(options, encoder)
    checkInspection(choice, encoder)
    if (choice.attention !== undefined) assertRoom(choice.attention, encoder, choice.stride)
    return { choice, ...namesOf(choice, encoder) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const names =
      ' On the command line these are --attention, --attention-heads, --attention-from, --attention-bytes and --attention-inexact.'
    throw new UsageError(`${error.message}${/attention\.\w/.test(error.message) ? names : ''}`)
  }
}

function choiceOf(options: LookOptions, encoder: FileEncoder): FeatureChoice {
  const { attention, attentionHeads: heads, attentionFrom: from, like } = options
  const { attentionBytes: maxBytes, attentionInexact: inexact } = options
  if (like !== undefined) {
    const choice = encodeLike(like.name, like.show, encoder)
    return choice.attention === undefined
      ? choice
      : { ...choice, attention: { ...choice.attention, ...given({ maxBytes, inexact }) } }
  }
  const all = Array.from({ length: encoder.depth }, (_, block) => block)
  const layers = attention === 'all' ? all : attention === 'last' ? undefined : attention
  const facets = options.facets && numbered(options.facets, encoder.depth)
  return given({
    attention: attention === undefined ? undefined : given({ layers, heads, from, maxBytes, inexact }),
    facets,
    stride: options.stride,
  })
}

/** One block may be named by two numbers: it has one array. */
function numbered(facets: readonly FacetChoice[], depth: number): readonly FacetChoice[] {
  const named = facets.map((facet) => {
    const settled = { ...facet, layer: blockIndex(facet.layer, depth) }
    return [facetName(settled), settled] as const
  })
  return [...new Map(named).values()]
}

/** What would make every single image fail is told before the first. */
function assertRoom(choice: AttentionChoice, encoder: FileEncoder, stride = encoder.patchSize): void {
  const { recipe } = JSON.parse(encoder.identity.settings) as { readonly recipe?: Pick<Recipe, 'resize'> }
  if (recipe === undefined || hasSizesOfItsOwn(recipe.resize)) return
  const [rows, columns] = encoder.size.map((side) => patchesAlong(side, encoder.patchSize, stride))
  if (rows !== undefined && columns !== undefined) assertAllowed(encoder, { rows, columns }, choice)
}

function namesOf({ attention, facets = [] }: FeatureChoice, encoder: FileEncoder): Omit<Look, 'choice'> {
  const names = facets.map((facet) => facetName({ ...facet, layer: blockIndex(facet.layer, encoder.depth) }))
  if (attention === undefined) return { attention: [], facets: names, what: '' }
  const { blocks, heads, from } = settleAttention(attention, encoder)
  return {
    attention: (blocks ?? ['probe']).map((block) => `attention.${block}`),
    facets: names,
    what: `, heads ${String(heads)} from ${String(from)}`,
  }
}
