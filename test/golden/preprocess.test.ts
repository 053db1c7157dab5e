/**
 * Compares decoding, resizing, cropping and normalising with Pillow, torch, Birder, Hugging Face, Facebook and timm, level by level. PNG is followed
 * from the file on; JPEG from Pillow's own pixels, beside a comparison of the decoders.
 */
import { describe, expect, test } from 'vitest'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { verifyListed } from '../../src/platform/node/verify-goldens.js'
import type { Comparison } from '../../src/verify/case.js'
import { openGoldens } from '../support/goldens.js'

const { root, cases } = openGoldens()
const goldens = cases('preprocess')
const engine = createReferenceEngine()
const comparisons: Comparison[] = []

describe('is equal to the library that made it', () => {
  test.each(goldens.map((golden) => [golden.id, golden] as const))('%s', async (_, golden) => {
    const own: Comparison[] = []
    for await (const comparison of verifyListed(root, [golden], { engine })) own.push(comparison)
    comparisons.push(...own)
    expect(own.filter(({ passed }) => !passed)).toEqual([])
    expect(own.length).toBeGreaterThan(2)
  })
})

test('every recipe, both orders of the passes, turned and normalised images were among them', () => {
  const count = (pattern: RegExp) => comparisons.filter(({ tensor }) => pattern.test(tensor)).length
  for (const recipe of [
    'birder',
    'birder-tv',
    'hugging-face-pil',
    'hugging-face-torchvision',
    'facebook',
    'timm',
  ])
    expect(count(new RegExp(`^${recipe}/`)), recipe).toBeGreaterThan(10)
  for (const kind of [/horizontal-first portable$/, /^upright /, /simple/, /center0\./]) {
    expect(count(kind), `${kind}`).toBeGreaterThan(0)
  }
  const stored = goldens.flatMap(({ expected, tensors = {} }) =>
    expected === undefined ? [] : Object.keys(tensors),
  )
  expect(count(/^normalised\//)).toBe(stored.filter((tensor) => tensor.startsWith('normalised/')).length)
})

test('nothing but JPEG decoding has a tolerance, and that is a level at most', () => {
  const loose = comparisons.filter(({ tolerance }) => tolerance > 0)
  expect(new Set(loose.map(({ tensor }) => tensor))).toEqual(new Set(['decoded']))
  expect(Math.max(...loose.map(({ tolerance }) => tolerance))).toBe(1)
})
