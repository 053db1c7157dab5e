/** Takes queries, keys, values and tokens of single blocks out of a network. */
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import { headsLast, takeColumns } from '../kernels/take-columns.js'
import type { VitPlan } from '../model/plan-vit.js'
import { specialTokens, type VitConfig } from '../model/vit-config.js'
import { blockIndex } from './block-index.js'
import { type HeadNorms, headNormsOf, normaliseHeads } from './head-norms.js'
import type { Facet, FacetChoice } from './inspected.js'

const PARTS = ['q', 'k', 'v'] as const

/** Lists the blocks whose tokens are wanted behind the final norm. Throws `unsupported` for a network that has no norm of single tokens. */
export function normedBlocks(facets: readonly FacetChoice[], config: VitConfig): readonly number[] {
  const blocks = facets
    .filter(({ of, normed }) => of === 'token' && normed === true)
    .map(({ layer }) => blockIndex(layer, config.depth))
  if (blocks.length > 0 && (config.finalNorm !== 'tokens' || config.neck !== null)) {
    throw new EngineError(
      'unsupported',
      'No norm follows the tokens of this network, so that there are none behind one. Leave normed out: tokens are then as they leave the block.',
    )
  }
  return [...new Set(blocks)]
}

/** Names the slot that a facet is taken out of. Throws `unsupported` where the network has none such. */
export function slotOfFacet({ inspected, slots }: VitPlan, facet: FacetChoice, config: VitConfig): SlotName {
  const block = blockIndex(facet.layer, config.depth)
  const slot =
    facet.of === 'token'
      ? facet.normed === true
        ? inspected.normed.get(block)
        : slots.blocks[block]
      : inspected.projected.get(block)?.slot
  if (slot !== undefined) return slot
  throw new EngineError(
    'unsupported',
    `A block of this network attends ${config.branches} times side by side, so that it has no queries, keys and values of its own. Its tokens can be had.`,
  )
}

/**
 * Takes a facet out of the values of its slot for one image.
 *
 * @param values float32 [rows, D] for tokens, [rows, 3 * D] else
 */
export function facetOf(
  plan: VitPlan,
  choice: FacetChoice,
  values: Float32Array,
  config: VitConfig,
  headNorms: HeadNorms,
): Facet {
  const { of, normed = false, columns = 'by-head' } = choice
  const { width, registers, heads } = config
  const layer = blockIndex(choice.layer, config.depth)
  const parted = (tokens: Float32Array) => {
    const firstPatch = specialTokens(config) * width
    const firstRegister = firstPatch - registers * width
    return {
      patches: tokens.subarray(firstPatch),
      classToken: tokens.subarray(0, firstRegister),
      registers: tokens.subarray(firstRegister, firstPatch),
    }
  }
  if (of === 'token') return { layer, of, normed, heads: 1, width, ...parted(values) }
  const { grid, inspected } = plan
  const tokens = inspected.projected.get(layer)?.tokens ?? null
  const taken = new Float32Array((specialTokens(config) + grid.rows * grid.columns) * width)
  takeColumns(values, 3 * width, PARTS.indexOf(of) * width, tokens, width, taken)
  const rows = normed && of !== 'v' ? normaliseHeads(taken, headNormsOf(headNorms, layer)[of], config) : taken
  return {
    layer,
    of,
    normed,
    heads,
    width,
    ...parted(columns === 'by-channel' ? headsLast(rows, heads, width) : rows),
  }
}
