/**
 * Birder's network object has the same verbs, shapes and token order (registers, class token, patches) as `birder.net.vit.ViT`, for
 * inference. Pixels come in as [B, C, height, width], already transformed.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { identityOf } from '../encoder/identity.js'
import type { Network } from '../encoder/network.js'
import { assertHeadFits, headScores, type TrainedHead } from '../encoder/trained-head.js'
import { EngineError } from '../engine/engine-error.js'
import type { SlotName } from '../engine/plan.js'
import type { Recipe } from '../image/recipe.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import { birderOrder, patchMaps } from '../model/token-layout.js'
import { specialTokens, tokenWidth } from '../model/vit-config.js'
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import {
  ATTENTION_OPTIONS,
  type AttentionOptions,
  attendAll,
  type ForwardWithAttention,
  type ForwardWithRouting,
  routeAll,
} from './inside-network.js'
import {
  encodeOmitted,
  encodeRetained,
  OMISSION_OPTIONS,
  type OmissionOptions,
  type OmissionResult,
  RETENTION_OPTIONS,
  type RetentionOptions,
  type RetentionResult,
} from './masked-encoding.js'
import { imageShape, type NdArray, ndArray } from './nd-array.js'

/** Ends a run early. */
export interface RunSignal {
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const RUN_SIGNAL = { signal: true } satisfies OptionNames<RunSignal>

/** Is a head that takes the place of a network's own classifier, with what tells whether it is of this network. */
export interface HeadOnNet {
  /** Tells classes apart by embeddings. */
  readonly head: TrainedHead
  /** Is the digest of the network's weights. */
  readonly weights: string
  /** Names the fields of the network's files that were passed over because a person said so. */
  readonly ignoredFields: readonly string[]
}

/**
 * Is a loaded network with the methods of Birder's own. It owns the packed weights and what was handed in with them: `using` starts to give them
 * back, `await using` waits for it.
 */
export class BirderNet implements Disposable, AsyncDisposable {
  /** Counts pixels, (height, width); `adjustSize` changes it. */
  size: readonly [height: number, width: number]
  /** Is D. */
  readonly embeddingSize: number
  /** Counts class scores; it is 0 for an encoder without a classifier. */
  readonly numClasses: number
  /** Counts class token and registers. */
  readonly numSpecialTokens: number
  readonly #network: Network
  readonly #owned: AsyncDisposable | undefined
  readonly #headed: HeadOnNet | undefined
  #dynamicSize = false

  /**
   * @param owned disposed of with the network, such as the engine that was chosen for it alone
   * @param headed gives scores in the place of the network's own classifier
   */
  constructor(network: Network, owned?: AsyncDisposable, headed?: HeadOnNet) {
    this.size = network.config.size
    this.embeddingSize = tokenWidth(network.config)
    this.numClasses = headed?.head.classes.length ?? network.config.classifier?.classes ?? 0
    this.numSpecialTokens = specialTokens(network.config)
    this.#network = network
    this.#owned = owned
    this.#headed = headed
  }

