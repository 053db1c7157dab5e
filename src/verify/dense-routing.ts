/** Brings goldens of routings into the form that a plan has them in: of each routed token the weight of every expert. */
import type { Plan } from '../engine/plan.js'
import type { StepOf } from '../engine/step-table.js'

/**
 * Replaces `BLOCK.router.indices` and `BLOCK.router.weights`, which list the chosen alone, by [B, T, E] each: 1 or the weight for an expert that a token goes
 * to, else 0. Chosen are experts for each token, or tokens for each expert.
 */
export function denseRouting(
  expected: ReadonlyMap<string, Float32Array>,
  { steps, slots }: Plan,
  batch: number,
): ReadonlyMap<string, Float32Array> {
  const dense = new Map(expected)
  for (const [tensor, chosen] of expected) {
    const [, block] = /^(.+)\.router\.indices$/.exec(tensor) ?? []
    const weights = expected.get(`${block}.router.weights`)
    const route = steps.find((step) => step.op === 'route' && step.output === `${block}.mlp.router`)
    if (weights === undefined || route?.op !== 'route') continue
    const [rows = 0, experts = 0] = slots.get(route.output) ?? []
    const tokens = rows - route.firstRow
    const places = placesOf(chosen, route, { tokens, experts, batch })
    const spread = (values: (index: number) => number) => {
      const all = new Float32Array(batch * tokens * experts)
      for (const [index, place] of places.entries()) all[place] = values(index)
      return all
    }
    dense.set(
      tensor,
      spread(() => 1),
    )
    dense.set(
      `${block}.router.weights`,
      spread((index) => weights[index] ?? Number.NaN),
    )
  }
  return dense
}

function placesOf(
  chosen: Float32Array,
  { choice }: StepOf<'route'>,
  { tokens, experts, batch }: { readonly tokens: number; readonly experts: number; readonly batch: number },
): readonly number[] {
  const choosers = choice.kind === 'byExperts' ? experts : tokens
  const each = chosen.length / (batch * choosers)
  return Array.from(chosen, (found, index) => {
    const chooser = Math.floor(index / each)
    const image = Math.floor(chooser / choosers)
    const own = chooser % choosers
    const [token, expert] = choice.kind === 'byExperts' ? [found, own] : [own, found]
    return (image * tokens + token) * experts + expert
  })
}
