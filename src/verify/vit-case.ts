/** Runs networks with stored weights, in Birder's and the other dialects, and compares every activation that the golden holds. */
import { Network } from '../encoder/network.js'
import { type Order, type Place, placeOrNull, ruleOf } from './activations.js'
import {
  type CaseContext,
  type Comparison,
  checkpointPaths,
  type GoldenCase,
  readExpected,
  readTensors,
  required,
} from './case.js'
import { compareOutputs } from './compare-outputs.js'
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
  await using model = await openCase(golden, context, path)
  const { vit } = model
  using network = await Network.load(vit, context.engine)
  const { position, size } = required(golden.run, 'run', golden)
  const positions = ruleOf(position, vit.config)
  const grid = network.gridOf(size)
  const plan = network.planFor(grid, { positions })
  const { shape } = required(golden.tensors?.input, 'tensors.input', golden)
  const batch = required(shape[0], 'batch in tensors.input', golden)
  const order: Order = golden.kind === 'dialect' ? 'canonical' : 'birder'

  const places = new Map<string, Place | null>()
  for (const tensor of expected.keys()) {
    // A table of angles is compared by what it turns.
    if (tensor !== 'input' && tensor !== 'rope.pos_embed') places.set(tensor, placeOrNull(tensor, plan))
  }
  const note = path.split('.').at(-1) ?? null
  const run = {
    network,
    plan,
    grid,
    batch,
    positions,
    input,
    expected,
    places,
    order,
    routers: [],
    final: FINAL,
    note,
  }
  yield* compareOutputs(golden, context, run)
}
