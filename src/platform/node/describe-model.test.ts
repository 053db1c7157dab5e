import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import { describeModel } from './describe-model.js'

test('says what a model is and what running it takes, from its headers', async () => {
  const description = await describeModel(MINI, { engine: 'reference', size: [28, 42] })
  expect(description).toMatchObject({
    source: MINI,
    path: MINI,
    fileBytes: statSync(MINI).size,
    format: 'safetensors',
    dialect: 'birder',
    network: 'deit3_reg4_t14',
    config: { width: 192, depth: 12, registers: 4, patchSize: 14 },
    recipe: 'birder 28x42 exif-applied pillow-13',
    engine: { name: 'reference', precision: 'float64', reason: 'asked for' },
  })
  expect(description.memory.weights).toBe(4 * description.parameters)
  const larger = await describeModel(MINI, { engine: 'reference', size: [56, 84] })
  expect(larger.memory.activations).toBeGreaterThan(description.memory.activations)
  expect(description.input).toMatchObject({ size: [28, 42], tokens: 5 + 2 * 3 })
  const tokens = 5 + 4 * 6
  expect(larger.memory.attention).toBe(4 * 3 * tokens ** 2)
  expect(larger.seconds).toBeGreaterThan(description.seconds ?? Number.NaN)
  const own = await describeModel(MINI, { engine: 'reference' })
  expect(own.seconds).toBeNull()
})

test('the options of loading count: entries of the config that are overridden, and what Node lacks', async () => {
  const { config } = await describeModel(MINI, { engine: 'reference', config: { out_indices: [2, 5] } })
  expect(config.taps).toEqual([
    { layer: 3, isNormed: false },
    { layer: 6, isNormed: false },
  ])
  await expect(describeModel(MINI, { sha256: '0'.repeat(64) })).rejects.toThrow(/no option sha256 in Node/)
  const { input } = await describeModel(MINI, { engine: 'reference', longest: 224 })
  expect(input.size).toEqual([224, 224])
  await expect(describeModel(MINI, { size: 29 })).rejects.toThrow(/nearest size is 28 x 28/)
})