  /**
   * Throws `CheckpointError` `other-identity` where a head was put on this network that was trained on embeddings of another, or of images that were prepared in another
   * way. Whether EXIF orientation was applied is not looked at: images are taken here as they lie, so whoever turns them beforehand has the others.
   */
  assertHeadTakes(recipe: Recipe): void {
    if (this.#headed === undefined) return
    const { head, weights, ignoredFields } = this.#headed
    const { config, engine } = this.#network
    const trained = parseJsonOrNull(head.identity.settings)
    const turned = isRecord(trained) && isRecord(trained.recipe) ? trained.recipe.orientation : undefined
    const orientation = turned === 'apply' ? turned : recipe.orientation
    const positions = this.#gridFor(this.size).rule
    const parts = {
      name: head.identity.model,
      weights,
      origin: null,
      ignoredFields,
      config,
      engine,
      positions,
    }
    assertHeadFits(head, identityOf({ ...parts, recipe: { ...recipe, orientation } }))
  }

  /**
   * Takes another input size from now on, with the position table resampled antialiased, as Birder's `adjust_size` does. Throws `EngineError`
   * `wrong-size` where the patch does not divide it, `unsupported` where patches have another side than the network's own.
   */
  adjustSize(size: readonly [height: number, width: number]): void {
    this.#network.gridOf(size)
    const { stem } = this.#network.config
    if (stem.kind === 'patchify' && stem.kernel !== undefined) {
      throw new EngineError(
        'unsupported',
        'This network was loaded with patches of another side; Birder would now resample its positions twice. Load it with the patches of its own.',
      )
    }
    this.size = size
  }

  /**
   * Lets every input have a size of its own, with positions resampled plainly, as Birder's `set_dynamic_size` does. Throws `EngineError`
   * `unsupported` after `adjustSize` has changed the size.
   */
  setDynamicSize(dynamicSize = true): void {
    if (dynamicSize && !this.#atTrainedSize()) {
      throw new EngineError(
        'unsupported',
        'adjustSize has changed this network; Birder would now resample its positions twice. Load it again for a dynamic size.',
      )
    }
    this.#dynamicSize = dynamicSize
  }

  /** Computes the pooled, normalised vector, [B, D], or both tokens of a DeiT, [B, 2, D]. It is not scaled to length 1. Throws as `forward`. */
  async embedding(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    const { activation, batch, slots } = await this.#run(x, ({ embedding }) => [embedding], options)
    return this.#asEmbedding(activation(slots.embedding), batch)
  }

  #asEmbedding(values: Float32Array, batch: number): NdArray {
    const rows = values.length / (batch * this.embeddingSize)
    return ndArray(values, rows === 1 ? [batch, this.embeddingSize] : [batch, rows, this.embeddingSize])
  }

  /** Computes all tokens after the final norm, [B, T, D], in Birder's order: registers, class token, patches; of a ViT_SAM a map, [B, D, rows, columns]. Throws as `forward`. */
  async forwardFeatures(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    const { activation, batch, slots, grid } = await this.#run(x, ({ tokens }) => [tokens], options)
    const tokens = activation(slots.tokens)
    const { config } = this.#network
    const width = this.embeddingSize
    if (config.windows?.around === 'attention') {
      return ndArray(patchMaps(tokens, batch, width, 0), [batch, width, grid.rows, grid.columns])
    }
    return ndArray(birderOrder(tokens, batch, config), [batch, tokens.length / (batch * width), width])
  }

  /**
   * Gives patch tokens before the final norm as maps, [B, D, rows, columns]: `stage1` for the last block, or `stage1` to `stageK` for the blocks that
   * the config's `out_indices` names, in the order of the blocks. Throws as `forward`.
   */
  async detectionFeatures(x: NdArray, options: RunSignal = {}): Promise<Record<string, NdArray>> {
    const { activation, batch, slots, grid } = await this.#run(x, ({ taps }) => taps, options)
    const maps = slots.taps.map((slot, stage): [string, NdArray] => {
      const values = activation(slot)
      const width = values.length / (batch * (this.numSpecialTokens + grid.rows * grid.columns))
      const map = patchMaps(values, batch, width, this.numSpecialTokens)
      return [`stage${stage + 1}`, ndArray(map, [batch, width, grid.rows, grid.columns])]
    })
    return Object.fromEntries(maps)
  }

  /**
   * Computes the classifier's scores, [B, N]; without a classifier it gives the embedding itself, as Birder does. Throws `EngineError`: `wrong-size`
   * for pixels of another shape or size, `non-finite`, `out-of-memory`, `disposed`, `device-lost`; RangeError for an unknown option; the signal's
   * reason.
   */
  async forward(x: NdArray, options: RunSignal = {}): Promise<NdArray> {
    return (await this.forwardWithEmbedding(x, options)).logits
  }

  /** Gives embedding and scores of one run. They are [B, D] and [B, N]. Throws as `forward`. */
  async forwardWithEmbedding(
    x: NdArray,
    options: RunSignal = {},
  ): Promise<{ embedding: NdArray; logits: NdArray }> {
    const { activation, batch, slots } = await this.#run(
      x,
      ({ embedding, logits }) =>
        logits === null || this.#headed !== undefined ? [embedding] : [embedding, logits],
      options,
    )
    const embedding = this.#asEmbedding(activation(slots.embedding), batch)
    if (this.#headed !== undefined) return { embedding, logits: headed(embedding, batch, this.#headed.head) }
    if (slots.logits === null) return { embedding, logits: embedding }
    return { embedding, logits: ndArray(activation(slots.logits), [batch, this.numClasses]) }
  }

