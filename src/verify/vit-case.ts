/**
 * Runs networks with stored weights, in Birder's and the other dialects, and compares every activation that the golden holds. Each checkpoint is run twice:
 * with all activations as outputs, so that each is seen, and with the last ones only, so that an engine's fusions are seen too.
 */
import { Network } from '../encoder/network.js'
import { arrange, type Order, type Place, placeOrNull, ruleOf } from './activations.js'
import {
  type CaseContext,
  type Comparison,
  checkpointPaths,
  type GoldenCase,
  readExpected,
  readTensors,
  required,
} from './case.js'
import { judge } from './judge.js'
import { openCase } from './open-case.js'

const FINAL = /^(tokens|forward_features|embedding|logits|probabilities|detection_features\..*)$/

export async function* runVitCase(
  golden: GoldenCase,
  context: CaseContext,
): AsyncGenerator<Comparison, void, undefined> {
  const expected = await readExpected(golden, context.open)
  const { path, tensor } = required(golden.input, 'input', golden)
  const inputs = await readTensors(await context.open(path), [tensor])
  const input = required(inputs.get(tensor), `tensor called ${tensor}`, golden)
  for (const checkpoint of checkpointPaths(golden)) {
    yield* runCheckpoint(golden, context, checkpoint, input, expected)
  }
}

async function* runCheckpoint(
  golden: GoldenCase,
  context: CaseContext,
  path: string,
  input: Float32Array,
  expected: ReadonlyMap<string, Float32Array>,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine, signal } = context
  await using model = await openCase(golden, context, path)
  const { vit } = model
  using network = await Network.load(vit, engine)
  const { position, size } = required(golden.run, 'run', golden)
  const rule = ruleOf(position, vit.config)
  const grid = network.gridOf(size)
  const plan = network.planFor(grid, rule)
  const { shape } = required(golden.tensors?.input, 'tensors.input', golden)
  const batch = required(shape[0], 'batch in tensors.input', golden)
  const order: Order = golden.kind === 'dialect' ? 'canonical' : 'birder'

  const places = new Map<string, Place | null>()
  for (const tensor of expected.keys()) {
    // A table of angles is compared by what it turns.
    if (tensor !== 'input' && tensor !== 'rope.pos_embed') places.set(tensor, placeOrNull(tensor, plan))
  }
  for (const fused of [false, true]) {
    const chosen = [...places].filter(([tensor]) => !fused || FINAL.test(tensor))
    const outputs = [...new Set(chosen.flatMap(([, place]) => (place === null ? [] : [place.slot])))]
    const run = { grid, batch, outputs, positions: rule, ...(signal === undefined ? {} : { signal }) }
    const values = await network.run(input, run)
    const note = `${path.split('.').at(-1)}${fused ? ', fused' : ''}`
    for (const [tensor, place] of chosen) {
      const all = place === null ? undefined : values.get(place.slot)
      const actual =
        all === undefined || place === null ? undefined : arrange(all, place, plan, vit.config, order, batch)
      const comparison = judge(engine.precision, golden, tensor, actual, expected.get(tensor), note)
      if (comparison !== null) yield comparison
    }
  }
}
