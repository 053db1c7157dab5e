/**
 * Takes attention, queries, keys, values and tokens of blocks out of a network. It is loaded with the first encode that asks for them (`insideFor`): most never do, and
 * a page waits for every byte that comes before its weights.
 */
import type { SlotName } from '../engine/plan.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid } from '../model/positions.js'
import type { VitConfig } from '../model/vit-config.js'
import { attendingOf } from './attending.js'
import { assertAllowed, attentionInspection, attentionMapOf, plannedAttention } from './attention-map.js'
import { given } from './choose-recipe.js'
import { facetOf, normedBlocks, slotOfFacet } from './facet.js'
import type { HeadNorms } from './head-norms.js'
import type { PlanChoice } from './network.js'
import type { FeatureChoice, StoppedFeatures } from './types.js'

type InsideChoice = Pick<FeatureChoice, 'attention' | 'facets'>

/** Says what a plan is asked for; undefined where its slots have it anyway. Throws as `attentionInspection` and `normedBlocks`. */
export function inspectionFor(
  { attention, facets = [] }: InsideChoice,
  config: VitConfig,
  grid: PatchGrid,
): PlanChoice['inspection'] {
  const normed = normedBlocks(facets, config)
  if (attention === undefined) return normed.length > 0 ? { normed } : undefined
  return { normed, ...attentionInspection(attention, config, grid) }
}

/** Names the slots that are needed for it. Throws `EngineError` `unsupported`. */
export function slotsInside(
  { attention, facets = [] }: InsideChoice,
  plan: VitPlan,
  config: VitConfig,
): readonly SlotName[] {
  const planned = attention === undefined ? [] : plannedAttention(attention, plan, config)
  return [...facets.map((facet) => slotOfFacet(plan, facet, config)), ...planned.map(([, { slot }]) => slot)]
}

/** Says how many images a run may have for their attention to be allowed. Throws RangeError where not even one may. */
export function imagesAllowed({ attention }: InsideChoice, config: VitConfig, grid: PatchGrid): number {
  return attention === undefined
    ? Number.POSITIVE_INFINITY
    : assertAllowed(attendingOf(config), grid, attention)
}

/** Gives what was asked for of one image. @param of gives the values of a slot */
export function seenInside(
  { attention, facets }: InsideChoice,
  {
    plan,
    config,
    headNorms,
  }: { readonly plan: VitPlan; readonly config: VitConfig; readonly headNorms: HeadNorms },
  of: (slot: SlotName) => Float32Array,
): Pick<StoppedFeatures, 'attention' | 'facets'> {
  return given({
    attention:
      attention &&
      plannedAttention(attention, plan, config).map((planned) =>
        attentionMapOf(attention, planned, of(planned[1].slot), config, plan.grid),
      ),
    facets: facets?.map((facet) =>
      facetOf(plan, facet, of(slotOfFacet(plan, facet, config)), config, headNorms),
    ),
  })
}