  /**
   * Gives the scores, and what each layer's attention weighs values by, as Birder's `set_need_attn` does. It takes 4 bytes for each weight of all layers. Throws as
   * `forward`; `EngineError` `unsupported` for a network whose tokens do not all attend to each other.
   */
  async forwardWithAttention(x: NdArray, options: AttentionOptions = {}): Promise<ForwardWithAttention> {
    checkOptionNames(options, ATTENTION_OPTIONS)
    return await attendAll(this.#placed(x), x, options)
  }

  /**
   * Gives the scores of one image, and what each layer of routed experts did with its tokens. Throws as `forward`; `EngineError` `unsupported` for a network without
   * such layers.
   */
  async forwardWithRouting(x: NdArray, options: RunSignal = {}): Promise<ForwardWithRouting> {
    checkOptionNames(options, RUN_SIGNAL)
    return await routeAll(this.#placed(x), x, options.signal)
  }

  /**
   * Encodes a part of the patches as if the others were not there: `idsKeep` [B, K] numbers those that are kept, row by row from 0, in any order; null keeps
   * all. Positions are those of the patches' places. Throws as `forward`; `EngineError` `unsupported` for networks that Birder has no masks for.
   */
  async maskedEncodingOmission(
    x: NdArray,
    idsKeep: NdArray | null = null,
    options: OmissionOptions = {},
  ): Promise<OmissionResult> {
    checkOptionNames(options, OMISSION_OPTIONS)
    return await encodeOmitted(this.#placed(x), x, idsKeep, options)
  }

  /**
   * Encodes all patches, with zeros or a token in the place of those that are masked: `mask` [B, G] has 1 for these and 0 for others. Throws as
   * `maskedEncodingOmission`.
   */
  async maskedEncodingRetention(
    x: NdArray,
    mask: NdArray,
    options: RetentionOptions = {},
  ): Promise<RetentionResult> {
    checkOptionNames(options, RETENTION_OPTIONS)
    return await encodeRetained(this.#placed(x), x, mask, options)
  }

  #placed(x: NdArray) {
    const { height, width } = imageShape(x, this.#network.config.channels)
    return { network: this.#network, ...this.#gridFor([height, width]) }
  }

  async #run(x: NdArray, choose: (slots: Slots) => readonly SlotName[], options: RunSignal) {
    checkOptionNames(options, RUN_SIGNAL)
    const { batch, height, width } = imageShape(x, this.#network.config.channels)
    const { grid, rule } = this.#gridFor([height, width])
    const { slots } = this.#network.planFor(grid, { positions: rule })
    const outputs = choose(slots)
    const values = await this.#network.run(x.data, { grid, batch, outputs, positions: rule, ...options })
    const activation = (slot: SlotName): Float32Array => {
      const found = values.get(slot)
      if (found === undefined)
        throw new Error(`The network has run without handing out its activation ${slot}.`)
      return found
    }
    for (const first of outputs.slice(0, 1)) await this.#network.assertFinite(activation(first))
    return { activation, batch, grid, slots }
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
    const { positions } = this.#network.config
    // At the trained size there is nothing to adjust, but patches of another side have another grid there.
    const adjusted = (this.#atTrainedSize() ? null : positions?.adjustRule) ?? positions?.rule ?? 'antialias'
    return { grid: this.#network.gridOf(size), rule: own ? adjusted : (positions?.dynamicRule ?? 'bicubic') }
  }

  #atTrainedSize(): boolean {
    const { size } = this.#network.config
    return this.size[0] === size[0] && this.size[1] === size[1]
  }

  /** Starts to give everything back, and does not wait. */
  [Symbol.dispose](): void {
    void this[Symbol.asyncDispose]()
  }

  /** Resolves when everything has been given back. Rejects only where what it owns does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#network[Symbol.dispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

/** Scores each image of a batch. */
function headed({ data }: NdArray, batch: number, head: TrainedHead): NdArray {
  const width = data.length / batch
  const classes = head.classes.length
  const scores = new Float32Array(batch * classes)
  for (let image = 0; image < batch; image++)
    scores.set(headScores(head, data.subarray(image * width, (image + 1) * width)), image * classes)
  return ndArray(scores, [batch, classes])
}

type Slots = ReturnType<Network['planFor']>['slots']
