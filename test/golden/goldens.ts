/**
 * The golden cases are one test each, on every engine path that this machine has. A case passes when each of its tensors is within the tolerance that
 * came with it. Positions, in which no engine has a part, run once. The network of real size runs once in each precision, on the fastest path that has
 * it, and not on the reference engine, which would take an hour; in test/conformance the further paths are compared with that one on blocks of
 * its size, and with the reference on as many tokens as a large image has.
 */
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { type Comparison, verifyListed } from '../../src/platform/node/verify-goldens.js'
import type { GoldenCase } from '../../src/verify/case.js'
import { ENGINE_VARIANTS, type EngineVariant, NETWORK_VARIANTS, NOT_TRIED } from '../support/engines.js'
import { openGoldens } from '../support/goldens.js'
import { LONG } from '../support/long.js'
import { SharedWeights } from '../support/shared-weights.js'

const goldens = openGoldens()
const ENGINE_KINDS = ['vit', 'dialect', 'end-to-end', 'malformed']
const COMPUTED_KINDS = ['vit', 'dialect', 'end-to-end']
/** A GPU's ways to multiply have nothing to do with how activations differ, and an emulation compiles each for seconds. */
const WAY_KINDS = ['end-to-end']

async function failuresOf(
  golden: GoldenCase,
  engine: Engine,
): Promise<{ failures: Comparison[]; count: number }> {
  const failures: Comparison[] = []
  let count = 0
  for await (const comparison of verifyListed(goldens.root, [golden], { engine })) {
    count++
    if (!comparison.passed) failures.push(comparison)
  }
  return { failures, count }
}

function testKinds(
  kinds: readonly string[],
  makeEngine: () => Engine | Promise<Engine>,
  // The first one on an emulated GPU waits for its shaders.
  timeoutMs = 300_000,
  isMeant: (golden: GoldenCase) => boolean = () => true,
): void {
  const cases = kinds.flatMap((kind) => goldens.cases(kind)).filter(isMeant)
  test.each(cases.map((golden) => [golden.id, golden] as const))(
    '%s',
    async (_, golden) => {
      const { failures, count } = await failuresOf(golden, await makeEngine())
      expect(failures).toEqual([])
      expect(count, 'comparisons made').toBeGreaterThan(0)
    },
    timeoutMs,
  )
}

describe('whatever the engine', () => testKinds(['position'], createReferenceEngine))

describe('on the reference engine', () => testKinds(ENGINE_KINDS, createReferenceEngine))

for (const line of NOT_TRIED) console.log(`Not run: ${line}.`)
for (const variant of NETWORK_VARIANTS) {
  const { name, precision, engine } = variant
  if (isShownElsewhere(variant)) continue
  const kinds = isWay(variant) ? WAY_KINDS : precision === 'float32' ? ENGINE_KINDS : COMPUTED_KINDS
  describe(`on ${name}`, () => testKinds(kinds, engine))
  if (!isFirstOfItsPrecision(variant)) continue
  describe(`a network of real size, ${name}`, () => {
    let weights: SharedWeights | undefined
    afterAll(() => weights?.[Symbol.dispose]())
    const makeEngine = async () => {
      weights ??= new SharedWeights(await engine())
      return weights.engine
    }
    testKinds(['large'], makeEngine, 600_000, isOfThisRun)
  })
}

/** The whole network is there in one case; others have other sizes and batches, which small ones have too. */
function isOfThisRun({ id }: GoldenCase): boolean {
  return LONG || id === 'large/518'
}

/** Engines and their paths come fastest first. */
function isFirstOfItsPrecision(variant: EngineVariant): boolean {
  const isLike = (other: EngineVariant) => other.precision === variant.precision && !takesMinutes(other)
  return ENGINE_VARIANTS.find(isLike) === variant
}

/** The long run has a GPU's first way run everything. */
function isWay({ name, precision }: EngineVariant): boolean {
  return name.startsWith('webgpu') && (!LONG || precision !== 'float32')
}

/** How weights are stored has nothing to do with threads, nor with anything but products, each of which is tried by itself. */
function isShownElsewhere({ name, precision }: EngineVariant): boolean {
  if (precision === 'float32') return false
  if (name.startsWith('webgpu')) return !/halves|matrices/.test(name)
  return name.startsWith('wasm') && !name.includes('2 threads')
}

/** Holds for paths on which the network of real size is not run, though they come first in their precision. */
function takesMinutes({ name, instructionSet, precision }: EngineVariant): boolean {
  // Without a GPU, WebGPU runs on an emulation.
  if (instructionSet === null) return !name.includes('2 threads') || precision !== 'float32'
  const float32 = precision === 'float32'
  if (instructionSet === 'amx') return false
  return instructionSet.endsWith('vnni')
    ? precision !== 'int8'
    : instructionSet === 'avx512-bf16'
      ? float32
      : !float32
}
