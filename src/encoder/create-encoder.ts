/** Puts the parts together: a network, an engine, a way to decode and a recipe make an encoder. */
import type { Engine } from '../engine/engine.js'
import { EngineError } from '../engine/engine-error.js'
import { type PreparedImage, prepareImageWith } from '../image/prepare-image.js'
import { type Recipe, recipeIdentity } from '../image/recipe.js'
import { portableResample, type Resample } from '../kernels/resample-pillow.js'
import type { PositionRule } from '../model/positions.js'
import type { VitModel } from '../model/read-vit.js'
import { specialTokens } from '../model/vit-config.js'
import { given } from './choose-recipe.js'
import { type FeatureData, featureDataOf, slotsFor } from './features.js'
import { Network } from './network.js'
import { type EncoderStages, encoderOf, type PreparedItem } from './staged-encoder.js'
import type { Decode, EncodeOptions, Encoder, EncoderDescription } from './types.js'

export interface EncoderParts<Source> {
  readonly vit: VitModel
  readonly engine: Engine
  /** How pixels are prepared; also how orientation is treated. */
  readonly recipe: Recipe
  readonly decode: Decode<Source>
  /** Who resizes; default: this library's portable code, on the calling thread. */
  readonly resample?: Resample
  /** What to call the model, and what tells its weights from others'. */
  readonly name: string
  readonly fingerprint: string
  readonly positions?: PositionRule
  readonly signal?: AbortSignal
  /** Disposed of with the encoder: what was made for it alone, such as its engine. */
  readonly owned?: AsyncDisposable
}

/** Tokens that a run should have for the engine to work at its full rate; small images are batched up to it. */
const TOKENS_PER_RUN = 2048
const LARGEST_BATCH = 32

/** Reads and packs the weights. Throws `CheckpointError`, `EngineError`. */
export async function createEncoder<Source>(parts: EncoderParts<Source>): Promise<Encoder<Source>> {
  return encoderOf(await createStages(parts))
}

/** The same in its stages, for an encoder whose caller lives on another thread. */
export async function createStages<Source>(
  parts: EncoderParts<Source>,
): Promise<EncoderStages<Source, ImageItem>> {
  const { vit, engine, positions, signal } = parts
  if (vit.config.channels !== 3) {
    throw new EngineError(
      'unsupported',
      `${parts.name} takes images of ${vit.config.channels} channel${vit.config.channels === 1 ? '' : 's'}; the encoder makes RGB. ` +
        'Run it through Network with pixels of your own.',
    )
  }
  return new VitStages(await Network.load(vit, engine, given({ positions, signal })), parts)
}

export interface ImageItem extends PreparedItem {
  readonly image: PreparedImage
}

class VitStages<Source> implements EncoderStages<Source, ImageItem> {
  readonly description: EncoderDescription
  readonly #network: Network
  readonly #decode: Decode<Source>
  readonly #resample: Resample
  readonly #recipe: Recipe
  readonly #owned: AsyncDisposable | undefined

  constructor(network: Network, parts: EncoderParts<Source>) {
    const { engine, decode, resample = portableResample, recipe, owned } = parts
    const { width, patchSize, registers, depth } = network.config
    const identity = {
      model: parts.name,
      fingerprint: parts.fingerprint,
      engine: `${engine.name} ${engine.description}`,
      precision: engine.precision,
      recipe: recipeIdentity(recipe),
    }
    this.description = { identity, width, patchSize, registers, depth, size: recipe.size }
    this.#network = network
    this.#decode = decode
    this.#resample = resample
    this.#recipe = recipe
    this.#owned = owned
  }

  async prepare(source: Source, signal?: AbortSignal): Promise<ImageItem> {
    const decoded = await this.#decode(source, given({ signal }))
    signal?.throwIfAborted()
    const image = await prepareImageWith(this.#resample, decoded, this.#recipe)
    signal?.throwIfAborted()
    const { height, width, pixels } = image
    return {
      image,
      shape: `${height}x${width}`,
      byteLength: pixels.byteLength,
      batchSize: this.#batchSize(height, width),
    }
  }

  async compute(
    items: readonly ImageItem[],
    options: EncodeOptions,
    signal?: AbortSignal,
  ): Promise<readonly FeatureData[]> {
    const batch = items.length
    const [{ image: first }] = items
    const grid = this.#network.gridOf([first.height, first.width])
    const plan = this.#network.planFor(grid)
    const pixels = batch === 1 ? first.pixels : joined(items.map(({ image }) => image.pixels))
    const outputs = slotsFor(plan, options)
    const values = await this.#network.run(pixels, { grid, batch, outputs, ...given({ signal }) })
    await this.#network.assertFinite(values.get(plan.slots.embedding) ?? new Float32Array())
    const activations = { plan, config: this.#network.config, values, batch }
    const { identity } = this.description
    return items.map(({ image }, index) => featureDataOf(activations, index, image, identity, options))
  }

  #batchSize(height: number, width: number): number {
    const { config } = this.#network
    const tokens = specialTokens(config) + (height / config.patchSize) * (width / config.patchSize)
    return Math.min(Math.max(Math.round(TOKENS_PER_RUN / tokens), 1), LARGEST_BATCH)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
