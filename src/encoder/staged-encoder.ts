/** An encoder over its two stages, wherever they run: an image prepared, a batch of prepared images computed. */
import { checkChoice, checkWhole } from './check-options.js'
import { encodeAll, type Waiting } from './encode-all.js'
import { blockIndex, type FeatureData, featuresFrom } from './features.js'
import type {
  EncodeAllOptions,
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderDescription,
  Features,
  Identity,
} from './types.js'

export interface PreparedItem extends Waiting {
  /** Images of its shape for a run. */
  readonly batchSize: number
}

export interface EncoderStages<Source, Prepared extends PreparedItem> extends AsyncDisposable {
  readonly description: EncoderDescription
  prepare(source: Source, signal?: AbortSignal): Promise<Prepared>
  /** One shape only; what was prepared is used up. */
  compute(
    batch: readonly Prepared[],
    options: EncodeOptions,
    signal?: AbortSignal,
  ): Promise<readonly FeatureData[]>
  /** Of what is not going to be computed. */
  discard?(prepared: Prepared): void
}

export function encoderOf<Source, Prepared extends PreparedItem>(
  stages: EncoderStages<Source, Prepared>,
): Encoder<Source> {
  return new StagedEncoder(stages)
}

class StagedEncoder<Source, Prepared extends PreparedItem> implements Encoder<Source> {
  readonly identity: Identity
  readonly width: number
  readonly patchSize: number
  readonly registers: number
  readonly depth: number
  readonly size: readonly [height: number, width: number]
  readonly #stages: EncoderStages<Source, Prepared>
  #disposal: Promise<void> | undefined

  constructor(stages: EncoderStages<Source, Prepared>) {
    const { identity, width, patchSize, registers, depth, size } = stages.description
    this.identity = identity
    this.width = width
    this.patchSize = patchSize
    this.registers = registers
    this.depth = depth
    this.size = size
    this.#stages = stages
  }

  async encode(source: Source, options: EncodeOptions = {}): Promise<Features> {
    const { signal, ...wanted } = options
    signal?.throwIfAborted()
    this.#checkLayers(options)
    const item = await this.#stages.prepare(source, signal)
    if (signal?.aborted) this.#stages.discard?.(item)
    signal?.throwIfAborted()
    const [data] = await this.#stages.compute([item], wanted, signal)
    return featuresFrom(data)
  }

  encodeAll(
    sources: Iterable<Source> | AsyncIterable<Source>,
    options: EncodeAllOptions = {},
  ): AsyncGenerator<EncodeResult<Source>, void, undefined> {
    checkWhole('batch', options.batch, 1)
    checkWhole('maxBytes', options.maxBytes, 1)
    checkChoice('order', options.order, ['input', 'ready'])
    this.#checkLayers(options)
    const { preNorm = false, layers = [] } = options
    const stages = this.#stages
    return encodeAll(
      sources,
      {
        batchSize: ({ batchSize }: Prepared) => batchSize,
        prepare: (source: Source, signal: AbortSignal) => stages.prepare(source, signal),
        compute: async (batch: readonly Prepared[], signal: AbortSignal) =>
          (await stages.compute(batch, { preNorm, layers }, signal)).map(featuresFrom),
        discard: (prepared) => stages.discard?.(prepared),
      },
      options,
    )
  }

  #checkLayers({ layers = [] }: EncodeOptions): void {
    for (const layer of layers) blockIndex(layer, this.depth)
  }

  [Symbol.dispose](): void {
    void this[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= Promise.resolve(this.#stages[Symbol.asyncDispose]())
    return this.#disposal
  }
}
