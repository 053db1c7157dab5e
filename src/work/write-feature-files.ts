/** Turns images into a folder with one feature file each; a run can be continued image by image. */
import type { Features, StoppedFeatures } from '../encoder/types.js'
import type { NamedArray } from '../formats/safetensors.js'
import { EarlierFrames } from './earlier-frames.js'
import { encodeInputs, type InputsOptions, type Sink } from './encode-inputs.js'
import { FeatureFolder, type FeatureFormat } from './feature-folder.js'
import type { InputFile } from './look-at.js'
import { asOutputError, OutputError } from './output-error.js'
import { workIdentity } from './work-identity.js'

export interface FeatureFilesOptions<Found extends StoppedFeatures = Features> extends InputsOptions<Found> {
  readonly folder: string
  readonly format: FeatureFormat
  /** Gives what goes into an image's file; `npy` takes one. */
  readonly arraysOf: (features: Found) => readonly NamedArray[]
  /** Names what `arraysOf` gives, as a part of the work's identity. */
  readonly what: string
  readonly restart?: boolean
}

export interface FeatureFilesResult {
  /** Counts the files that this run wrote. */
  readonly written: number
  /** Counts the files that were there already. */
  readonly earlier: number
  readonly failed: number
}

/** Throws `OutputError`; an abort throws the signal's reason. */
export async function writeFeatureFiles<Found extends StoppedFeatures = Features>(
  options: FeatureFilesOptions<Found>,
): Promise<FeatureFilesResult> {
  try {
    return await writeLocked(options)
  } catch (error) {
    throw asOutputError(error)
  }
}

async function writeLocked<Found extends StoppedFeatures>(
  options: FeatureFilesOptions<Found>,
): Promise<FeatureFilesResult> {
  const { files, folder, format, arraysOf, restart = false, encoder, signal, listener } = options
  // The lock lies beside the folder, and so the folder around both must be there.
  await files.makeFolder(folder)
  await using lock = await files.lock(folder, {
    ...(signal === undefined ? {} : { signal }),
    onWait: (message) => listener?.waiting?.(message),
  })
  const identity = { ...workIdentity(encoder.identity, options.what), format }
  await using features = await FeatureFolder.open({
    files,
    folder,
    format,
    identity,
    metadata: identity,
    lock,
    restart,
  })
  const sink = folderSink(features, arraysOf)
  const counts = await encodeInputs({ ...options, sink }).finally(() => features.flush())
  return { written: counts.computed, earlier: counts.earlier, failed: counts.failed }
}

/** What failed is not listed: the next run tries all that has no file. */
function folderSink<Found extends StoppedFeatures>(
  folder: FeatureFolder,
  arraysOf: FeatureFilesOptions<Found>['arraysOf'],
): Sink<Found> {
  const earlier = new EarlierFrames(folder.entries())
  return {
    has: (input) => folder.has(input),
    earlierFrames: (film, file) => earlier.of(film.path, (path) => folder.has({ ...file, path })),
    keep: (input, features) => keep(folder, input, features, arraysOf),
  }
}

async function keep<Found extends StoppedFeatures>(
  folder: FeatureFolder,
  input: InputFile,
  features: Found,
  arraysOf: FeatureFilesOptions<Found>['arraysOf'],
): Promise<Error | null> {
  try {
    const [height, width] = features.imageSize
    await folder.add({ ...input, height, width, ...features.grid }, arraysOf(features))
    return null
  } catch (error) {
    const problem = asOutputError(error)
    // A disk that is full will not take the next image either; a name that is too long is that image's own.
    const isOwn = !(problem instanceof OutputError) || problem.code === 'name-too-long'
    if (isOwn && problem instanceof Error) return problem
    throw problem
  }
}
