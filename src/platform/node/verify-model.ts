/** Tries a model on each engine and in each precision of this machine, on photos, and recommends one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given, recipeChoiceOf, recipeFor } from '../../encoder/choose-recipe.js'
import { checkLoadOptions, type LoadOptions } from '../../encoder/load-options.js'
import type { EngineName, Precision } from '../../engine/engine.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { ImageError } from '../../image/image-error.js'
import { normalised } from '../../image/prepare-image.js'
import { portableResample } from '../../kernels/resample-pillow.js'
import type { VitModel } from '../../model/read-vit.js'
import type { Candidate } from '../../verify/model/find-truth.js'
import type { ReadyPhoto } from '../../verify/model/run-photos.js'
import type { VerifiedModel } from '../../verify/model/verified-model.js'
import { verifyModel as verify } from '../../verify/model/verify-model.js'
import { chooseEngine, warn } from './choose-engine.js'
import { NODE } from './engine-choices.js'
import { findModel, findOptionsOf } from './find-model.js'
import type { ImageSource } from './image-source.js'
import { hintsOf, openVit } from './open-vit.js'
import { packageRootOrNull } from './package-files.js'
import { assertDecodes, preparingWith } from './prepare-source.js'

/** Says on what a model is tried, and how it is loaded. */
export interface VerifyModelOptions {
  /** Lists the photos; default: four that come with the package. */
  readonly photos?: readonly ImageSource[]
  /** Says how the model is loaded; an engine or a precision named in it is tried alone. */
  readonly load?: LoadOptions
  /** Is told which engine and precision come next, `reference` first. */
  readonly onTry?: (engine: EngineName, precision: Precision) => void
  /** Ends it, which then rejects with the signal's reason; default: that of `load`. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  photos: true,
  load: true,
  onTry: true,
  signal: true,
} satisfies OptionNames<VerifyModelOptions>

/** Are one of each kind of thing in examples/photos. */
const OWN_PHOTOS = ['hat-1.jpg', 'pants-1.jpg', 'shoes-1.jpg', 't-shirt-1.jpg']

/** Lists all that an engine could be asked for here, the fastest engine first: what this machine lacks says so itself. */
const TRIED: readonly (readonly [EngineName, readonly Precision[]])[] = [
  ['native', ['float32', 'high', 'bfloat16', 'int8']],
  ['webgpu', ['float32', 'float16']],
  ['wasm', ['float32', 'float16', 'bfloat16', 'int8']],
]

/**
 * Runs a model on photos on each engine and in each precision, compares embedding and tokens with the slow truth, times it, and recommends the fastest
 * whose promise is kept. The truth is the reference engine (float32 weights, float64 sums); for networks and photos that would take it minutes it is the
 * float32 of a fast engine, with which the reference has agreed on a piece of the first photo. One model is in memory at a time.
 *
 * @param model as `loadEncoder` takes it
 * @throws what `loadEncoder` and `encode` throw, but that what an engine refuses is a row; RangeError for options that make no sense
 */
export async function verifyModel(
  model: string = DEFAULT_MODEL.name,
  options: VerifyModelOptions = {},
): Promise<VerifiedModel> {
  checkOptionNames(options, OPTIONS)
  const { photos = ownPhotos(), load = {}, onTry = () => {}, signal = load.signal } = options
  checkLoadOptions(load, NODE)
  await assertDecodes(load)
  if (photos.length === 0)
    throw new RangeError('The option photos is an empty list: give one photo at least.')
  const { onWarning = warn, positions } = load
  const found = await findModel(model, { ...findOptionsOf(load), ...given({ signal }) })
  await using open = await openVit(found, hintsOf(load))
  const { vit, name } = open
  for (const assumption of vit.assumptions) onWarning(assumption)
  const ready = await prepare(photos, vit, load, signal)
  const { engine, precision } = load
  return await verify({
    model: { vit, positions },
    name,
    photos: ready,
    reference: candidate('reference', 'float64', load),
    candidates: TRIED.flatMap(([tried, precisions]) => precisions.map((one) => candidate(tried, one, load))),
    isWanted: (row) => isAsked(engine, row.engine) && isAsked(precision, row.precision),
    onTry,
    signal,
  })
}

/** Throws what `encode` throws of an image that cannot be used. */
async function prepare(
  photos: readonly ImageSource[],
  vit: VitModel,
  load: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<readonly ReadyPhoto[]> {
  const recipe = recipeFor(vit, recipeChoiceOf(load))
  const { offline, maxFileBytes, allowPrivateAddresses, fetchTimeoutMs, maxPixels } = load
  const reading = given({ offline, maxFileBytes, allowPrivateAddresses, fetchTimeoutMs })
  const { orientation, transparency } = recipe
  const decoding = { orientation, transparency, ...given({ maxPixels, signal }) }
  const prepareOne = preparingWith(portableResample, reading)
  const ready: ReadyPhoto[] = []
  for (const photo of photos) ready.push(normalised(await prepareOne(photo, recipe, decoding), recipe))
  return ready
}

/** An engine is only told what it has a use for: what is asked of one engine holds none of the others back. */
function candidate(engine: EngineName, precision: Precision, load: LoadOptions): Candidate {
  const { threads, instructionSet, onWarning } = load
  const hasThreads = engine === 'native' || engine === 'wasm'
  const own = given({
    threads: hasThreads ? threads : undefined,
    instructionSet: engine === 'native' ? instructionSet : undefined,
    onWarning,
  })
  return { engine, precision, open: async () => (await chooseEngine({ ...own, engine, precision })).engine }
}

function isAsked(asked: string | undefined, name: string): boolean {
  return asked === undefined || asked === 'auto' || asked === name
}

/** Throws `ImageError` `not-found` where the package's photos are not beside it. */
function ownPhotos(): readonly string[] {
  const root = packageRootOrNull()
  const folder = root === null ? null : join(root, 'examples/photos')
  if (folder !== null && existsSync(folder)) return OWN_PHOTOS.map((name) => join(folder, name))
  throw new ImageError(
    'not-found',
    `The photos of the package are missing (${folder ?? 'its folder is not found'}): name photos of your own, with the option photos or --photos.`,
  )
}
