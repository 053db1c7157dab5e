/**
 * Networks with stored weights, in Birder's and the other dialects: every activation that the golden holds. Each checkpoint is run twice:
 * with all activations as outputs, so that each is seen, and with the last ones only, so that an engine's fusions are seen too.
 */
import { join } from 'node:path'
import { Network } from '../../../encoder/network.js'
import type { PositionRule } from '../../../model/positions.js'
import { openVit } from '../open-vit.js'
import { arrange, type Order, type Place, placeOrNull } from './activations.js'
import { type CaseContext, type Comparison, type GoldenCase, isWhole, readTensors } from './case.js'
import { judge } from './judge.js'

/** What Birder's `adjust_size` and `set_dynamic_size` do; a dialect's own rule comes with the checkpoint. */
const RULES: Readonly<Record<string, PositionRule>> = { adjust: 'antialias', dynamic: 'bicubic' }

const FINAL = /^(tokens|forward_features|embedding|logits|probabilities|detection_features\..*)$/

export async function* runVitCase(
  golden: GoldenCase,
  context: CaseContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { root } = context
  const expected = await readTensors(join(root, golden.expected?.path ?? ''))
  const input = (await readTensors(join(root, golden.input?.path ?? ''), [golden.input?.tensor ?? ''])).get(
    golden.input?.tensor ?? '',
  )
  for (const { path } of golden.checkpoints ?? []) {
    if (!isWhole(path)) continue
    yield* runCheckpoint(golden, context, path, input ?? new Float32Array(), expected)
  }
}

async function* runCheckpoint(
  golden: GoldenCase,
  { root, engine, signal }: CaseContext,
  path: string,
  input: Float32Array,
  expected: ReadonlyMap<string, Float32Array>,
): AsyncGenerator<Comparison, void, undefined> {
  await using open = await openVit(join(root, path), {
    ...(golden.network === undefined ? {} : { network: golden.network }),
    ...(golden.network_parameters === undefined ? {} : { heads: golden.network_parameters.heads }),
  })
  const { vit } = open
  using network = await Network.load(vit, engine)
  const position = golden.run?.position ?? ''
  const rule = RULES[position] ?? vit.config.positions?.rule ?? 'antialias'
  const grid = network.gridOf(golden.run?.size ?? vit.config.size)
  const plan = network.planFor(grid, rule)
  const batch = golden.tensors?.input.shape[0] ?? 1
  const order: Order = golden.kind === 'dialect' ? 'canonical' : 'birder'

  const places = new Map<string, Place | null>()
  for (const tensor of expected.keys()) {
    if (tensor !== 'input') places.set(tensor, placeOrNull(tensor, plan, vit.config))
  }
  for (const fused of [false, true]) {
    const chosen = [...places].filter(([tensor]) => !fused || FINAL.test(tensor))
    const outputs = [...new Set(chosen.flatMap(([, place]) => (place === null ? [] : [place.slot])))]
    const values = await network.run(input, {
      grid,
      batch,
      outputs,
      positions: rule,
      ...(signal === undefined ? {} : { signal }),
    })
    for (const [tensor, place] of chosen) {
      const all = place === null ? undefined : values.get(place.slot)
      const actual =
        all === undefined || place === null ? undefined : arrange(all, place, plan, vit.config, order, batch)
      const comparison = judge(
        engine.precision,
        golden,
        tensor,
        actual,
        expected.get(tensor),
        `${path.split('.').at(-1)}${fused ? ', fused' : ''}`,
      )
      if (comparison !== null) yield comparison
    }
  }
}
