/**
 * Defines the instruction set: what a vision transformer does to one image is written down as data.
 *
 * The model room writes plans, engines run them, and neither imports the other. Every value has a name
 * (a slot), written once; the names are those of Birder's modules, so that any activation can be compared with PyTorch
 * by name. Shapes are per image: an engine runs a batch of them. How steps are fused, ordered in memory or
 * shared between threads is an engine's private business, as long as each slot asked for as an output holds its value.
 *
 * Letters: `T` tokens = 1 + R + rows * columns, `D` width, `H` heads, `R` registers, `G` patches, `P` patch size.
 */
import type { Shape } from '../tensor/shape.js'
import type { ActivationKind } from './ops.js'

export type { ActivationKind } from './ops.js'

export type SlotName = string
/** A name of the canonical weights, which is Birder's for a weight; dialects (model/dialects) bring the others' names to it. */
export type WeightName = string
export type ConstantName = string

export interface Plan {
  /** Holds every slot with its shape for one image: [rows, width], but for the input, which may be [C, height, width]. */
  readonly slots: ReadonlyMap<SlotName, Shape>
  readonly steps: readonly Step[]
  /** Names the slot of normalised pixels, float32 [C, height, width]. */
  readonly input: SlotName
  /** Holds the weights that the steps name, each with the shape that the engine may rely on. */
  readonly weights: ReadonlyMap<WeightName, Shape>
  /**
   * Holds tables that depend on the plan and not on the image, made by the family: positions resampled for the grid, say. Wherever a step reads a slot
   * it may name a constant instead; some steps read one beside their slots. No slot has the name of a constant.
   */
  readonly constants: ReadonlyMap<ConstantName, Constant>
}

/** A table that is the same for every image. */
export interface Constant {
  /** [rows, width]. */
  readonly shape: Shape
  readonly values: Float32Array
}

export type Step =
  | Patchify
  | Linear
  | AssembleTokens
  | Norm
  | Attention
  | Activation
  | Gate
  | Scale
  | Add
  | SliceRows
  | MeanRows
  | MaxRows
  | Broadcast
  | CrossAttention
  | ProbeAttention
  | SoftMoe

/**
 * Cuts the input into patches and lays each out as a row, channels outermost: [G, channels * patch * patch], in the order (channel, y, x)
 * of a convolution's kernel, so that patch embedding is this step and a `linear`. A right or lower
 * remainder that does not fill a patch is dropped, as a strided convolution does.
 */
export interface Patchify {
  readonly op: 'patchify'
  readonly input: SlotName
  readonly output: SlotName
  /** `planes` is [channels, height, width]; `rows` is [height * width, channels], as a stem's inner layers have it. */
  readonly layout: 'planes' | 'rows'
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly patch: number
}

/** out[r, n] = sum over k of input[r, k] * weight[n, k], + bias[n]. Weight is [N, K]. */
export interface Linear {
  readonly op: 'linear'
  readonly input: SlotName
  readonly output: SlotName
  readonly weight: WeightName
  readonly bias: WeightName | null
}

/** Stacks class token [1, D], registers [R, D] and patches + positions [G, D], in this order. */
export interface AssembleTokens {
  readonly op: 'assembleTokens'
  readonly input: SlotName
  readonly output: SlotName
  readonly classToken: WeightName | null
  readonly registers: WeightName | null
  /** Names a constant [G, D] that is added to the patches. */
  readonly positions: ConstantName | null
}

/** Normalises each row. `layerNorm`: mean 0, biased variance 1; `rmsNorm`: root mean square 1. Epsilon is inside the root. */
export interface NormWeights {
  readonly kind: 'layerNorm' | 'rmsNorm'
  readonly weight: WeightName
  readonly bias: WeightName | null
  readonly epsilon: number
}
export interface Norm extends NormWeights {
  readonly op: 'norm'
  readonly input: SlotName
  readonly output: SlotName
}

/**
 * Lets all tokens attend to each other: input [T, 3 * D] holds q, k, v side by side, each head by head; output [T, D] is
 * softmax(scale * q k^T) v. The norms (over the head width) are applied to q and k first.
 */
export interface Attention {
  readonly op: 'attention'
  readonly input: SlotName
  readonly output: SlotName
  readonly heads: number
  readonly scale: number
  readonly queryNorm: NormWeights | null
  readonly keyNorm: NormWeights | null
}

export interface Activation {
  readonly op: 'activation'
  readonly input: SlotName
  readonly output: SlotName
  readonly kind: ActivationKind
}

/** out = activation(gate) * value: SwiGLU where the activation is SiLU. */
export interface Gate {
  readonly op: 'gate'
  readonly gate: SlotName
  readonly value: SlotName
  readonly output: SlotName
  readonly kind: ActivationKind
}

/** Scales each column, as layer scale does: out[r, c] = input[r, c] * gamma[c]. */
export interface Scale {
  readonly op: 'scale'
  readonly input: SlotName
  readonly output: SlotName
  readonly gamma: WeightName
}

/** Adds, as a residual sum does: out = input + branch. */
export interface Add {
  readonly op: 'add'
  readonly input: SlotName
  readonly branch: SlotName
  readonly output: SlotName
}

/** Keeps rows `from` (inclusive) to `to` (exclusive). */
export interface SliceRows {
  readonly op: 'sliceRows'
  readonly input: SlotName
  readonly output: SlotName
  readonly from: number
  readonly to: number
}

/** Takes the mean of all rows: [1, D]. */
export interface MeanRows {
  readonly op: 'meanRows'
  readonly input: SlotName
  readonly output: SlotName
}

/** Takes the largest value of each column: [1, D]. A NaN stays one. */
export interface MaxRows {
  readonly op: 'maxRows'
  readonly input: SlotName
  readonly output: SlotName
}

/** Puts a weight [rows, D] into a slot: a learnt query. */
export interface Broadcast {
  readonly op: 'broadcast'
  readonly weight: WeightName
  readonly output: SlotName
}

/** Lets learnt queries [Q, D] attend to keys and values side by side [N, 2 * D]; output [Q, D]. */
export interface CrossAttention {
  readonly op: 'crossAttention'
  readonly query: SlotName
  readonly keyValue: SlotName
  readonly output: SlotName
  readonly heads: number
  readonly scale: number
}

/**
 * EfficientProbing (Birder layers/attention_pool.py): `latents` [L, D] attend to the raw tokens `keys` [N, D], head by head,
 * the maps are averaged over the heads, and latent l pools columns [l * D / L, (l + 1) * D / L) of `values` [N, D]; output [1, D].
 */
export interface ProbeAttention {
  readonly op: 'probeAttention'
  readonly latents: WeightName
  readonly keys: SlotName
  readonly values: SlotName
  readonly output: SlotName
  readonly heads: number
  readonly scale: number
}

/**
 * Soft mixture of experts (Puigcerver et al. 2023; Birder layers/ffn.py): logits = rmsNorm(x) slots^T over `experts.length * s`
 * slots, dispatch by softmax over tokens, each expert's feed-forward net on its own slots, combine by softmax over slots.
 */
export interface SoftMoe {
  readonly op: 'softMoe'
  readonly input: SlotName
  readonly output: SlotName
  readonly tokenNorm: NormWeights
  /** [experts * s, D], already normalised: it does not depend on the image. */
  readonly slots: WeightName
  readonly experts: readonly SoftMoeExpert[]
  readonly kind: ActivationKind
}
export interface SoftMoeExpert {
  readonly weight1: WeightName
  readonly bias1: WeightName
  readonly weight2: WeightName
  readonly bias2: WeightName
}
