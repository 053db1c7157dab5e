/** Runs golden cases on an engine and says how far each result is from the library that made it. */
import type { Engine } from '../../../engine/engine.js'
import { type Comparison, type GoldenCase, type RunCase, readIndex } from './case.js'
import { runEndToEndCase } from './end-to-end-case.js'
import { runLargeCase } from './large-case.js'
import { runMalformedCase } from './malformed-case.js'
import { runPositionCase } from './position-case.js'
import { runPreprocessCase } from './preprocess-case.js'
import { runVitCase } from './vit-case.js'

export type { Comparison } from './case.js'

export interface VerifyOptions {
  readonly engine: Engine
  /** Only cases whose id contains this text. */
  readonly filter?: string
  /** Only the case of exactly this id. */
  readonly only?: string
  /** Only these kinds. */
  readonly kinds?: readonly string[]
  readonly signal?: AbortSignal
}

const RUNNERS: Readonly<Record<string, RunCase>> = {
  vit: runVitCase,
  dialect: runVitCase,
  position: runPositionCase,
  'end-to-end': runEndToEndCase,
  malformed: runMalformedCase,
  large: runLargeCase,
  preprocess: runPreprocessCase,
}

/** A case that fails with an error is one comparison that did not pass, with the error as its note. */
export async function* verifyGoldens(
  root: string,
  options: VerifyOptions,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine, filter = '', only, kinds, signal } = options
  for (const golden of await readIndex(root)) {
    const runner = RUNNERS[golden.kind]
    if (runner === undefined || !golden.id.includes(filter) || kinds?.includes(golden.kind) === false)
      continue
    if (only !== undefined && golden.id !== only) continue
    signal?.throwIfAborted()
    try {
      yield* runner(golden, { root, engine, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      signal?.throwIfAborted()
      yield failed(golden, error)
    }
  }
}

function failed({ id, kind }: GoldenCase, error: unknown): Comparison {
  const note = error instanceof Error ? error.message : String(error)
  return { id, kind, tensor: 'all', error: Number.POSITIVE_INFINITY, tolerance: 0, passed: false, note }
}
