/** A network compiles a program once for what is alike, masks included. */
import { expect, test, vi } from 'vitest'
import { MINI } from '../../test/support/mini.js'
import type { EngineModel } from '../engine/engine.js'
import { createReferenceEngine } from '../engine/reference/reference-engine.js'
import { openVit } from '../platform/node/open-vit.js'
import { Network } from './network.js'

const grid = { rows: 2, columns: 2 }

async function loadCounted() {
  const engine = createReferenceEngine()
  const models: EngineModel[] = []
  const load = engine.load.bind(engine)
  vi.spyOn(engine, 'load').mockImplementation(async (...given) => {
    const model = await load(...given)
    models.push(model)
    return model
  })
  await using open = await openVit(MINI)
  const network = await Network.load(open.vit, engine)
  const [model] = models
  if (model === undefined) throw new Error('Nothing was loaded.')
  return { network, compiled: vi.spyOn(model, 'compile') }
}

test('images that share a mask share a program, and other masks, tokens or outputs have one of their own', async () => {
  const { network: owned, compiled } = await loadCounted()
  using network = owned
  const { channels, patchSize, width } = network.config
  const pixels = new Float32Array(channels * (2 * patchSize) ** 2).map((_, at) => Math.sin(at))
  const retained = (masked: readonly boolean[], token: number | null) =>
    ({
      kind: 'retention',
      masked,
      token: token === null ? null : new Float32Array(width).fill(token),
    }) as const
  const run = async (masking: Parameters<typeof network.runMasked>[1]['masking'], isEmbedding = false) => {
    const { plan, values } = await network.runMasked(pixels, { grid, masking }, ({ tokens, embedding }) =>
      isEmbedding ? [embedding] : [tokens],
    )
    return values.get(isEmbedding ? plan.slots.embedding : plan.slots.tokens)
  }
  const kept = [0, 3]
  const first = await run({ kind: 'omission', kept })
  expect(await run({ kind: 'omission', kept: [...kept] })).toEqual(first)
  expect(compiled).toHaveBeenCalledTimes(1)
  expect(await run({ kind: 'omission', kept: [0, 2] })).not.toEqual(first)
  expect(compiled).toHaveBeenCalledTimes(2)
  await run({ kind: 'omission', kept }, true)
  expect(compiled).toHaveBeenCalledTimes(3)

  const masked = [true, false, false, false]
  const zeroed = await run(retained(masked, null))
  expect(await run(retained(masked, null))).toEqual(zeroed)
  expect(compiled).toHaveBeenCalledTimes(4)
  expect(await run(retained(masked, 0.5))).not.toEqual(zeroed)
  expect(await run(retained(masked, 0.25))).not.toEqual(zeroed)
  expect(await run(retained([false, true, false, false], null))).not.toEqual(zeroed)
  expect(compiled).toHaveBeenCalledTimes(7)
})
