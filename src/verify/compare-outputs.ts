/** Runs a network on the input of a golden, and compares what it gives with every activation that the golden holds. */
import { type Network, slotValues } from '../encoder/network.js'
import type { SlotName } from '../engine/plan.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import { sizeAt } from '../tensor/shape.js'
import { arrange, type Order, type Place } from './activations.js'
import { type CaseContext, type Comparison, type GoldenCase, required } from './case.js'
import { judge, judgeChoice, undecidedWithin } from './judge.js'
import { type Elsewhere, type Router, tokensElsewhere } from './tokens-elsewhere.js'

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
  /** Are those of a network of routed experts. */
  readonly routers: readonly Router[]
  /** Tells the last tensors of a network, behind which an engine may fuse. */
  readonly final: RegExp
  /** Says which of several runs of the case it is; null where there is one. */
  readonly note: string | null
}

/** Runs it twice: with all activations as outputs, so that each is seen, and with the last ones only, so that an engine's fusions are seen too. */
export async function* compareOutputs(
  golden: GoldenCase,
  { engine, signal }: CaseContext,
  compared: ComparedRun,
): AsyncGenerator<Comparison, void, undefined> {
  const { network, grid, batch, positions, input, places, final, note } = compared
  for (const fused of [false, true]) {
    const chosen = [...places].filter(([tensor]) => !fused || final.test(tensor))
    const routers = undecidedWithin(engine.precision) === null ? [] : compared.routers
    const slots = chosen.flatMap(([, place]) => (place === null ? [] : [place.slot]))
    const outputs = [...new Set([...slots, ...routers.flatMap(({ route }) => [route.input, route.output])])]
    const run = { grid, batch, outputs, positions, ...(signal === undefined ? {} : { signal }) }
    const values: ReadonlyMap<SlotName, Float32Array> =
      outputs.length === 0 ? new Map() : await network.run(input, run)
    const notes = [...(note === null ? [] : [note]), ...(fused ? ['fused'] : [])]
    const told = notes.length === 0 ? undefined : notes.join(', ')
    const elsewhere = new Set<number>()
    for (const router of routers) {
      const { rows, farthest } = elsewhereOf(golden, router, compared, values)
      for (const row of rows) elsewhere.add(row)
      yield judgeChoice(engine.precision, golden, router.route.output, { rows, farthest }, told)
    }
    for (const [tensor, place] of chosen) {
      const [actual, wanted] = pairOf(compared, tensor, place, values, elsewhere)
      const comparison = judge(engine.precision, golden, tensor, actual, wanted, told)
      if (comparison !== null) yield comparison
    }
  }
}

function elsewhereOf(
  golden: GoldenCase,
  router: Router,
  { expected }: ComparedRun,
  values: ReadonlyMap<SlotName, Float32Array>,
): Elsewhere {
  const { input, output } = router.route
  const wanted = expected.get(output.replace(/\.mlp\.router$/, '.router.indices'))
  return tokensElsewhere(
    router,
    slotValues(values, input),
    slotValues(values, output),
    required(wanted, `choice of experts for ${output}`, golden),
  )
}

/** Gives what is compared. Tokens that went to other experts are zeros in both, which count nothing in a cosine. */
function pairOf(
  { plan, network, order, batch, expected }: ComparedRun,
  tensor: string,
  place: Place | null,
  values: ReadonlyMap<SlotName, Float32Array>,
  elsewhere: ReadonlySet<number>,
): readonly [actual: Float32Array | undefined, expected: Float32Array | undefined] {
  const all = place === null ? undefined : values.get(place.slot)
  const wanted = expected.get(tensor)
  if (all === undefined || place === null) return [undefined, wanted]
  const arranged = (rows: Float32Array) => arrange(rows, place, plan, network.config, order, batch)
  const actual = arranged(all)
  if (elsewhere.size === 0 || place.layout !== 'tokens') return [actual, wanted]
  const width = sizeAt(plan.plan.slots.get(place.slot) ?? [], 1)
  const isKept = arranged(all.map((_, at) => (elsewhere.has(Math.floor(at / width)) ? 0 : 1)))
  const kept = (rows: Float32Array | undefined) => rows?.map((value, at) => (isKept[at] === 0 ? 0 : value))
  return [kept(actual), kept(wanted)]
}
