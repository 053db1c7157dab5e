/** Finds what a report shows of each photo: its features, and a small picture. One that cannot be used is listed, and the others go on. */
import { given } from '../encoder/choose-recipe.js'
import type { Features } from '../encoder/types.js'
import { DEFAULT_MODEL } from '../hub/default-model.js'
import { componentsFor } from '../picture/report/components-for.js'
import type { FoundPhoto } from '../picture/report/make-report.js'
import { thingsBlock } from '../picture/report/things-block.js'
import type { ReducedPhoto } from '../platform/node/reduce-photo.js'
import { InputLoop } from '../work/encode-inputs.js'
import type { FileEncoder } from '../work/file-encoder.js'
import type { Failure } from '../work/files.js'
import type { InputFile } from '../work/look-at.js'
import type { GivenImage, ImageAddress, WorkInput } from '../work/work-input.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { counted } from './counted.js'
import { loadOptions, type ModelOptions } from './model-options.js'
import type { Progress } from './progress.js'
import type { DocumentPhoto } from './report-document.js'
import { listenerOf } from './run-resumably.js'

interface FindOptions extends Omit<ModelOptions, 'model'> {
  readonly model?: string
  readonly batch?: number
}

/**
 * The longer side of a photo on the page, in pixels, and the bytes that it may take. With what is kept of its patches, in base64 both, that is less than 250 kB,
 * and a report of a hundred photos less than 25 MB.
 */
const PICTURE = { side: 640, mostBytes: 85_000 }
/** All patches are kept until the last photo is done, since colours are fitted to all of them. */
const MOST_BYTES = 2 ** 32

/** @param numbers counts those of all patches of so many photos */
export function assertKept(photos: number, numbers: number): void {
  // Those of the last block are kept, and of the one that colours are made of.
  const bytes = 2 * numbers * Float32Array.BYTES_PER_ELEMENT
  if (bytes <= MOST_BYTES) return
  throw new UsageError(
    `The patches of ${counted(photos, 'photo')} take ${(bytes / 2 ** 30).toFixed(1)} GiB, and a report keeps at most ${MOST_BYTES / 2 ** 30} GiB of them. Name fewer photos, or give smaller --patches.`,
  )
}

export interface FoundPhotos {
  readonly photos: readonly (FoundPhoto & DocumentPhoto)[]
  readonly failures: readonly Failure[]
}

/** Computes all photos, and makes a small picture of each while the next is computed. */
export async function findPhotos(
  context: CommandContext,
  inputs: readonly WorkInput[],
  encoder: FileEncoder,
  options: FindOptions,
  progress: Progress,
): Promise<FoundPhotos> {
  const { files, signal } = context
  const photos: (FoundPhoto & DocumentPhoto)[] = []
  const failures: Failure[] = []
  let numbers = 0
  /** Holds what has no file until its picture is made. */
  const bytes = new Map<string, Uint8Array>()
  const loop = new InputLoop(
    {
      inputs: readAddresses(inputs, options, signal, bytes),
      files,
      encoder,
      encode: { layers: [thingsBlock(encoder.depth)], ...given({ batch: options.batch }) },
      listener: listenerOf(progress),
      signal,
    },
    { has: () => false, fail: async (failure) => void failures.push(failure) },
  )
  const keep = async (input: InputFile, features: Features) => {
    try {
      componentsFor(features.grid.rows * features.grid.columns)
      const picture = await context.reducePhoto(bytes.get(input.path) ?? files.resolve(input.path), {
        ...PICTURE,
        ...decodeOptions(options, signal),
      })
      photos.push(photoOf(input.path, features, picture))
      numbers += features.patches.length
      loop.done(input)
    } catch (error) {
      if (!signal.aborted)
        await loop.fail(input.path, error instanceof Error ? error : new Error(String(error)))
    } finally {
      bytes.delete(input.path)
    }
  }
  let keeping = Promise.resolve()
  for await (const { input, features } of loop.found()) {
    await keeping
    assertKept(photos.length, numbers)
    keeping = keep(input, features)
  }
  await keeping
  signal.throwIfAborted()
  loop.finish()
  return { photos, failures }
}

/** What an address gives is read once, for the model and for the picture: it may be something else the next time. */
async function* readAddresses(
  inputs: readonly WorkInput[],
  options: FindOptions,
  signal: AbortSignal,
  bytes: Map<string, Uint8Array>,
): AsyncGenerator<WorkInput> {
  for (const input of inputs) {
    const given =
      typeof input !== 'string' && 'address' in input ? await fetched(input, options, signal) : input
    if (typeof given !== 'string' && 'bytes' in given) bytes.set(given.path, given.bytes)
    yield given
  }
}

async function fetched(
  { path, address }: ImageAddress,
  options: FindOptions,
  signal: AbortSignal,
): Promise<GivenImage | Failure> {
  const { readAddress } = await import('../platform/node/reduce-photo.js')
  try {
    return { path, bytes: await readAddress(address, decodeOptions(options, signal)) }
  } catch (error) {
    signal.throwIfAborted()
    return { path, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Transparent parts lie on white, whatever the model makes of them. */
function decodeOptions(options: FindOptions, signal: AbortSignal) {
  const { orientation, maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline } =
    loadOptions({ ...options, model: options.model ?? DEFAULT_MODEL.name }, signal)
  return {
    transparency: 'white' as const,
    signal,
    ...given({ orientation, maxPixels, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, offline }),
  }
}

function photoOf(path: string, features: Features, picture: ReducedPhoto): FoundPhoto & DocumentPhoto {
  const { patches, grid, embedding, imageSize } = features
  const [tokens] = features.layers.values()
  if (tokens === undefined)
    throw new Error('The encoder gave no patches of the inner block that it was asked for.')
  const [height, width] = imageSize
  const first = features.patchBox(0, 0)
  const last = features.patchBox(grid.rows - 1, grid.columns - 1)
  const seen = {
    left: first.left / width,
    top: first.top / height,
    width: (last.right - first.left) / width,
    height: (last.bottom - first.top) / height,
  }
  // Special tokens stand in front of patches.
  const things = { patches: tokens.subarray(tokens.length - patches.length), grid }
  return { path, picture, patches, things, grid, embedding, seen }
}
