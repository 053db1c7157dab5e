/**
 * Networks with stored weights, in Birder's and the other dialects: every activation that the golden holds. Each checkpoint is run twice:
 * with all activations as outputs, so that each is seen, and with the last ones only, so that an engine's fusions are seen too.
 */
import type { PlainValue } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import { Network } from '../encoder/network.js'
import type { PositionRule } from '../model/positions.js'
import { readVit } from '../model/read-vit.js'
import { arrange, type Order, type Place, placeOrNull } from './activations.js'
import {
  type CaseContext,
  type Comparison,
  type GoldenCase,
  isWhole,
  type OpenSource,
  readTensors,
} from './case.js'
import { judge } from './judge.js'

/** What Birder's `adjust_size` and `set_dynamic_size` do; a dialect's own rule comes with the checkpoint. */
const RULES: Readonly<Record<string, PositionRule>> = { adjust: 'antialias', dynamic: 'bicubic' }

const FINAL = /^(tokens|forward_features|embedding|logits|probabilities|detection_features\..*)$/

export async function* runVitCase(
  golden: GoldenCase,
  context: CaseContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { open } = context
  const expected = await readTensors(await open(golden.expected?.path ?? ''))
  const name = golden.input?.tensor ?? ''
  const input = (await readTensors(await open(golden.input?.path ?? ''), [name])).get(name)
  for (const { path } of golden.checkpoints ?? []) {
    if (!isWhole(path)) continue
    yield* runCheckpoint(golden, context, path, input ?? new Float32Array(), expected)
  }
}

async function* runCheckpoint(
  golden: GoldenCase,
  { open, engine, signal }: CaseContext,
  path: string,
  input: Float32Array,
  expected: ReadonlyMap<string, Float32Array>,
): AsyncGenerator<Comparison, void, undefined> {
  const beside = (name: string) => open(path.replace(/[^/]*$/, name))
  await using checkpoint = await openCheckpoint(await open(path), { openSibling: beside })
  const configFile = await readJsonOrUndefined(() => beside('config.json'))
  const vit = readVit(checkpoint, {
    ...(configFile === undefined ? {} : { configFile }),
    ...(golden.network === undefined ? {} : { network: golden.network }),
    ...(golden.network_parameters === undefined ? {} : { heads: golden.network_parameters.heads }),
  })
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

async function readJsonOrUndefined(open: () => Promise<OpenSource>): Promise<PlainValue | undefined> {
  try {
    await using source = await open()
    return JSON.parse(new TextDecoder().decode(await source.read(0, source.size))) as PlainValue
  } catch (error) {
    if (error instanceof CheckpointError && error.code === 'not-found') return undefined
    throw error
  }
}
