/** Puts the parts together: a network, an engine, a way to decode and a recipe make an encoder. */
import type { Engine } from '../engine/engine.js'
import { EngineError } from '../engine/engine-error.js'
import type { DecodedImage, RgbImage } from '../image/image.js'
import { type PreparedImage, prepareImageWith } from '../image/prepare-image.js'
import { type Recipe, recipeIdentity } from '../image/recipe.js'
import { portableResample, type Resample } from '../kernels/resample-pillow.js'
import type { PositionRule } from '../model/positions.js'
import type { VitModel } from '../model/read-vit.js'
import { specialTokens } from '../model/vit-config.js'
import { checkChoice, checkWhole } from './check-options.js'
import { encodeAll, type Waiting } from './encode-all.js'
import { blockIndex, featuresOf, slotsFor } from './features.js'
import { Network } from './network.js'
import type {
  Decode,
  EncodeAllOptions,
  EncodeOptions,
  EncodeResult,
  Encoder,
  Features,
  Identity,
} from './types.js'

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
  /** Called when the encoder is disposed of, for what was made for it alone. */
  readonly onDispose?: () => void
}

/** Tokens that a run should have for the engine to work at its full rate; small images are batched up to it. */
const TOKENS_PER_RUN = 2048
const LARGEST_BATCH = 32

/** Reads and packs the weights. Throws `CheckpointError`, `EngineError`. */
export async function createEncoder<Source>(parts: EncoderParts<Source>): Promise<Encoder<Source>> {
  const { vit, engine, recipe, positions, signal } = parts
  if (vit.config.channels !== 3) {
    throw new EngineError(
      'unsupported',
      `${parts.name} takes images of ${vit.config.channels} channel${vit.config.channels === 1 ? '' : 's'}; the encoder makes RGB. ` +
        'Run it through Network with pixels of your own.',
    )
  }
  const network = await Network.load(vit, engine, {
    ...(positions === undefined ? {} : { positions }),
    ...(signal === undefined ? {} : { signal }),
  })
  const identity: Identity = {
    model: parts.name,
    fingerprint: parts.fingerprint,
    engine: `${engine.name} ${engine.description}`,
    precision: engine.precision,
    recipe: recipeIdentity(recipe),
  }
  return new VitEncoder(network, parts, identity)
}

interface PreparedItem extends Waiting {
  readonly image: PreparedImage
}

class VitEncoder<Source> implements Encoder<Source> {
  readonly identity: Identity
  readonly width: number
  readonly patchSize: number
  readonly registers: number
  readonly depth: number
  readonly size: readonly [height: number, width: number]
  readonly #network: Network
  readonly #decode: Decode<Source>
  readonly #resample: Resample
  readonly #recipe: Recipe
  readonly #onDispose: () => void

  constructor(network: Network, parts: EncoderParts<Source>, identity: Identity) {
    const { decode, resample = portableResample, recipe, onDispose = () => {} } = parts
    const { config } = network
    this.identity = identity
    this.width = config.width
    this.patchSize = config.patchSize
    this.registers = config.registers
    this.depth = config.depth
    this.size = recipe.size
    this.#network = network
    this.#decode = decode
    this.#resample = resample
    this.#onDispose = onDispose
    this.#recipe = recipe
  }

  async encode(source: Source, options: EncodeOptions = {}): Promise<Features> {
    options.signal?.throwIfAborted()
    for (const layer of options.layers ?? []) blockIndex(layer, this.depth)
    const item = await this.#prepare(source, options.signal)
    const [features] = await this.#compute([item], options, options.signal)
    return features
  }

  encodeAll(
    sources: Iterable<Source> | AsyncIterable<Source>,
    options: EncodeAllOptions = {},
  ): AsyncGenerator<EncodeResult<Source>, void, undefined> {
    checkWhole('batch', options.batch, 1)
    checkWhole('maxBytes', options.maxBytes, 1)
    checkChoice('order', options.order, ['input', 'ready'])
    for (const layer of options.layers ?? []) blockIndex(layer, this.depth)
    const stages = {
      batchSize: ({ image }: PreparedItem) => this.#batchSize(image),
      prepare: (source: Source, signal: AbortSignal) => this.#prepare(source, signal),
      compute: (batch: readonly PreparedItem[], signal: AbortSignal) => this.#compute(batch, options, signal),
    }
    return encodeAll(sources, stages, options)
  }

  async #prepare(source: Source, signal: AbortSignal | undefined): Promise<PreparedItem> {
    const decoded: DecodedImage = await this.#decode(source, signal === undefined ? {} : { signal })
    signal?.throwIfAborted()
    const image = await prepareImageWith(this.#resample, decoded, this.#recipe)
    signal?.throwIfAborted()
    return { image, shape: `${image.height}x${image.width}`, byteLength: image.pixels.byteLength }
  }

  async #compute(
    items: readonly PreparedItem[],
    options: EncodeOptions,
    signal: AbortSignal | undefined,
  ): Promise<readonly Features[]> {
    const batch = items.length
    const [{ image: first }] = items
    const grid = this.#network.gridOf([first.height, first.width])
    const plan = this.#network.planFor(grid)
    const pixels = batch === 1 ? first.pixels : joined(items.map(({ image }) => image.pixels))
    const values = await this.#network.run(pixels, {
      grid,
      batch,
      outputs: slotsFor(plan, options),
      ...(signal === undefined ? {} : { signal }),
    })
    await this.#network.assertFinite(values.get(plan.slots.embedding) ?? new Float32Array())
    const activations = { plan, config: this.#network.config, values, batch }
    return items.map(({ image }, index) => featuresOf(activations, index, image, this.identity, options))
  }

  #batchSize({ height, width }: PreparedImage): number {
    const { config } = this.#network
    const tokens = specialTokens(config) + (height / config.patchSize) * (width / config.patchSize)
    return Math.min(Math.max(Math.round(TOKENS_PER_RUN / tokens), 1), LARGEST_BATCH)
  }

  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]()
    this.#onDispose()
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

/** For images that are decoded already. */
export async function alreadyDecoded(image: RgbImage): Promise<DecodedImage> {
  return { ...image, format: 'raw', orientation: 1, upright: true }
}
