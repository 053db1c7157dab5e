/** Runs golden cases on an engine and says how far each result is from the library that made it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../../../engine/engine.js'
import type { Comparison, GoldenCase } from '../../../verify/case.js'
import { runVitCase } from '../../../verify/vit-case.js'
import { openFile } from '../open-file.js'
import { runEndToEndCase } from './end-to-end-case.js'
import type { FolderContext } from './folder-context.js'
import { runLargeCase } from './large-case.js'
import { runMalformedCase } from './malformed-case.js'
import { runPositionCase } from './position-case.js'
import { runPreprocessCase } from './preprocess-case.js'

export type { Comparison } from '../../../verify/case.js'

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

type RunCase = (golden: GoldenCase, context: FolderContext) => AsyncGenerator<Comparison, void, undefined>

const RUNNERS: Readonly<Record<string, RunCase>> = {
  vit: runFromFolder,
  dialect: runFromFolder,
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

function runFromFolder(golden: GoldenCase, { root, ...context }: FolderContext) {
  return runVitCase(golden, { ...context, open: (path) => openFile(join(root, path)) })
}

async function readIndex(root: string): Promise<readonly GoldenCase[]> {
  const { cases } = JSON.parse(await readFile(join(root, 'index.json'), 'utf8')) as {
    cases: readonly GoldenCase[]
  }
  return cases
}

function failed({ id, kind }: GoldenCase, error: unknown): Comparison {
  const note = error instanceof Error ? error.message : String(error)
  return { id, kind, tensor: 'all', error: Number.POSITIVE_INFINITY, tolerance: 0, passed: false, note }
}
