/** Judges what is asked of the inside of a network, before anything is read or computed. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { ATTENTION_OPTIONS, settleAttention } from './attention-map.js'
import { blockIndex } from './block-index.js'
import { checkChoice, checkFlag, checkWhole } from './check-options.js'
import type { AttentionChoice, FacetChoice, PatchPlace } from './inspected.js'
import type { EncoderDescription, FeatureChoice, StoppedChoice } from './types.js'

const FACET_OPTIONS = {
  layer: true,
  of: true,
  normed: true,
  columns: true,
} satisfies OptionNames<FacetChoice>

const PLACE_OPTIONS = { row: true, column: true } satisfies OptionNames<PatchPlace>

type Described = Pick<EncoderDescription, 'depth' | 'registers' | 'attends' | 'patchSize'>

/** Throws RangeError for a choice that makes no sense, or that the network cannot answer whatever the image. */
export function checkInspection(wanted: FeatureChoice & Partial<StoppedChoice>, described: Described): void {
  const { attention, facets = [], stride, stopAfter } = wanted
  if (attention !== undefined) checkAttention(attention, described)
  if (!Array.isArray(facets))
    throw new RangeError('The option facets is a list: [{ layer: -1, of: "k" }], say.')
  for (const facet of facets) checkFacet(facet, described)
  checkWhole('stride', stride, 1)
  if (stride !== undefined && stride > described.patchSize) {
    throw new RangeError(
      `The option stride is ${stride}; it must be at most ${described.patchSize}, a patch's side: pixels between patches would be seen by none.`,
    )
  }
  if (stopAfter !== undefined) checkStop(stopAfter, wanted, described)
}

function checkAttention(attention: AttentionChoice, described: Described): void {
  checkOptionNames(attention, ATTENTION_OPTIONS)
  const { heads, from, layers, maxBytes, inexact = false } = attention
  checkFlag('attention.inexact', inexact)
  if (typeof heads === 'string') checkChoice('attention.heads', heads, ['each', 'mean', 'max', 'min'])
  if (typeof from === 'string')
    checkChoice('attention.from', from, ['class', 'registers', 'special', 'patches', 'all', 'probe'])
  else for (const place of from ?? []) checkOptionNames(place, PLACE_OPTIONS)
  if (layers?.length === 0) throw new RangeError('The option attention.layers lists no layer.')
  checkWhole('attention.maxBytes', maxBytes, 1)
  settleAttention(attention, described)
  if (!described.attends.exact && !inexact)
    throw new RangeError(
      "Activations are multiplied in bytes here (int8): rows of attention have cosines down to 0.99 with those of float32, and 0.999 is promised. Load the model in the precision 'bfloat16' or 'float32', or take them as they are: attention.inexact, --inexact of picture, --attention-inexact of features.",
    )
}

function checkFacet(facet: FacetChoice, { depth }: Described): void {
  checkOptionNames(facet, FACET_OPTIONS)
  const { layer, of, normed, columns } = facet
  if (of === undefined) throw new RangeError('A facet says what it is of: q, k, v or token.')
  checkChoice('facets.of', of, ['q', 'k', 'v', 'token'])
  checkFlag('facets.normed', normed)
  checkChoice('facets.columns', columns, ['by-head', 'by-channel'])
  blockIndex(layer, depth)
  if (of === 'v' && normed === true)
    throw new RangeError('No network has a norm on values: leave normed out of the facet v.')
  if (of === 'token' && columns === 'by-channel') {
    throw new RangeError(
      'Tokens have no heads, so that their columns lie one way: leave columns out of the facet token.',
    )
  }
}

function checkStop(
  stopAfter: number,
  { attention, facets = [], layers = [], preNorm, tta }: FeatureChoice,
  described: Described,
): void {
  const { depth } = described
  const last = blockIndex(stopAfter, depth)
  const instead = `${last} is the last block that is computed (stopAfter)`
  if (preNorm === true || tta === true) {
    throw new RangeError(
      `The option ${preNorm === true ? 'preNorm' : 'tta'} asks for what stands behind all blocks, and ${instead}: leave one of the two out.`,
    )
  }
  const blocks = attention === undefined ? [] : settleAttention(attention, described).blocks
  if (blocks === null) {
    throw new RangeError(
      `The query of a pooling head stands behind all blocks, and ${instead}: say whose attention is wanted (attention.from).`,
    )
  }
  const wanted = [...layers, ...facets.map(({ layer }) => layer)].map((layer) => blockIndex(layer, depth))
  const beyond = [...wanted, ...blocks].find((block) => block > last)
  if (beyond !== undefined)
    throw new RangeError(`Hidden layer ${beyond} is asked for, and ${instead}: raise it, or leave it out.`)
  if (wanted.length + blocks.length === 0)
    throw new RangeError(
      `Nothing is asked for of the blocks, and ${instead}: add layers, facets or attention.`,
    )
}
