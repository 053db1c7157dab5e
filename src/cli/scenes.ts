/** Writes a line for each scene of a film: when it begins and ends, which frame stands for it, and that frame's embedding. */
import { dirname } from 'node:path'
import type { Column } from '../formats/embedding-table.js'
import { float32Text } from '../formats/float32-text.js'
import { jsonText } from '../formats/json-text.js'
import { decodedFromPixels } from '../image/given-pixels.js'
import { findScenes, type Scene } from '../numerics/find-scenes.js'
import { InputLoop } from '../work/encode-inputs.js'
import { FeatureNames } from '../work/feature-names.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { below } from '../work/files.js'
import { workIdentity } from '../work/work-identity.js'
import { type Film, frameName, isFilm } from '../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { type FilmInputOptions, filmWork, gatherWithFilms } from './film-inputs.js'
import { loadChosenEncoder } from './load-chosen-encoder.js'
import type { ModelOptions } from './model-options.js'
import { Progress } from './progress.js'
import { fileOf, listenerOf, prepareOutput, terminal } from './run-resumably.js'

export interface SceneCommandOptions extends ModelOptions, Omit<FilmInputOptions, 'json'> {
  readonly output?: string
  readonly format?: string
  readonly columns?: readonly Column[]
  readonly batch?: number
  readonly sceneThreshold?: number
  readonly keyFrames?: string
  readonly restart?: boolean
  readonly prune?: boolean
}

export async function writeScenes(
  context: CommandContext,
  names: readonly string[],
  options: SceneCommandOptions,
): Promise<void> {
  const films = await onlyFilms(context, names, options)
  const { output = '-', keyFrames } = options
  const file =
    output === '-'
      ? null
      : fileOf(await prepareOutput(context, output), output, 'leave --output out to write to stdout.')
  using loaded = await loadChosenEncoder(context, options)
  const { encoder } = await filmWork(films, loaded, options)
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: undefined })
  const lines: string[] = []
  let failed = 0
  try {
    for (const film of films) {
      const found = await embeddedFrames(context, film, encoder, options, progress)
      failed += found.failed
      if (found.times.length === 0) continue
      const scenes = findScenes(found.embeddings, encoder.embeddingWidth, options.sceneThreshold)
      const pictures =
        keyFrames === undefined
          ? null
          : await writeKeyFrames(context, film, keyNames(found, scenes), keyFrames)
      const written = scenes.map((scene, index) =>
        lineOf(encoder, film, found, scene, scenes[index + 1], pictures),
      )
      if (file === null) for (const line of written) context.stdout.write(line)
      else lines.push(...written)
    }
    if (file !== null) await context.files.write(context.files.resolve(file), lines)
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError('Interrupted. Scenes are not kept half way: run it again.')
  }
  progress.finish(`${films.length - failed} of ${films.length} films have scenes`, {
    films: films.length,
    failed,
  })
  if (failed > 0) throw new IncompleteError(`${failed} of ${films.length} films failed.`)
}

async function onlyFilms(
  context: CommandContext,
  names: readonly string[],
  options: SceneCommandOptions,
): Promise<readonly Film[]> {
  for (const name of ['columns', 'restart', 'prune'] as const) {
    if (options[name] !== undefined && options[name] !== false)
      throw new UsageError(
        `--${name} is for rows of images, and --scenes writes lines of its own: leave one out.`,
      )
  }
  const { format = 'jsonl', output } = options
  if (format !== 'jsonl' || (output !== undefined && output !== '-' && !/\.jsonl$/i.test(output)))
    throw new UsageError(
      `Scenes are written as JSON lines: name a file ending in .jsonl, or leave --output out.`,
    )
  const inputs = await gatherWithFilms(context, names, options)
  const films = inputs.filter(isFilm)
  if (films.length === inputs.length) return films
  throw new UsageError(
    `--scenes is for films, and ${inputs.length - films.length} of ${inputs.length} inputs are none.`,
  )
}

/** Are the frames of a film with what was found in each. */
interface EmbeddedFrames {
  /** Are seconds, as they stand in the names of the frames. */
  readonly times: readonly string[]
  /** float32 [N, D]. */
  readonly embeddings: Float32Array
  readonly failed: number
}

async function embeddedFrames(
  { files, signal }: CommandContext,
  film: Film,
  encoder: FileEncoder,
  { batch }: SceneCommandOptions,
  progress: Progress,
): Promise<EmbeddedFrames> {
  const encode = batch === undefined ? {} : { batch }
  const loop = new InputLoop(
    { inputs: [film], files, encoder, encode, listener: listenerOf(progress), signal },
    { has: () => false },
  )
  const rows: Float32Array[] = []
  const times: string[] = []
  for await (const { input, features } of loop.found()) {
    loop.done(input)
    rows.push(features.embedding)
    times.push(input.path.slice(frameName(film, '').length))
  }
  const embeddings = new Float32Array(rows.length * encoder.embeddingWidth)
  for (const [index, row] of rows.entries()) embeddings.set(row, index * encoder.embeddingWidth)
  return { times, embeddings, failed: loop.finish().failed > 0 ? 1 : 0 }
}

function timeAt({ times }: EmbeddedFrames, index: number): string {
  const time = times[index]
  if (time === undefined) throw new RangeError(`there is no frame ${index}`)
  return time
}

function keyNames(found: EmbeddedFrames, scenes: readonly Scene[]): ReadonlySet<string> {
  return new Set(scenes.map(({ key }) => timeAt(found, key)))
}

/** Reads the film once more: all key frames of an hour in memory would be many. Gives the paths of the pictures by their times. */
async function writeKeyFrames(
  { files, pictures, signal }: CommandContext,
  film: Film,
  times: ReadonlySet<string>,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const written = new Map<string, string>()
  const names = new FeatureNames('png')
  for await (const { time, image } of film.frames(signal)) {
    if (!times.has(time)) continue
    const name = frameName(film, time)
    const path = below(files, folder, names.nameFor(name))
    await files.makeFolder(dirname(files.resolve(path)), path)
    await files.write(files.resolve(path), [await pictures.encode(decodedFromPixels(image), 'png', name)])
    written.set(time, path)
    // What comes behind the last of them need not be decoded.
    if (written.size === times.size) break
  }
  return written
}

function lineOf(
  encoder: FileEncoder,
  film: Film,
  found: EmbeddedFrames,
  { first, last, key, distance }: Scene,
  next: Scene | undefined,
  pictures: ReadonlyMap<string, string> | null,
): string {
  const [from, keyTime] = [timeAt(found, first), timeAt(found, key)]
  const to = next === undefined ? null : timeAt(found, next.first)
  const { model, recipe, identity } = workIdentity(encoder.identity, 'embedding')
  const width = encoder.embeddingWidth
  const told = {
    path: `${frameName(film, from)}${to === null ? '' : `,${to}`}`,
    from: Number(from),
    to: to === null ? null : Number(to),
    frames: last - first + 1,
    distance: distance === null ? null : Number(distance.toPrecision(6)),
    keyFrame: frameName(film, keyTime),
    ...(pictures === null ? {} : { picture: pictures.get(keyTime) ?? null }),
    model,
    recipe,
    identity,
  }
  const embedding = Array.from(found.embeddings.subarray(key * width, (key + 1) * width), float32Text)
  return `${jsonText(told).slice(0, -1)},"embedding":[${embedding.join(',')}]}\n`
}
