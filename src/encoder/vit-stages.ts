/** Runs the two stages of an encoder on this thread, with a network, an engine, a way to decode and a recipe put together. */
import type { Engine, Program } from '../engine/engine.js'
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import { meanOverCrops } from '../image/five-crops.js'
import {
  normalised,
  type PreparedImage,
  type PreparedLevels,
  prepareLevelsWith,
} from '../image/prepare-image.js'
import type { Recipe } from '../image/recipe.js'
import type { DigestWords } from '../kernels/digest-words.js'
import { portableResample, type Resample } from '../kernels/resample-pillow.js'
import { softmaxRows } from '../kernels/softmax.js'
import type { VitPlan } from '../model/plan-vit.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import type { VitModel } from '../model/read-vit.js'
import { specialTokens, tokenWidth, type VitConfig } from '../model/vit-config.js'
import { concatenate } from '../tensor/concatenate.js'
import { attendingOf } from './attending.js'
import { assertTokens, DEFAULT_MAX_TOKENS, given, recipeChoiceOf, recipeFor } from './choose-recipe.js'
import {
  type FeatureData,
  featureDataOf,
  type Inside,
  insideFor,
  planChoiceFor,
  type StoppedData,
  slotsFor,
  type TiledData,
  type WantedFeatures,
} from './features.js'
import { identityOf } from './identity.js'
import { tiledIdentity } from './identity-with.js'
import type { LoadOptions } from './load-options.js'
import { Network, slotValues } from './network.js'
import type { PackedWeights } from './packed-weights.js'
import type { EncoderStages, PreparedItem } from './staged-encoder.js'
import type { TileChoice } from './tile-choice.js'
import { type SettledTiles, settleTiles } from './tiles.js'
import type { Decode, DecodeOptions, EncoderDescription, Identity, Prepare } from './types.js'
import { type DigestNote, WeightDigest } from './weight-digest.js'

/** Holds the parts of an encoder, for whoever chooses them one by one. */
export interface EncoderParts<Source> {
  /** Is the model, as `readVit` or `openVit` gives it. */
  readonly vit: VitModel
  /** Runs it; it stays the caller's unless it is `owned`. */
  readonly engine: Engine
  /** Says how pixels are prepared, and how orientation is treated. */
  readonly recipe: Recipe
  /** Makes pixels of what is encoded. */
  readonly decode: Decode<Source>
  /** Counts the images that can be decoded at a time; default 2. */
  readonly decoders?: number
  /** Resizes; default: this library's portable code, on the calling thread. */
  readonly resample?: Resample
  /** Names the model. */
  readonly name: string
  /** Digests the weights' values as they are read; default: this library's portable code, on the calling thread. */
  readonly digestWords?: DigestWords
  /** Says how positions are resampled for another size; default: the way of the library that wrote the file. */
  readonly positions?: PositionRule
  /** Bounds the pixels of an image that is decoded; default: the decoder's own bound. */
  readonly maxPixels?: number
  /** Is the most tokens that an image may have: an input of more is refused. Default: 32,768. */
  readonly maxTokens?: number
  /** Ends the loading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Is disposed of with the encoder: what was made for it alone, such as its engine. */
  readonly owned?: AsyncDisposable
}

/** A model as a platform opens it: headers are read, weights are not. */
export interface OpenModel extends AsyncDisposable {
  /** Is the network, and reads its weights. */
  readonly vit: VitModel
  /** Names the model after its file. */
  readonly name: string
  /** Remembers the digest of its weights. */
  readonly note: DigestNote
  /** Keeps its weights packed, where the platform can. */
  readonly packed?: PackedWeights
}

/** Says how a platform makes model input. */
interface Preparing<Source> {
  /** Decodes and resizes in one go, in place of `decode` and `resample`; default: by these. Only this decodes as a recipe with `decode: 'scaled'` says. */
  readonly prepare?: Prepare<Source>
}

/** Holds what a platform brings to load a model. */
export interface ModelParts<Source>
  extends Pick<EncoderParts<Source>, 'engine' | 'resample' | 'decode' | 'decoders' | 'digestWords'>,
    Preparing<Source> {
  /** Is closed when its weights have been read. */
  readonly model: Promise<OpenModel>
  /** Is disposed of with the stages, or at once where there are none. */
  readonly owned: AsyncDisposable
}

/** So many tokens a run should have for the engine to work at its full rate; small images are batched up to it. */
const TOKENS_PER_RUN = 2048
const LARGEST_BATCH = 32

