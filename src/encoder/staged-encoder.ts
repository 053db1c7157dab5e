/** Makes an encoder of two stages, wherever they run: an image is prepared, a batch of prepared images is computed. */

import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { EmbeddingKind } from '../model/vit-config.js'
import { blockIndex } from './block-index.js'
import { checkInspection } from './check-inspection.js'
import { checkChoice, checkFlag, checkWhole } from './check-options.js'
import { given } from './choose-recipe.js'
import { encodeAll, type Waiting } from './encode-all.js'
import {
  type FeatureData,
  featuresFrom,
  type StoppedData,
  type TiledData,
  type WantedFeatures,
} from './features.js'
import type { TileChoice } from './tile-choice.js'
import { checkTiled, settleTiles } from './tiles.js'
import type {
  EncodeAllOptions,
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderDescription,
  Features,
  Identity,
  StoppedChoice,
  StoppedFeatures,
  TiledChoice,
  TiledFeatures,
} from './types.js'

const WANTED = {
  preNorm: true,
  layers: true,
  tta: true,
  attention: true,
  facets: true,
  stride: true,
  stopAfter: true,
  tiles: true,
} satisfies OptionNames<WantedFeatures>

const ENCODE_OPTIONS = {
  ...WANTED,
  signal: true,
  onProgress: true,
} satisfies OptionNames<EncodeOptions & StoppedChoice & TiledChoice>

const ENCODE_ALL_OPTIONS = {
  ...WANTED,
  batch: true,
  order: true,
  maxBytes: true,
  signal: true,
  signalOf: true,
  onProgress: true,
} satisfies OptionNames<EncodeAllOptions & StoppedChoice & TiledChoice>

export interface PreparedItem extends Waiting {
  /** Counts the images of its shape for a run. */
  readonly batchSize: number
}

/** Disposal resolves when everything that the stages own has been given back. */
export interface EncoderStages<Source, Prepared extends PreparedItem> extends AsyncDisposable {
  readonly description: EncoderDescription
  /** Counts the images that can be prepared at a time; default 2. */
  readonly decoders?: number | undefined
  /**
   * @param onRead called when the image's bytes are there; decoding begins when what it returns has been awaited
   * @param tiles are those that the image is going to be computed in
   */
  prepare(source: Source, signal?: AbortSignal, onRead?: () => unknown, tiles?: TileChoice): Promise<Prepared>
  /** Gets one shape only; what was prepared is used up. */
  compute(
    batch: readonly Prepared[],
    wanted: WantedFeatures,
    signal?: AbortSignal,
  ): Promise<readonly (FeatureData | StoppedData | TiledData)[]>
  /** Takes back what is not going to be computed. */
  discard?(prepared: Prepared): void
}

export class StagedEncoder<Source, Prepared extends PreparedItem> implements Encoder<Source> {
  readonly identity: Identity
  readonly width: number
  readonly embedding: EmbeddingKind
  readonly embeddingWidth: number
  readonly labels: readonly string[] | null
  readonly classes: number | null
  readonly patchSize: number
  readonly registers: number
  readonly depth: number
  readonly attends: EncoderDescription['attends']
  readonly size: readonly [height: number, width: number]
  readonly #stages: EncoderStages<Source, Prepared>
  #disposal: Promise<void> | undefined

  constructor(stages: EncoderStages<Source, Prepared>) {
    const { identity, width, embedding, embeddingWidth, labels, classes } = stages.description
    const { patchSize, registers, depth, attends, size } = stages.description
    this.identity = identity
    this.width = width
    this.embedding = embedding
    this.embeddingWidth = embeddingWidth
    this.labels = labels
    this.classes = classes
    this.patchSize = patchSize
    this.registers = registers
    this.depth = depth
    this.attends = attends
    this.size = size
    this.#stages = stages
  }

  encode(source: Source, options: EncodeOptions & StoppedChoice): Promise<StoppedFeatures>
  encode(source: Source, options: EncodeOptions & TiledChoice): Promise<TiledFeatures>
  encode(source: Source, options?: EncodeOptions): Promise<Features>
  async encode(source: Source, options: EncodeOptions = {}): Promise<StoppedFeatures> {
    checkOptionNames(options, ENCODE_OPTIONS)
    const { signal, onProgress } = options
    signal?.throwIfAborted()
    const wanted = this.#wanted(options)
    onProgress?.('preparing')
    const item = await this.#stages.prepare(source, signal, undefined, wanted.tiles)
    try {
      signal?.throwIfAborted()
      onProgress?.('computing')
    } catch (error) {
      this.#stages.discard?.(item)
      throw error
    }
    const [data] = await this.#stages.compute([item], wanted, signal)
    if (data === undefined) throw new Error('The encoder gave no result for the image.')
    return featuresFrom(data)
  }

  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> & StoppedChoice,
  ): AsyncGenerator<EncodeResult<Given, StoppedFeatures>, void, undefined>
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> & TiledChoice,
  ): AsyncGenerator<EncodeResult<Given, TiledFeatures>, void, undefined>
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options?: EncodeAllOptions<Given>,
  ): AsyncGenerator<EncodeResult<Given>, void, undefined>
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> = {},
  ): AsyncGenerator<EncodeResult<Given, StoppedFeatures>, void, undefined> {
    checkOptionNames(options, ENCODE_ALL_OPTIONS)
    checkWhole('batch', options.batch, 1)
    checkWhole('maxBytes', options.maxBytes, 1)
    checkChoice('order', options.order, ['input', 'ready'])
    const wanted = this.#wanted(options)
    const stages = this.#stages
    return encodeAll(
      sources,
      {
        batchSize: ({ batchSize }: Prepared) => batchSize,
        decoders: stages.decoders,
        readsAhead: true,
        prepare: (source: Given, signal: AbortSignal, onRead: () => unknown) =>
          stages.prepare(source, signal, onRead, wanted.tiles),
        compute: async (batch: readonly Prepared[], signal: AbortSignal) =>
          (await stages.compute(batch, wanted, signal)).map((data) => featuresFrom(data)),
        discard: (prepared) => stages.discard?.(prepared),
      },
      options,
    )
  }

  /** Picks what is wanted of the images from all that concerns an encode, and judges it. */
  #wanted(choice: WantedFeatures): WantedFeatures {
    const { preNorm, layers, tta, attention, facets, stride, stopAfter } = choice
    checkTiled(choice)
    const tiles = choice.tiles && settleTiles(choice.tiles, this)
    checkFlag('preNorm', preNorm)
    checkFlag('tta', tta)
    for (const layer of layers ?? []) blockIndex(layer, this.depth)
    const wanted = given({ preNorm, layers, tta, attention, facets, stride, stopAfter, tiles })
    checkInspection(wanted, this)
    return wanted
  }

  /** Starts to give everything back. */
  [Symbol.dispose](): void {
    void this[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= Promise.resolve(this.#stages[Symbol.asyncDispose]())
    return this.#disposal
  }
}
