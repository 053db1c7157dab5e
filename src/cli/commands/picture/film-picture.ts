/**
 * Draws a film frame by frame into another film: colours are found on a few frames spread over all of it and stay the same to the end, so that what does not
 * change does not flicker. Two passes go through it, and no more than a few frames are in memory.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { given } from '../../../encoder/choose-recipe.js'
import type { Features } from '../../../encoder/types.js'
import type { RgbImage } from '../../../image/image.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { PICTURE_MARK } from '../../../platform/node/picture/picture-file.js'
import { OBJECT } from '../../../platform/node/storage/object-path.js'
import { type OpenVideo, openVideo } from '../../../platform/node/video/describe-video.js'
import { spreadFrames } from '../../../platform/node/video/spread-frames.js'
import { type ReadFrame, readFrames } from '../../../platform/node/video/video-frames.js'
import { type TimedPicture, writeVideo } from '../../../platform/node/video/write-video.js'
import type { ManyEncoder } from '../../../work/file-encoder.js'
import { isFilm } from '../../../work/work-input.js'
import { InterruptedError, UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { frameOptionsOf, gatherWithFilms } from '../../film-inputs.js'
import { seenLike } from '../../look-like.js'
import { Progress } from '../../progress.js'
import { terminal } from '../../run-resumably.js'
import { choosePictureModel } from './choose-picture-model.js'
import {
  checkColorOptions,
  coloured,
  fittedColors,
  type PcaOptions,
  saveColors,
  savedColorsOrNull,
} from './pca-colors.js'
import { decodeOptionsOf, PhotoEncoder } from './photo-encoder.js'

/** So many frames decide which colours there are. */
const FITTED = 64
/** A screen shows no more beside each other than two of these. */
const SIDE = 1280

type FilmOptions = PcaOptions & { readonly output: string }

export async function filmPicture(
  context: CommandContext,
  names: readonly string[],
  options: FilmOptions,
): Promise<void> {
  try {
    await make(context, names, options)
  } catch (error) {
    if (context.signal.aborted) throw new InterruptedError('Interrupted. No film was written.')
    throw error
  }
}

async function make(context: CommandContext, names: readonly string[], options: FilmOptions): Promise<void> {
  const { files, signal, pictures } = context
  const { output, every = 0 } = options
  checkColorOptions(options)
  if (Array.isArray(options.foreground)) {
    throw new UsageError(
      '--foreground x,y is a place in a photo, which moves in a film: give --foreground alone.',
    )
  }
  const path = await onlyFilm(context, names, options)
  const target = files.resolve(output)
  await pictures.assertTakes(target, { replace: options.restart ?? false })
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: undefined })
  const onWarning = (message: string) => progress.notice(message)
  const video = await openVideo(files.resolve(path), { label: path, signal })
  const reading = { ...given(frameOptionsOf({ ...options, every })), signal, onWarning }
  const { encoder, caption } = await choosePictureModel(context, options)
  using _ = encoder
  const { transparency } = decodeOptionsOf(options, encoder)
  const seen = options.like === undefined ? encoder : seenLike(encoder, options.like)
  const photos = new PhotoEncoder(seen, {
    decode: (source) => pictures.decode(source, { ...given({ transparency }), signal }),
    reduce: (photo) => pictures.reduce(photo, options.side ?? SIDE),
  })
  progress.phase(`finding the colours of ${path}`)
  const { every: _every, ...spread } = reading
  await using products = await pictures.products()
  const fitting = { products, signal, remark: (text: string) => progress.notice(text) }
  const colors =
    (await savedColorsOrNull(context, options)) ??
    (await fittedColors(
      await mapsOf(seen, await spreadFrames(video, FITTED, spread), signal),
      { ...options, clicks: [] },
      fitting,
    ))
  await saveColors(context, colors, options)
  const drawn = async function* (): AsyncGenerator<TimedPicture> {
    for await (const { seconds, photo, features } of encodedFrames(video, photos, reading)) {
      const image = await coloured(photo, features, colors, options, signal)
      yield { seconds: seconds - (options.from ?? 0), image }
      progress.done(false)
    }
  }
  const sound = { soundOf: files.resolve(path), ...given({ soundFrom: options.from, soundTo: options.to }) }
  // By its mark another run knows the film for one that it may write over.
  const comment = `${PICTURE_MARK}: principal components of ${path}. ${caption}`
  const written = await writeFilm(context, target, (path) =>
    writeVideo(path, drawn(), { ...sound, comment, signal }),
  )
  progress.finish(`${output} has ${written.frames} frames, encoded by ${written.encoder}. ${caption}`, {
    ...written,
    output,
  })
}

/** A film is put together at its end, so that one for a bucket is made on this machine, and sent whole. */
async function writeFilm<Result>(
  { files }: CommandContext,
  target: string,
  write: (path: string) => Promise<Result>,
): Promise<Result> {
  if (!OBJECT.test(target)) return await write(target)
  const folder = await mkdtemp(join(tmpdir(), 'plumage-film-'))
  try {
    const path = join(folder, basename(target))
    const written = await write(path)
    await files.write(target, createReadStream(path))
    return written
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function onlyFilm(
  context: CommandContext,
  names: readonly string[],
  options: FilmOptions,
): Promise<string> {
  const inputs = await gatherWithFilms(context, names, options)
  const [film, ...others] = inputs
  if (film !== undefined && isFilm(film) && others.length === 0) return film.path
  throw new UsageError(
    `${options.output} is a film, which is made of one film: expected one input that is one, found ${inputs.length}${inputs.length === 1 ? ' that is none' : ''}. For photos name a picture, as pca.png.`,
  )
}

async function mapsOf(
  encoder: ManyEncoder,
  frames: readonly ReadFrame[],
  signal: AbortSignal,
): Promise<readonly PatchMap[]> {
  const maps: PatchMap[] = []
  const sources = async function* () {
    yield* frames
  }
  for await (const { features, error } of encoder.encodeAll(sources(), { signal })) {
    if (features === undefined) throw error
    const { patches, grid, identity } = features
    maps.push({ patches, grid, identity })
  }
  return maps
}

/** Is a frame with what the model found in it, and the time at which it is shown. */
export interface EncodedFrame {
  readonly seconds: number
  /** Is reduced to the size at which it is drawn. */
  readonly photo: RgbImage
  readonly features: Features
}

/** Decodes frames while others are computed, and gives them in the order of their times. */
export async function* encodedFrames(
  video: OpenVideo,
  photos: PhotoEncoder,
  reading: Parameters<typeof readFrames>[1],
): AsyncGenerator<EncodedFrame, void, undefined> {
  const times = new Map<number, number>()
  const sources = async function* () {
    let index = 0
    for await (const frame of readFrames(video, reading)) {
      times.set(index++, frame.seconds)
      yield frame
    }
  }
  const { signal } = reading
  for await (const { index, features, error } of photos.encodeAll(sources(), given({ signal }))) {
    if (features === undefined) throw error
    const seconds = times.get(index)
    if (seconds === undefined) throw new Error('the encoder answered for a frame that it was not given')
    times.delete(index)
    yield { seconds, photo: photos.photoOf(features), features }
  }
}
