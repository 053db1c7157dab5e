/** The engines of this test compute nothing: each gives numbers that it was made with, so that what is said of them is known beforehand. */
import { expect, test } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import type { Engine, EngineName, Precision } from '../../engine/engine.js'
import { EngineError } from '../../engine/engine-error.js'
import { slotLength } from '../../engine/plan-lookup.js'
import { openVit } from '../../platform/node/open-vit.js'
import type { Candidate } from './find-truth.js'
import { verifyModel } from './verify-model.js'

let held = 0

/** @param turned is how far its vectors are turned away from those that are right, as a tangent */
function candidate(engine: EngineName, precision: Precision, turned: number): Candidate {
  return { engine, precision, open: async () => giving(engine, precision, turned) }
}

function giving(name: EngineName, precision: Precision, turned: number): Engine {
  return {
    name,
    precision,
    description: 'made for a test',
    supports: () => true,
    async load() {
      held++
      expect(held, 'models in memory').toBe(1)
      return {
        byteLength: 8,
        compile: (plan, outputs) => ({
          activationBytes: () => 8,
          run: async () =>
            new Map(
              outputs.map((slot) => [
                slot,
                Float32Array.from(
                  { length: slotLength(plan, slot) },
                  (_, i) => 1 + (i % 2 === 0 ? turned : -turned),
                ),
              ]),
            ),
          profile: () => Promise.reject(new Error('not in this test')),
          [Symbol.dispose]() {},
        }),
        [Symbol.dispose]: () => void held--,
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Is so large that the reference engine is not asked for all of it. */
const LARGE = { pixels: new Float32Array(3 * 1120 * 1120), height: 1120, width: 1120 }
const SMALL = { pixels: new Float32Array(3 * 112 * 112), height: 112, width: 112 }

async function tried(photo: typeof LARGE, candidates: readonly Candidate[], signal?: AbortSignal) {
  await using open = await openVit(MINI)
  return await verifyModel({
    model: { vit: open.vit, positions: undefined },
    name: 'made',
    photos: [photo],
    reference: candidate('reference', 'float64', 0),
    candidates,
    isWanted: () => true,
    onTry: () => {},
    signal,
  })
}

const refusing: Candidate = {
  engine: 'webgpu',
  precision: 'float32',
  open: () => Promise.reject(new EngineError('unavailable', 'There is no GPU.')),
}

test('small work is held against the reference engine; a broken promise and a refusal are rows, and no end', async () => {
  const found = await tried(SMALL, [
    candidate('native', 'float32', 1e-6),
    candidate('native', 'int8', 0.2),
    refusing,
    candidate('wasm', 'int8', 0.05),
  ])
  expect(found.truth).toEqual({ engine: 'reference', precision: 'float64', check: null })
  expect(found.rows).toMatchObject([
    { engine: 'reference', isTruth: true, isKept: true },
    { engine: 'native', precision: 'float32', isKept: true, promise: 0.9999999 },
    { engine: 'native', precision: 'int8', isKept: false, promise: 0.995 },
    { kind: 'refused', engine: 'webgpu', reason: 'There is no GPU.' },
    { engine: 'wasm', precision: 'int8', isKept: true },
  ])
  expect(found.recommended?.isKept).toBe(true)
  expect(held).toBe(0)
})

test('large work is held against the first float32 that runs, with which the reference has agreed on a piece', async () => {
  const found = await tried(LARGE, [
    refusing,
    candidate('wasm', 'float32', 0),
    candidate('wasm', 'int8', 0.05),
  ])
  expect(found.truth).toMatchObject({ engine: 'wasm', precision: 'float32', check: { isKept: true } })
  const [side = 0, other] = found.truth.check?.size ?? []
  expect(side).toBe(other)
  expect(side).toBeLessThan(LARGE.height)
  // The reference has not computed the photo, so that it is no row.
  expect(found.rows.map(({ engine, precision }) => `${engine} ${precision}`)).toEqual([
    'webgpu float32',
    'wasm float32',
    'wasm int8',
  ])
  expect(found.rows[1]).toMatchObject({ isTruth: true, isKept: true, photos: 1 })
})

test('nothing is recommended beside a float32 that the reference engine does not agree with', async () => {
  const found = await tried(LARGE, [candidate('native', 'float32', 0.1), candidate('native', 'int8', 0.1)])
  expect(found.truth.check?.isKept).toBe(false)
  expect(found.recommended).toBeNull()
})

test('an abort is no refusal: it ends all of it with its reason', async () => {
  const reason = new Error('enough')
  const given = new AbortController()
  const aborting: Candidate = {
    ...refusing,
    open: () => {
      given.abort(reason)
      return refusing.open()
    },
  }
  await expect(tried(SMALL, [aborting], given.signal)).rejects.toBe(reason)
  expect(held).toBe(0)
})
