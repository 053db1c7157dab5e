/**
 * Birder's network object: the same verbs, shapes and token order (registers, class token, patches) as `birder.net.vit.ViT`, for
 * inference. Pixels come in as [B, C, height, width], already transformed.
 */
import type { Network } from '../encoder/network.js'
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import { birderOrder, patchMaps } from '../model/token-layout.js'
import { specialTokens } from '../model/vit-config.js'
import { type NdArray, ndArray } from './nd-array.js'

export interface RunSignal {
  readonly signal?: AbortSignal
}

/** Owns the packed weights and what was handed in with them: `using` starts to give them back, `await using` waits for it. */
export class BirderNet implements Disposable, AsyncDisposable {
  /** Pixels (height, width); `adjustSize` changes it. */
  size: readonly [height: number, width: number]
  /** D. */
  readonly embeddingSize: number
  /** Class scores; 0 for an encoder without a classifier. */
  readonly numClasses: number
  /** Class token and registers. */
  readonly numSpecialTokens: number
  readonly #network: Network
  readonly #owned: AsyncDisposable | undefined
  #dynamicSize = false

  /** @param owned disposed of with the network, such as the engine that was chosen for it alone */
  constructor(network: Network, owned?: AsyncDisposable) {
    this.size = network.config.size
    this.embeddingSize = network.config.width
    this.numClasses = network.config.classifier?.classes ?? 0
    this.numSpecialTokens = specialTokens(network.config)
    this.#network = network
    this.#owned = owned
  }

  /** Takes another input size from now on, with the position table resampled antialiased, as Birder's `adjust_size` does. */
  adjustSize(size: readonly [height: number, width: number]): void {
    this.#network.gridOf(size)
    this.size = size
  }

  /** Lets every input have a size of its own, with positions resampled plainly, as Birder's `set_dynamic_size` does. */
  setDynamicSize(dynamicSize = true): void {
    if (dynamicSize && !this.#atTrainedSize()) {
      throw new EngineError(
        'unsupported',
        'adjustSize has changed this network; Birder would now resample its positions twice. Load it again for a dynamic size.',
      )
    }
    this.#dynamicSize = dynamicSize
  }

  /** [B, D]: the pooled, normalised vector; not scaled to length 1. */
  async embedding(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    const { values, batch, slots } = await this.#run(x, ({ embedding }) => [embedding], options)
    return ndArray(slotValues(values, slots.embedding), [batch, this.embeddingSize])
  }

  /** [B, T, D]: all tokens after the final norm, in Birder's order: registers, class token, patches. */
  async forwardFeatures(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    const { values, batch, slots } = await this.#run(x, ({ tokens }) => [tokens], options)
    const tokens = slotValues(values, slots.tokens)
    const { config } = this.#network
    return ndArray(birderOrder(tokens, batch, config), [
      batch,
      tokens.length / (batch * config.width),
      config.width,
    ])
  }

  /**
   * Patch tokens before the final norm as maps, [B, D, rows, columns]: `stage1` for the last block, or `stage1` to `stageK` for the blocks
   * that the config's `out_indices` names, in the order of the blocks.
   */
  async detectionFeatures(x: NdArray, options: RunSignal = {}): Promise<Record<string, NdArray>> {
    const { config } = this.#network
    const indices = [...new Set(config.outIndices ?? [config.depth - 1])].sort((a, b) => a - b)
    const { values, batch, slots, grid } = await this.#run(
      x,
      ({ blocks }) => indices.map((index) => blocks[index]),
      options,
    )
    const maps = indices.map((index, stage): [string, NdArray] => {
      const map = patchMaps(
        slotValues(values, slots.blocks[index]),
        batch,
        config.width,
        this.numSpecialTokens,
      )
      return [`stage${stage + 1}`, ndArray(map, [batch, config.width, grid.rows, grid.columns])]
    })
    return Object.fromEntries(maps)
  }

  /** [B, N] scores of the classifier; without one, the embedding itself, as in Birder. */
  async forward(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    return (await this.forwardWithEmbedding(x, options)).logits
  }

  /** Embedding and scores of one run. */
  async forwardWithEmbedding(
    x: NdArray,
    options: RunSignal = {},
  ): Promise<{ embedding: NdArray; logits: NdArray }> {
    const { values, batch, slots } = await this.#run(
      x,
      ({ embedding, logits }) => (logits === null ? [embedding] : [embedding, logits]),
      options,
    )
    const embedding = ndArray(slotValues(values, slots.embedding), [batch, this.embeddingSize])
    if (slots.logits === null) return { embedding, logits: embedding }
    return { embedding, logits: ndArray(slotValues(values, slots.logits), [batch, this.numClasses]) }
  }

  async #run(x: NdArray, choose: (slots: Slots) => readonly SlotName[], options: RunSignal) {
    const [batch, channels, height, width] = x.shape
    if (x.shape.length !== 4 || channels !== this.#network.config.channels) {
      throw new EngineError(
        'wrong-size',
        `The network takes [B, ${this.#network.config.channels}, height, width], got [${x.shape}]. Is unsqueeze(0) missing?`,
      )
    }
    const { grid, rule } = this.#gridFor([height, width])
    const { slots } = this.#network.planFor(grid, rule)
    const outputs = choose(slots)
    const values = await this.#network.run(x.data, { grid, batch, outputs, positions: rule, ...options })
    await this.#network.assertFinite(slotValues(values, outputs[0]))
    return { values, batch, grid, slots }
  }

  #gridFor(size: readonly [height: number, width: number]): { grid: PatchGrid; rule: PositionRule } {
    const own = size[0] === this.size[0] && size[1] === this.size[1]
    if (!own && !this.#dynamicSize) {
      throw new EngineError(
        'wrong-size',
        `The network expects ${this.size[0]} x ${this.size[1]} pixels, got ${size[0]} x ${size[1]}. ` +
          'Transform to that size, or call adjustSize or setDynamicSize first.',
      )
    }
    return { grid: this.#network.gridOf(size), rule: own ? 'antialias' : 'bicubic' }
  }

  #atTrainedSize(): boolean {
    const { size } = this.#network.config
    return this.size[0] === size[0] && this.size[1] === size[1]
  }

  [Symbol.dispose](): void {
    void this[Symbol.asyncDispose]()
  }

  /** Resolves when everything has been given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

type Slots = ReturnType<Network['planFor']>['slots']

function slotValues(values: ReadonlyMap<SlotName, Float32Array>, slot: SlotName): Float32Array {
  return values.get(slot) ?? new Float32Array()
}