export interface ImageItem extends PreparedItem {
  /** Is in levels where it is to be computed in tiles, which become numbers one by one. */
  readonly image: PreparedImage | PreparedLevels
}

export class VitStages<Source> implements EncoderStages<Source, ImageItem> {
  readonly description: EncoderDescription
  readonly decoders: number | undefined
  readonly #network: Network
  readonly #recipe: Recipe
  readonly #prepare: Prepare<Source>
  readonly #decodeOptions: DecodeOptions
  readonly #owned: AsyncDisposable | undefined
  /** Is how positions are resampled if the caller has said so. */
  readonly #positions: PositionRule | undefined
  readonly #maxTokens: number
  readonly #identityAt: (stride: number) => Identity

  private constructor(network: Network, weights: string, parts: EncoderParts<Source> & Preparing<Source>) {
    const { recipe, maxPixels, owned, prepare = preparingBy(parts) } = parts
    const { config } = network
    const { patchSize, registers, depth } = config
    const width = tokenWidth(config)
    const { origin, ignoredFields } = parts.vit
    const told = { ...parts, weights, origin, ignoredFields, config }
    const identity = identityOf(told)
    const { embedding, embeddingWidth } = network
    this.description = {
      identity,
      width,
      embedding,
      embeddingWidth,
      labels: parts.vit.labels.names,
      classes: config.classifier?.classes ?? null,
      patchSize,
      registers,
      depth,
      attends: attendingOf(config, network.engine).attends,
      size: recipe.size,
    }
    this.decoders = parts.decoders
    this.#network = network
    this.#recipe = recipe
    this.#prepare = prepare
    this.#decodeOptions = {
      orientation: recipe.orientation,
      transparency: recipe.transparency,
      ...given({ maxPixels }),
    }
    this.#owned = owned
    this.#positions = parts.positions
    const own = tokensOf(config, ...recipe.size)
    this.#maxTokens = parts.maxTokens ?? Math.max(DEFAULT_MAX_TOKENS, own)
    this.#identityAt = rememberingLast((stride) => identityOf({ ...told, stride }))
  }

  /** Reads and packs the weights of a model that is open. Throws `CheckpointError`, `EngineError`. */
  static async create<Source>(parts: EncoderParts<Source>): Promise<VitStages<Source>> {
    const { vit, engine, positions, signal, digestWords } = parts
    assertTakesRgb(vit.config, parts.name)
    const digest = new WeightDigest(digestWords)
    const network = await Network.load(vit, engine, { digest, ...given({ positions, signal }) })
    return await VitStages.#identified(network, parts, digest)
  }

  /** Chooses the recipe of a model that is being opened, and packs its weights. A failure gives everything back. Throws as `create`, and what opening throws. */
  static async load<Source>(
    { model, ...parts }: ModelParts<Source>,
    options: Omit<LoadOptions, 'onProgress' | 'onWarning'>,
  ): Promise<VitStages<Source>> {
    const { positions, maxPixels, maxTokens, signal } = options
    const { digestWords } = parts
    try {
      await using open = await model
      const { vit, name, note, packed } = open
      const recipe = recipeFor(vit, recipeChoiceOf(options))
      assertTakesRgb(vit.config, name)
      // Awaited here: the file must stay open until its weights have been read.
      const digest = new WeightDigest(digestWords, await note.read(vit.config))
      const network = await Network.load(vit, parts.engine, {
        digest,
        ...given({ positions, signal, packed }),
      })
      const all = { ...parts, vit, name, recipe, ...given({ positions, maxPixels, maxTokens }) }
      return await VitStages.#identified(network, all, digest, note)
    } catch (error) {
      await parts.owned[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Awaits the digest of the weights, and gives the network's memory back where there is none. */
  static async #identified<Source>(
    network: Network,
    parts: EncoderParts<Source> & Preparing<Source>,
    digest: WeightDigest,
    note?: DigestNote,
  ): Promise<VitStages<Source>> {
    try {
      return new VitStages(network, await digest.finish(parts.vit, note), parts)
    } catch (error) {
      network[Symbol.dispose]()
      throw error
    }
  }

  async prepare(
    source: Source,
    signal?: AbortSignal,
    onRead?: () => unknown,
    tiles?: TileChoice,
  ): Promise<ImageItem> {
    const options = { ...this.#decodeOptions, ...given({ signal, onRead }) }
    const recipe = tiles === undefined ? this.#recipe : anySize(this.#recipe)
    const levels = await this.#prepare(source, recipe, options)
    signal?.throwIfAborted()
    const { height, width } = levels
    const shape = `${height}x${width}`
    if (tiles !== undefined)
      return { image: levels, shape, byteLength: levels.levels.byteLength, batchSize: 1 }
    const image = normalised(levels, recipe)
    return {
      image,
      shape: `${image.height}x${image.width}`,
      byteLength: image.pixels.byteLength,
      batchSize: this.#batchSize(image.height, image.width),
    }
  }

  async compute(
    items: readonly ImageItem[],
    wanted: WantedFeatures,
    signal?: AbortSignal,
  ): Promise<readonly (FeatureData | StoppedData | TiledData)[]> {
    const { tiles, ...whole } = wanted
    if (tiles !== undefined) return await this.#computeEachTiled(items, tiles, whole, signal)
    const images = items.map(pixelsOf)
    const [first, ...others] = images
    if (first === undefined) return []
    const size = [first.height, first.width] as const
    const grid = this.#network.gridOf(size, wanted.stride)
    const inside = await insideFor(wanted)
    const most = this.#mostImages(size, grid, wanted, inside)
    if (items.length > most) {
      const [now, later] = [items.slice(0, most), items.slice(most)]
      return [...(await this.compute(now, wanted, signal)), ...(await this.compute(later, wanted, signal))]
    }
    const batch = items.length
    const { config } = this.#network
    const { stride = config.patchSize } = wanted
    const choice = planChoiceFor(wanted, config, size, grid, this.#positions, inside)
    const plan = this.#network.planFor(grid, choice)
    const scored = wanted.tta === true ? scoresOf(plan) : null
    const pixels = others.length === 0 ? first.pixels : concatenate(images.map((image) => image.pixels))
    const outputs = slotsFor(plan, config, wanted, inside)
    const program = this.#network.programFor(grid, outputs, choice)
    const values = await program.run(pixels, { batch, ...given({ signal }) })
    for (const slot of outputs.slice(0, 1)) await this.#network.assertFinite(slotValues(values, slot))
    const { headNorms } = this.#network
    const activations = { plan, config, headNorms, values, batch, stride, inside }
    const identity = choice.overlap === undefined ? this.description.identity : this.#identityAt(stride)
    const features = images.map((image, index) => featureDataOf(activations, index, image, identity, wanted))
    if (scored === null) return features
    const scoring = { program: this.#network.programFor(grid, [scored], choice), logits: scored }
    const scores = await this.#scoresOfCrops(pixels, { ...first, batch }, scoring, signal)
    const classes = scores.length / batch
    return features.map((data, index) => ({
      ...data,
      logits: scores.slice(index * classes, (index + 1) * classes),
    }))
  }

  async #computeEachTiled(
    items: readonly ImageItem[],
    tiles: TileChoice,
    wanted: WantedFeatures,
    signal: AbortSignal | undefined,
  ): Promise<readonly TiledData[]> {
    const settled = settleTiles(tiles, this.description)
    const found: TiledData[] = []
    for (const { image } of items)
      found.push(await this.#computeTiled(levelsOf(image), settled, wanted, signal))
    return found
  }

  async #computeTiled(
    image: PreparedLevels,
    tiles: SettledTiles,
    wanted: WantedFeatures,
    signal: AbortSignal | undefined,
  ): Promise<TiledData> {
    const { description } = this
    const { height, width } = image
    const hasPreNorm = wanted.preNorm === true
    const grid = this.#network.gridOf([height, width], undefined)
    const { assertTiled, computeTiles } = await import('./compute-tiles.js')
    assertTiled(image, grid, tiles, { description, recipe: this.#recipe, hasPreNorm })
    const { patchSize } = description
    const tileSize = [Math.min(tiles.size[0], height), Math.min(tiles.size[1], width)] as const
    const most = this.#mostImages(tileSize, this.#network.gridOf(tileSize, undefined), wanted, null)
    const batch = Math.min(most, this.#batchSize(...tileSize))
    const maps = await computeTiles(image, grid, tiles, {
      recipe: this.#recipe,
      patchSize,
      batch,
      hasPreNorm,
      ...given({ signal }),
      run: async (images) =>
        (await this.compute(images.map(asItem), wanted, signal)) as readonly FeatureData[],
    })
    const { imageSize, orientation, placement } = image
    return {
      ...maps,
      grid,
      layers: new Map(),
      imageSize,
      orientation,
      identity: tiledIdentity(description.identity, tiles),
      placement,
      patchSize,
      stride: patchSize,
    }
  }

  /** Says how many images a run may have, where they take more than images usually do. Throws RangeError where not even one may. */
  #mostImages(
    size: readonly [height: number, width: number],
    grid: PatchGrid,
    { stride, ...wanted }: WantedFeatures,
    inside: Inside | null,
  ): number {
    const { config } = this.#network
    const tokens = specialTokens(config) + grid.rows * grid.columns
    assertTokens(size, tokens, this.#maxTokens)
    const bySize = stride === undefined ? LARGEST_BATCH * TOKENS_PER_RUN : imagesOf(tokens)
    return Math.min(bySize, inside?.imagesAllowed(wanted, config, grid) ?? bySize)
  }

  /** Gives scores [B, N] whose softmax is the mean of those of five crops. */
  async #scoresOfCrops(
    pixels: Float32Array,
    size: { readonly height: number; readonly width: number; readonly batch: number },
    { program, logits }: { readonly program: Program; readonly logits: SlotName },
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const mean = await meanOverCrops(pixels, size, async (crop) => {
      const found = await program.run(crop, { batch: size.batch, ...given({ signal }) })
      const scores = slotValues(found, logits)
      await this.#network.assertFinite(scores)
      return softmaxRows(scores, scores.length / size.batch)
    })
    return mean.map(Math.log)
  }

  #batchSize(height: number, width: number): number {
    const { config } = this.#network
    return imagesOf(tokensOf(config, height, width))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

/** Has a tile computed as any image is. */
function asItem(image: PreparedImage): ImageItem {
  return { image, shape: `${image.height}x${image.width}`, byteLength: image.pixels.byteLength, batchSize: 1 }
}

/** Gives what was prepared to be computed as one. */
function pixelsOf({ image }: ImageItem): PreparedImage {
  if ('pixels' in image) return image
  throw new Error('an image that was prepared for tiles is computed as one')
}

function levelsOf(image: ImageItem['image']): PreparedLevels {
  if ('levels' in image) return image
  throw new Error('an image that was prepared as one is computed in tiles')
}

/** An image that is cut into tiles may have any number of patches: a tile may not. */
function anySize(recipe: Recipe): Recipe {
  const { resize } = recipe
  if (resize.kind !== 'scaled') return recipe
  return { ...recipe, resize: { ...resize, maxPatches: Number.POSITIVE_INFINITY } }
}

/** Counts the tokens of an input of this size in pixels, whose patches lie side by side. */
function tokensOf(config: VitConfig, height: number, width: number): number {
  return specialTokens(config) + (height / config.patchSize) * (width / config.patchSize)
}

/** Says how many images of so many tokens make a run of the size at which an engine works at its full rate. */
function imagesOf(tokens: number): number {
  return Math.min(Math.max(Math.round(TOKENS_PER_RUN / tokens), 1), LARGEST_BATCH)
}

/** Keeps what was made last: what is asked for image by image is the same as a rule. */
function rememberingLast<Key, Made>(make: (key: Key) => Made): (key: Key) => Made {
  let last: { readonly key: Key; readonly made: Made } | null = null
  return (key) => {
    if (last === null || last.key !== key) last = { key, made: make(key) }
    return last.made
  }
}

/** Gives the slot of the class scores; a network that has none is refused before anything is computed of it. */
function scoresOf({ slots: { logits } }: VitPlan): SlotName {
  if (logits !== null) return logits
  throw new EngineError(
    'unsupported',
    'Crops are averaged by their class scores (tta), and this network has no classifier.',
  )
}

function preparingBy<Source>({
  decode,
  resample = portableResample,
  recipe,
}: EncoderParts<Source>): Prepare<Source> {
  return async (source, _recipe, options) => {
    const decoded = await decode(source, options)
    options.signal?.throwIfAborted()
    return prepareLevelsWith(resample, decoded, recipe)
  }
}

function assertTakesRgb({ channels }: VitConfig, name: string): void {
  if (channels === 3) return
  throw new EngineError(
    'unsupported',
    `${name} takes images of ${channels} channel${channels === 1 ? '' : 's'}; the encoder makes RGB. ` +
      'Run it through Network with pixels of your own.',
  )
}
