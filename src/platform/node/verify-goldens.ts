/** Verifies golden cases of a folder, with Node's files, decoder and resizers handed to the room that compares. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { Engine } from '../../engine/engine.js'
import { portableResample } from '../../kernels/resample-pillow.js'
import type { Comparison, GoldenCase, GoldenContext } from '../../verify/case.js'
import { type CaseSelection, verifyCases } from '../../verify/verify-cases.js'
import { decodeImage } from './decode-image.js'
import { createNativeResample, nativeAvailability } from './native/index.js'
import { openFile } from './open-file.js'
import { openVit } from './open-vit.js'

export type { Comparison } from '../../verify/case.js'

/** Says which cases run, and on what. */
export interface VerifyOptions extends CaseSelection {
  /** Computes them, and stays the caller's. */
  readonly engine: Engine
  /** Ends the run: the signal's reason is thrown. */
  readonly signal?: AbortSignal
}

const VERIFY_OPTIONS = {
  engine: true,
  signal: true,
  filter: true,
  only: true,
  kinds: true,
  onLeftOut: true,
} satisfies OptionNames<VerifyOptions>

/**
 * Computes the golden cases of a folder again and compares, one comparison at a time.
 *
 * @param root a folder with an `index.json`
 * @throws what reading the index throws; an error in a case becomes a comparison that did not pass, with the error as its note
 */
export async function* verifyGoldens(
  root: string,
  options: VerifyOptions,
): AsyncGenerator<Comparison, void, undefined> {
  checkOptionNames(options, VERIFY_OPTIONS)
  const { cases } = JSON.parse(await readFile(join(root, 'index.json'), 'utf8')) as {
    cases: readonly GoldenCase[]
  }
  yield* verifyListed(root, cases, options)
}

/** Compares cases that have been read from a folder's index, of which thousands of tests would otherwise each read the whole. */
export async function* verifyListed(
  root: string,
  cases: readonly GoldenCase[],
  { engine, signal, ...selection }: VerifyOptions,
): AsyncGenerator<Comparison, void, undefined> {
  const context: GoldenContext = {
    engine,
    open: (path) => openFile(join(root, path)),
    openModel: (path, hints) => openVit(join(root, path), hints),
    decode: (path, options) => decodeImage(join(root, path), options),
    resamplers: () => [
      ['portable', portableResample],
      ...nativeAvailability().instructionSets.map((set) => [set, createNativeResample(set)] as const),
    ],
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    ...(signal === undefined ? {} : { signal }),
  }
  yield* verifyCases(cases, context, selection)
}
