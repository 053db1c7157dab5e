/**
 * Tells of vectors that Birder, torch, torchvision and Pillow (make-vectors.py), timm and transformers (make-vectors-of-libraries.py) have made with their users'
 * usual mistakes how they were made.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { explainVector } from '../../src/platform/node/explain-vector.js'
import { LONG } from '../support/long.js'

interface Made {
  readonly name: string
  readonly settings: readonly string[]
  readonly vector: readonly number[]
}

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const vectors = ['vectors.json', 'vectors-of-libraries.json'].flatMap(
  (name) => (JSON.parse(readFileSync(at(name), 'utf8')) as { vectors: readonly Made[] }).vectors,
)
const model = at('../../models/mini/deit3_reg4_t14_tiny-imagenet.safetensors')

const READINGS: Readonly<Record<string, RegExp>> = {
  'as here': /embedding "class"/,
  'mean of the patches': /embedding "mean"/,
  'class token before the norm': /class token before the last norm/,
  logits: /logits/,
  'mean of all tokens': /mean of all tokens/,
  'class token and mean side by side': /embedding "class-mean"/,
  'largest of the patches': /largest/,
  'cropped, mean, levels': /embedding "mean"/,
  "timm's mean pooling": /embedding "mean"/,
  "timm's logits": /logits/,
  'all tokens of forward_features averaged': /mean of all tokens/,
  'last_hidden_state averaged': /mean of all tokens/,
}

describe('a vector made elsewhere', () => {
  // The search is the same for all of them: the short run takes each second one.
  const tried = vectors.filter((_, at) => LONG || at % 2 === 0)
  test.each(tried.map((made) => [made.name, made] as const))('%s', async (name, { settings, vector }) => {
    const found = await explainVector(at('photo.png'), Float32Array.from(vector), { model })
    expect(found.verdict).toBe('same')
    expect(found.changes.map(({ of }) => of).toSorted()).toEqual(settings)
    expect(found.reading).toMatch(READINGS[name] ?? /embedding "class"/)
    expect(found.isUnitLength).toBe(name === 'of length 1')
  })
})

test('a vector of nothing is called different, and one of another length is refused', async () => {
  const noise = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i * i))
  const found = await explainVector(at('photo.png'), noise, { model, maxRuns: 20 })
  expect(found.verdict).toBe('different')
  expect(found.runs).toBeLessThanOrEqual(21)
  const refused = explainVector(at('photo.png'), new Float32Array(191).fill(1), { model, maxRuns: 5 })
  await expect(refused).rejects.toThrow(/191 numbers/)
})
