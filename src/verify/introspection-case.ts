/** Runs what tools take out of a network: each family of such cases has a file of its own, and its line here. */
import type { Comparison, GoldenCase, GoldenContext } from './case.js'
import { runAttentionCase } from './introspection-attention.js'
import { runFacetCase } from './introspection-facets.js'
import { runMatchingCase } from './introspection-matching.js'
import {
  runMoeRoutingCase,
  runPcaCase,
  runRolloutCase,
  runRolloutsOfAttentionCase,
} from './introspection-tools.js'

type RunCase = (golden: GoldenCase, context: GoldenContext) => AsyncIterable<Comparison>

/** A family may be compared in several parts, each by its own runner. */
const RUNNERS: ReadonlyMap<unknown, readonly RunCase[]> = new Map<unknown, readonly RunCase[]>([
  ['attention', [runAttentionCase, runRolloutsOfAttentionCase]],
  ['feature-matching', [runMatchingCase]],
  ['moe-routing', [runMoeRoutingCase]],
  ['pca', [runPcaCase]],
  ['rollout', [runRolloutCase]],
  ['stride-facets', [runFacetCase]],
])

/** Tells whether cases of this family are run. */
export function isLookedInto({ family }: GoldenCase): boolean {
  return RUNNERS.has(family)
}

export async function* runIntrospectionCase(
  golden: GoldenCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  for (const run of RUNNERS.get(golden.family) ?? []) yield* run(golden, context)
}
