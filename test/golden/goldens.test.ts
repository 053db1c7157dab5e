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
  type InstructionSet,
  nativeAvailability,
} from '../../src/platform/node/native/index.js'
import { type Comparison, verifyGoldens } from '../../src/platform/node/verify/verify-goldens.js'
import { openGoldens } from '../support/goldens.js'

const goldens = openGoldens()
const ENGINE_KINDS = ['vit', 'dialect', 'end-to-end', 'malformed']
const PATHS: readonly InstructionSet[] = ['avx512', 'avx2', 'generic']

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

const { available, reason, instructionSets } = nativeAvailability()
for (const path of PATHS) {
  if (!instructionSets.includes(path)) {
    console.log(
      `Not run: the native engine's path ${path} (${available ? 'this processor lacks it' : reason}).`,
    )
    continue
  }
  const makeEngine = () => createNativeEngine({ instructionSet: path })
  describe(`on the native engine, ${path}`, () => testKinds(ENGINE_KINDS, makeEngine))
  describe(`a network of real size, ${path}`, () => testKinds(['large'], makeEngine, 600_000))
}
