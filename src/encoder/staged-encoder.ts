/** Makes an encoder of two stages, wherever they run: an image is prepared, a batch of prepared images is computed. */

import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { EmbeddingKind } from '../model/vit-config.js'
import { checkChoice, checkFlag, checkWhole } from './check-options.js'
import { given } from './choose-recipe.js'
import { encodeAll, type Waiting } from './encode-all.js'
import { blockIndex, type FeatureData, featuresFrom } from './features.js'
import type {
  EncodeAllOptions,
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderDescription,
  FeatureChoice,
  Features,
  Identity,
} from './types.js'

const ENCODE_OPTIONS = {
  preNorm: true,
  layers: true,
  tta: true,
  signal: true,
  onProgress: true,
} satisfies OptionNames<EncodeOptions>

const ENCODE_ALL_OPTIONS = {
  preNorm: true,
  layers: true,
  tta: true,
  batch: true,
  order: true,
  maxBytes: true,
  signal: true,
  signalOf: true,
  onProgress: true,
} satisfies OptionNames<EncodeAllOptions>

export interface PreparedItem extends Waiting {
  /** Counts the images of its shape for a run. */
  readonly batchSize: number
}

/** Disposal resolves when everything that the stages own has been given back. */
export interface EncoderStages<Source, Prepared extends PreparedItem> extends AsyncDisposable {
  readonly description: EncoderDescription
  /** Counts the images that can be prepared at a time; default 2. */
  readonly decoders?: number | undefined
  /** @param onRead called when the image's bytes are there; decoding begins when what it returns has been awaited */
  prepare(source: Source, signal?: AbortSignal, onRead?: () => unknown): Promise<Prepared>
  /** Gets one shape only; what was prepared is used up. */
  compute(
    batch: readonly Prepared[],
    choice: FeatureChoice,
    signal?: AbortSignal,
  ): Promise<readonly FeatureData[]>
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
  readonly size: readonly [height: number, width: number]
  readonly #stages: EncoderStages<Source, Prepared>
  #disposal: Promise<void> | undefined

  constructor(stages: EncoderStages<Source, Prepared>) {
    const { identity, width, embedding, embeddingWidth, labels, classes, patchSize, registers, depth, size } =
      stages.description
    this.identity = identity
    this.width = width
    this.embedding = embedding
    this.embeddingWidth = embeddingWidth
    this.labels = labels
    this.classes = classes
    this.patchSize = patchSize
    this.registers = registers
    this.depth = depth
    this.size = size
    this.#stages = stages
  }

  async encode(source: Source, options: EncodeOptions = {}): Promise<Features> {
    checkOptionNames(options, ENCODE_OPTIONS)
    const { signal, onProgress, preNorm, layers, tta } = options
    signal?.throwIfAborted()
    this.#checkFeatures(options)
    onProgress?.('preparing')
    const item = await this.#stages.prepare(source, signal)
    try {
      signal?.throwIfAborted()
      onProgress?.('computing')
    } catch (error) {
      this.#stages.discard?.(item)
      throw error
    }
    const [data] = await this.#stages.compute([item], given({ preNorm, layers, tta }), signal)
    if (data === undefined) throw new Error('The encoder gave no result for the image.')
    return featuresFrom(data)
  }

  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> = {},
  ): AsyncGenerator<EncodeResult<Given>, void, undefined> {
    checkOptionNames(options, ENCODE_ALL_OPTIONS)
    checkWhole('batch', options.batch, 1)
    checkWhole('maxBytes', options.maxBytes, 1)
    checkChoice('order', options.order, ['input', 'ready'])
    this.#checkFeatures(options)
    const { preNorm, layers, tta } = options
    const choice = given({ preNorm, layers, tta })
    const stages = this.#stages
    return encodeAll(
      sources,
      {
        batchSize: ({ batchSize }: Prepared) => batchSize,
        decoders: stages.decoders,
        readsAhead: true,
        prepare: (source: Given, signal: AbortSignal, onRead: () => unknown) =>
          stages.prepare(source, signal, onRead),
        compute: async (batch: readonly Prepared[], signal: AbortSignal) =>
          (await stages.compute(batch, choice, signal)).map(featuresFrom),
        discard: (prepared) => stages.discard?.(prepared),
      },
      options,
    )
  }

  #checkFeatures({ layers = [], preNorm, tta }: FeatureChoice): void {
    checkFlag('preNorm', preNorm)
    checkFlag('tta', tta)
    for (const layer of layers) blockIndex(layer, this.depth)
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
