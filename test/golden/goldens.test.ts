/**
 * The golden cases, one test each, on every engine path that this machine has. A case passes when each of its tensors is within the tolerance that
 * came with it. Positions, in which no engine has a part, run once; the network of real size on the native paths, since the reference engine
 * would take an hour.
 */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import {
  createNativeEngine,
  INSTRUCTION_SETS,
  type InstructionSet,
  nativeAvailability,
  nativePrecisions,
} from '../../src/platform/node/native/index.js'
import { type Comparison, verifyGoldens } from '../../src/platform/node/verify/verify-goldens.js'
import { openGoldens } from '../support/goldens.js'

const goldens = openGoldens()
const ENGINE_KINDS = ['vit', 'dialect', 'end-to-end', 'malformed']
const COMPUTED_KINDS = ['vit', 'dialect', 'end-to-end']

async function failuresOf(
  id: string,
  kind: string,
  engine: Engine,
): Promise<{ failures: Comparison[]; count: number }> {
  const failures: Comparison[] = []
  let count = 0
  for await (const comparison of verifyGoldens(goldens.root, { engine, kinds: [kind], only: id })) {
    count++
    if (!comparison.passed) failures.push(comparison)
  }
  return { failures, count }
}

function testKinds(kinds: readonly string[], makeEngine: () => Engine, timeoutMs = 60_000): void {
  const cases = kinds.flatMap((kind) => goldens.cases(kind).map(({ id }) => ({ id, kind })))
  test.each(cases)(
    '$id',
    async ({ id, kind }) => {
      const { failures, count } = await failuresOf(id, kind, makeEngine())
      expect(failures).toEqual([])
      expect(count, 'comparisons made').toBeGreaterThan(0)
    },
    timeoutMs,
  )
}

describe('whatever the engine', () => testKinds(['position'], createReferenceEngine))

describe('on the reference engine', () => testKinds(ENGINE_KINDS, createReferenceEngine))

const { reason } = nativeAvailability()
for (const path of INSTRUCTION_SETS) {
  const precisions = nativePrecisions(path)
  if (precisions.length === 0) {
    console.log(`Not run: the native engine's path ${path} (${reason ?? 'this processor lacks it'}).`)
    continue
  }
  for (const precision of precisions) {
    const makeEngine = () => createNativeEngine({ instructionSet: path, precision })
    const kinds = precision === 'float32' ? ENGINE_KINDS : COMPUTED_KINDS
    describe(`on the native engine, ${path}, ${precision}`, () => testKinds(kinds, makeEngine))
    if (takesMinutes(path, precision)) continue
    describe(`a network of real size, ${path}, ${precision}`, () => testKinds(['large'], makeEngine, 600_000))
  }
}

/** Paths that differ from a faster one only where tiny networks show it as well. */
function takesMinutes(path: InstructionSet, precision: string): boolean {
  const float32 = precision === 'float32'
  if (path === 'amx') return false
  return path.endsWith('vnni') ? precision !== 'int8' : path === 'avx512-bf16' ? float32 : !float32
}
