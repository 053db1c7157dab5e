/**
 * Networks of timm and transformers whose tensors look alike, and whose configs tell them apart, give what their libraries give: tolerances are
 * sixteen times the noise that PyTorch itself shows on the tensor. families/cases.json was chosen from the goldens of further families.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { Network, slotValues } from '../../src/encoder/network.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { readVit } from '../../src/model/read-vit.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { folderOfFieldCase } from './folder-of-field-case.js'

interface FamilyCase {
  readonly id: string
  readonly checkpoint: string
  readonly expected: string
  readonly input: { readonly path: string; readonly tensor: string }
  readonly size: readonly [height: number, width: number]
  readonly atol: { readonly [output: string]: number }
}

const FOLDER = folderOfFieldCase('families')
const cases: readonly FamilyCase[] = JSON.parse(readFileSync(join(FOLDER, 'cases.json'), 'utf8'))
const open = async (path: string) => await openCheckpoint(await openFile(join(FOLDER, path)))

async function read(path: string, tensor: string) {
  await using file = await open(path)
  const { shape } = await file.read(tensor)
  return { shape, values: toFloat32(await file.read(tensor)) }
}

test.each(cases.map((one) => [one.id, one] as const))(
  '%s',
  async (_id, { checkpoint, expected, input, size, atol }) => {
    await using file = await open(checkpoint)
    const configFile = JSON.parse(readFileSync(join(FOLDER, dirname(checkpoint), 'config.json'), 'utf8'))
    using network = await Network.load(readVit(file, { configFile }), createReferenceEngine())
    const grid = network.gridOf(size)
    const { slots } = network.planFor(grid)
    const pixels = await read(input.path, input.tensor)
    const [batch = 1] = pixels.shape
    const outputs = Object.entries(atol).map(([name, tolerance]) => {
      const slot = { embedding: slots.embedding, tokens: slots.tokens, logits: slots.logits }[name]
      if (slot === undefined || slot === null) throw new Error(`The network gives no ${name}.`)
      return { name, slot, tolerance }
    })
    const run = { grid, batch, outputs: outputs.map(({ slot }) => slot) }
    const values = await network.run(pixels.values, run)
    expect(outputs.length).toBeGreaterThan(0)
    for (const { name, slot, tolerance } of outputs) {
      const right = (await read(expected, name)).values
      const found = slotValues(values, slot)
      expect(found.length, name).toBe(right.length)
      expect(largestDifference(found, right), name).toBeLessThanOrEqual(tolerance)
    }
  },
)
