/** Runs a network on photos that are ready, one at a time, and says what came out, how long it took and what it needed. */
import { given } from '../../encoder/choose-recipe.js'
import { Network, slotValues } from '../../encoder/network.js'
import type { Engine } from '../../engine/engine.js'
import type { PositionRule } from '../../model/positions.js'
import type { VitModel } from '../../model/read-vit.js'
import { specialTokens } from '../../model/vit-config.js'

/** Is a model as it was opened and asked for. */
export interface TriedModel {
  readonly vit: VitModel
  /** Says how positions are resampled; undefined for the way of the model's own library. */
  readonly positions: PositionRule | undefined
}

/** Is a photo as the network reads it. */
export interface ReadyPhoto {
  /** Is float32 [C, height, width], normalised. */
  readonly pixels: Float32Array
  readonly height: number
  readonly width: number
}

/** Is what a network gives of a photo. */
export interface PhotoFeatures {
  /** [embeddingWidth] */
  readonly embedding: Float32Array
  /** [T, D], the patches last. */
  readonly tokens: Float32Array
  readonly patches: number
  /** Counts all tokens, T. */
  readonly count: number
}

export interface PhotoRun {
  /** Is in the order of the photos; of some only where all would have taken too long. */
  readonly features: readonly PhotoFeatures[]
  readonly seconds: number
  readonly memory: { readonly weights: number; readonly activations: number }
}

/** [seconds] Once so many have passed no further photo is begun. */
const ENOUGH_SECONDS = 30

/**
 * @param isWhole runs all photos, however long they take
 * @throws what `Network.load` and a run throw; `EngineError` `non-finite` for a result that is no number
 */
export async function runPhotos(
  { vit, positions }: TriedModel,
  engine: Engine,
  photos: readonly ReadyPhoto[],
  { isWhole, signal }: { readonly isWhole: boolean; readonly signal: AbortSignal | undefined },
): Promise<PhotoRun> {
  const abort = signal === undefined ? {} : { signal }
  using network = await Network.load(vit, engine, { ...abort, ...given({ positions }) })
  const features: PhotoFeatures[] = []
  const times: number[] = []
  const begun = performance.now()
  const isEnough = () => performance.now() - begun > 1000 * ENOUGH_SECONDS
  const timed = async (photo: ReadyPhoto) => {
    const started = performance.now()
    const values = await featuresOf(network, photo, abort)
    times.push((performance.now() - started) / 1000)
    return values
  }
  for (const photo of photos) {
    if (!isWhole && features.length > 0 && isEnough()) break
    features.push(await timed(photo))
  }
  const [first] = photos
  // The first run warms a program up: another takes its place where there is time for it.
  if (first !== undefined && !isEnough()) {
    await timed(first)
    times.shift()
  }
  const activations = Math.max(...photos.map((photo) => programOf(network, photo).program.activationBytes(1)))
  return { features, seconds: median(times), memory: { weights: network.byteLength, activations } }
}

async function featuresOf(
  network: Network,
  photo: ReadyPhoto,
  abort: { readonly signal?: AbortSignal },
): Promise<PhotoFeatures> {
  const { program, slots, grid } = programOf(network, photo)
  const values = await program.run(photo.pixels, abort)
  const embedding = slotValues(values, slots.embedding)
  const tokens = slotValues(values, slots.tokens)
  await network.assertFinite(embedding)
  await network.assertFinite(tokens)
  const patches = grid.rows * grid.columns
  return { embedding, tokens, patches, count: specialTokens(network.config) + patches }
}

function programOf(network: Network, { height, width }: ReadyPhoto) {
  const grid = network.gridOf([height, width])
  const { slots } = network.planFor(grid)
  return { program: network.programFor(grid, [slots.embedding, slots.tokens]), slots, grid }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
