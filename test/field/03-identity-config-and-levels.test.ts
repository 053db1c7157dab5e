/** Field case 3: between two runs into one output a person corrects the processor's mean and std, then the heads in config.json. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectNothingSilent, workplaceWith } from './real-commands.js'

const CASE = join(import.meta.dirname, '01-identity-of-shards')
const MODEL = 'model/model.safetensors.index.json'
const EMBED = ['embed', 'photo.png', '-m', MODEL]

function edit(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
}

test.each([
  ['mean and std', 'preprocessor_config.json', { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }],
  ['the crop', 'preprocessor_config.json', { crop_size: { height: 28, width: 14 } }],
  ['heads', 'config.json', { num_attention_heads: 4 }],
  ['epsilon', 'config.json', { layer_norm_eps: 1e-3 }],
] as const)('a correction of %s is not answered with old numbers', async (_what, file, change) => {
  using folder = workplaceWith({ model: join(CASE, 'model-a'), 'photo.png': join(CASE, 'photos/1.png') })
  expect((await folder.run(...EMBED, '-o', 'out.jsonl')).code).toBe(0)
  const before = folder.read('out.jsonl')
  edit(join(folder.path, 'model', file), change)
  await folder.run(...EMBED, '-o', 'fresh.jsonl')
  const fresh = folder.read('fresh.jsonl')
  expect(fresh).not.toBe(before)
  const outcome = await folder.run(...EMBED, '-o', 'out.jsonl')
  expectNothingSilent(outcome, folder.read('out.jsonl'), before, fresh)
})
