/** Runs the making of a picture: where it goes, which model makes it, the photos one by one, and what is told when some of it could not be done. */

import type { MethodName } from '../../../encoder/like.js'
import type { EncodeResult, Features, TiledFeatures } from '../../../encoder/types.js'
import type { RgbImage } from '../../../image/image.js'
import type { Products } from '../../../numerics/products.js'
import { type EncodeChoices, InputLoop } from '../../../work/encode-inputs.js'
import type { FileEncoder, ManyEncoder } from '../../../work/file-encoder.js'
import { asOutputError } from '../../../work/output-error.js'
import { filmOfNameOrNull, totalOf, type WorkInput } from '../../../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { gatherWithFilms } from '../../film-inputs.js'
import { seenLike } from '../../look-like.js'
import { Progress } from '../../progress.js'
import { listenerOf, terminal } from '../../run-resumably.js'
import { tilingWith } from '../../tile-options.js'
import { choosePictureModel, type PictureModel } from './choose-picture-model.js'
import { decodeOptionsOf, PhotoEncoder } from './photo-encoder.js'
import type { PairOptions } from './picture-options.js'
import { PictureWriter, placeOf, sideFor, type Tile } from './picture-place.js'

/** Is a photo with what the model found in it. */
export interface EncodedPhoto {
  /** Names it as it was given. */
  readonly path: string
  /** Is reduced to the size at which it is drawn. */
  readonly photo: RgbImage
  readonly features: SeenPhoto
}

/** Is what pictures are made of; what stands for a whole photo is not there of tiles. */
export interface SeenPhoto extends Omit<Features, 'embedding' | 'registers' | 'logits'> {
  /** Is the map of a photo that was encoded in tiles, of which `patches` are made anew whenever they are asked for; `bandsOf` needs less memory. */
  readonly tiled?: Pick<TiledFeatures, 'band' | 'patchWidth'> & {
    /** Counts the bytes of all that is kept. */
    readonly byteLength: number
  }
}

/** Says what a kind of picture is, and how it is made. */
export interface PictureKind {
  /** Says in a sentence what is seen, and whose method it is. */
  readonly title: string
  /** Throws `UsageError` for inputs that make no such picture. */
  readonly check?: (inputs: readonly WorkInput[]) => void
  /** Tells that it can be made of photos that were encoded in tiles: it needs patches alone, and not every pair of them. */
  readonly takesTiles?: true
  /** Tells that it draws values of patches, which can be upsampled to pixels. */
  readonly upsamples?: true
  /** Says that `--like` has its patches be those of another tool; default: it says itself what it makes of that. */
  readonly likes?: 'patches'
  /** Yields the pictures as they are ready. */
  readonly draw: (work: PictureWork) => AsyncGenerator<Tile, void, undefined>
}

export interface PictureWork {
  readonly encoder: FileEncoder
  readonly inputs: readonly WorkInput[]
  readonly signal: AbortSignal
  /** Yields the photos in the order of the inputs; what cannot be read is told and left out. @param encoder is another than the picture's own */
  photos(encode?: EncodeChoices, encoder?: FileEncoder): AsyncGenerator<EncodedPhoto, void, undefined>
  /** Loads another model; whoever does disposes of it. */
  load(model: string): Promise<PictureModel>
  /** Throws `UsageError` unless this is the first of the inputs, of which something was said. @param why says what cannot be done without it */
  assertFirst(photo: EncodedPhoto, why: string): void
  /** Tells what keeps one photo from its picture; the others go on. */
  fail(path: string, error: Error): void
  /** Computes products over many patches. */
  readonly products: Products
  /** Notes what happens now. */
  phase(text: string): void
  /** Says what is to be known of all that is drawn: at once, and in the captions of what is still to come. */
  remark(text: string): void
}

export async function makePicture(
  context: CommandContext,
  names: readonly string[],
  options: PairOptions,
  kind: PictureKind,
): Promise<void> {
  const { signal } = context
  try {
    await make(context, names, options, kind)
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('Interrupted. What was written is whole.')
    throw asOutputError(error)
  }
}

