/** Runs a network on the input of a golden, and compares what it gives with every activation that the golden holds. */
import type { Network } from '../encoder/network.js'
import type { SlotName } from '../engine/plan.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import { arrange, type Order, type Place } from './activations.js'
import type { CaseContext, Comparison, GoldenCase } from './case.js'
import { judge } from './judge.js'

/** Says what is run, and where each tensor of the golden is in it. */
export interface ComparedRun {
  readonly network: Network
  readonly plan: VitPlan
  readonly grid: PatchGrid
  readonly batch: number
  readonly positions: PositionRule
  /** Is float32 [B, C, height, width], normalised. */
  readonly input: Float32Array
  readonly expected: ReadonlyMap<string, Float32Array>
  /** Is null for a tensor that the network does not have, which fails. */
  readonly places: ReadonlyMap<string, Place | null>
  readonly order: Order
  /** Tells the last tensors of a network, behind which an engine may fuse. */
  readonly final: RegExp
  /** Says which of several runs of the case it is; null where there is one. */
  readonly note: string | null
}

/** Runs it twice: with all activations as outputs, so that each is seen, and with the last ones only, so that an engine's fusions are seen too. */
export async function* compareOutputs(
  golden: GoldenCase,
  { engine, signal }: CaseContext,
  { network, plan, grid, batch, positions, input, expected, places, order, final, note }: ComparedRun,
): AsyncGenerator<Comparison, void, undefined> {
  for (const fused of [false, true]) {
    const chosen = [...places].filter(([tensor]) => !fused || final.test(tensor))
    const outputs = [...new Set(chosen.flatMap(([, place]) => (place === null ? [] : [place.slot])))]
    const run = { grid, batch, outputs, positions, ...(signal === undefined ? {} : { signal }) }
    const values: ReadonlyMap<SlotName, Float32Array> =
      outputs.length === 0 ? new Map() : await network.run(input, run)
    const notes = [...(note === null ? [] : [note]), ...(fused ? ['fused'] : [])]
    const told = notes.length === 0 ? undefined : notes.join(', ')
    for (const [tensor, place] of chosen) {
      const all = place === null ? undefined : values.get(place.slot)
      const actual =
        all === undefined || place === null
          ? undefined
          : arrange(all, place, plan, network.config, order, batch)
      const comparison = judge(engine.precision, golden, tensor, actual, expected.get(tensor), told)
      if (comparison !== null) yield comparison
    }
  }
}