async function make(
  context: CommandContext,
  names: readonly string[],
  options: PairOptions,
  kind: PictureKind,
): Promise<void> {
  if (options.tiles !== undefined && kind.takesTiles !== true) {
    throw new UsageError(
      '--tiles: this picture needs the whole photo at a time, and each tile has seen a part of it. pca, similar, clusters and norms are made of tiles.',
    )
  }
  if (options.tiles !== undefined && options.like !== undefined) {
    throw new UsageError(
      `--like ${options.like}: tiles have patches behind the last block alone, and side by side. Leave one of --like and --tiles out.`,
    )
  }
  if (options.upsample !== 'none' && kind.upsamples !== true) {
    throw new UsageError(
      `--upsample ${options.upsample}: this picture shows patches as they are. All kinds but match and compare can be upsampled: leave it out.`,
    )
  }
  const place = await placeOf(context, options)
  const inputs = await gatherWithFilms(context, names, options)
  kind.check?.(inputs)
  const { encoder, caption } = await choosePictureModel(context, options)
  using _ = encoder
  await using products = await context.pictures.products()
  const writer = new PictureWriter(context, place, options, `${kind.title} ${caption}`)
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: totalOf(inputs) })
  const side = sideFor(place, inputs.length, options)
  const likes = kind.likes === 'patches' ? (options.like ?? null) : null
  const photos = new Photos(context, { encoder, inputs, options, side, progress, likes })
  const work: PictureWork = {
    encoder,
    inputs,
    signal: context.signal,
    photos: (encode, other) => photos.read(encode, other),
    load: (model) => choosePictureModel(context, { ...options, model }),
    assertFirst: ({ path }, why) => assertFirst(path, inputs, why),
    fail: (path, error) => photos.fail(path, error),
    products,
    phase: (text) => progress.phase(text),
    remark(text) {
      writer.remark(text)
      progress.notice(text)
    },
  }
  for await (const tile of kind.draw(work)) {
    await writer.add(tile)
    context.signal.throwIfAborted()
  }
  if (place.kind === 'terminal') progress.clear()
  else progress.phase('drawing')
  await writer.finish()
  const { output } = options
  const where = output === undefined ? 'shown' : `written to ${output}`
  progress.finish(`${writer.written} ${writer.written === 1 ? 'picture' : 'pictures'} ${where}`, {
    written: writer.written,
    output: output ?? null,
  })
  if (photos.failed === 0) return
  const rest = writer.written === 0 ? ': no picture was made.' : '.'
  throw new IncompleteError(`${photos.failed} of ${inputs.length} images failed${rest}`)
}

function assertFirst(path: string, [first]: readonly WorkInput[], why: string): void {
  const expected = typeof first === 'string' ? first : first?.path
  if (path !== expected && filmOfNameOrNull(path) !== expected)
    throw new UsageError(`${expected} could not be read. ${why}`)
}

interface PhotosOptions {
  readonly encoder: FileEncoder
  readonly inputs: readonly WorkInput[]
  readonly options: PairOptions
  readonly side: number
  readonly progress: Progress
  /** Names the tool whose patches take the place of the encoder's own. */
  readonly likes: MethodName | null
}

/** Leaves the patches of tiles as they are kept. */
async function* asSeen(
  results: AsyncIterable<EncodeResult<unknown, TiledFeatures>>,
): AsyncGenerator<EncodeResult<unknown, SeenPhoto>> {
  for await (const result of results) {
    if (result.features === undefined) yield result
    else yield { ...result, features: seenTiled(result.features) }
  }
}

function seenTiled({ patches, preNorm, band, patchWidth, ...features }: TiledFeatures): SeenPhoto {
  const whole = (of: 'patches' | 'preNorm') => band(0, features.grid.rows, of).patches
  return {
    ...features,
    tiled: { band, patchWidth, byteLength: patches.byteLength + (preNorm?.byteLength ?? 0) },
    get patches() {
      return whole('patches')
    },
  }
}

/** Goes through the photos, and counts those of which there is no picture. */
class Photos {
  readonly #context: CommandContext
  readonly #options: PhotosOptions
  readonly #failed = new Set<string>()

  constructor(context: CommandContext, options: PhotosOptions) {
    this.#context = context
    this.#options = options
  }

  get failed(): number {
    return this.#failed.size
  }

  fail(path: string, { message }: Error): void {
    // Photos may be gone through twice.
    if (this.#failed.has(path)) return
    this.#failed.add(path)
    this.#options.progress.failed(path, message)
  }

  #seeing(encoder: FileEncoder): ManyEncoder<SeenPhoto> {
    const { options, likes } = this.#options
    if (likes !== null) return seenLike(encoder, likes)
    if (options.tiles === undefined) return encoder
    // Halves are as good for what is drawn, and a map of 50 megapixels would not fit into memory otherwise.
    const tiling = tilingWith(encoder, { tilesKeep: 'float16', ...options })
    return { encodeAll: (sources, encode) => asSeen(tiling.encodeAll(sources, encode)) }
  }

  async *read(
    encode: EncodeChoices = {},
    encoder = this.#options.encoder,
  ): AsyncGenerator<EncodedPhoto, void, undefined> {
    const { inputs, options, side, progress } = this.#options
    const { files, signal, pictures } = this.#context
    const decoding = { ...decodeOptionsOf(options, encoder), signal }
    const photos = new PhotoEncoder(this.#seeing(encoder), {
      decode: (source) => pictures.decode(source, decoding),
      reduce: (photo) => pictures.reduce(photo, side),
    })
    const listener = {
      ...listenerOf(progress),
      failed: (failure: { readonly path: string; readonly reason: string }) =>
        this.fail(failure.path, new Error(failure.reason)),
    }
    const loop = new InputLoop(
      { inputs, files, encoder: photos, encode, listener, signal },
      { has: () => false },
    )
    for await (const { input, features } of loop.found()) {
      loop.done(input)
      yield { path: input.path, photo: photos.photoOf(features), features }
    }
    loop.finish()
  }
}
