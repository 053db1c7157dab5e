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
import type { ActivationKind, HeadFusion } from './ops.js'

export type { ActivationKind, HeadFusion } from './ops.js'

/** Names a value within a plan, such as `encoder.block.3.attn.qkv`; the names are those of Birder's modules. */
export type SlotName = string
/** A name of the canonical weights, which is Birder's for a weight; dialects (model/dialects) bring the others' names to it. */
export type WeightName = string
/** Names a table of a plan that is the same for every image, such as `positions`. */
export type ConstantName = string

/** Says as data what a network does to one image: which steps, in which order, on which slots and weights. Engines run it; `planVit` writes it. */
export interface Plan {
  /** Holds every slot with its shape for one image: [rows, width], but for the input, which may be [C, height, width]. */
  readonly slots: ReadonlyMap<SlotName, Shape>
  /** Lists the steps in an order in which they can run: each reads slots that earlier ones have written. */
  readonly steps: readonly Step[]
  /** Lists what a run is given of each image, in this order; one at least. No step writes these slots. */
  readonly inputs: readonly PlanInput[]
  /** Holds the weights that the steps name, each with the shape that the engine may rely on. */
  readonly weights: ReadonlyMap<WeightName, Shape>
  /**
   * Holds tables that depend on the plan and not on the image, made by the family: positions resampled for the grid, angles, offsets. Wherever a step reads a slot
   * it may name a constant instead; some steps read one beside their slots. No slot has the name of a constant.
   */
  readonly constants: ReadonlyMap<ConstantName, Constant>
}

/** Is something that a run is given from outside, with the slot that it lies in. */
export type PlanInput = ValuesInput | IdsInput | RowsOfIdsInput

/** Is numbers of any size. */
export interface ValuesInput {
  /**
   * Says what they are. `pixels`: normalised, [C, height, width]. `patches`: patches that are cut already, [G, P * P * C], a row each; those beyond an image's own
   * are masked by the plan. `level`: what another plan has computed, [R, D], such as the tokens behind one of its blocks.
   */
  readonly kind: 'pixels' | 'patches' | 'level'
  /** Names the slot. */
  readonly slot: SlotName
}

/** Is the ids of a text's tokens. */
export interface IdsInput {
  readonly kind: 'ids'
  /** Names the slot, [T, 1]: whole numbers from 0, as float32. */
  readonly slot: SlotName
  /** Counts the ids that there are: each is below it. Float32 holds 2^24 exactly. */
  readonly count: number
}

/**
 * Is the row of a table for each id. Nobody gives it: whoever holds the program reads these rows when a run asks for them, so that a table of hundreds of
 * megabytes is never in memory.
 */
export interface RowsOfIdsInput {
  readonly kind: 'rowsOfIds'
  /** Names the slot, [T, D]. */
  readonly slot: SlotName
  /** Names the input of ids; their count is the number of the table's rows. */
  readonly ids: SlotName
  /** Names the table, [count, D], among the weights of the source; the plan's `weights` do not have it. */
  readonly table: WeightName
}

/** A table that is the same for every image. */
export interface Constant {
  /** [rows, width]. */
  readonly shape: Shape
  /** Holds the table, float32, row-major. */
  readonly values: Float32Array
}

/** Is one thing that an engine can do. Slots are [rows, columns], float32, row-major, for one image. */
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
  | GatherRows
  | TakeRow
  | StackRows
  | Conv2d
  | TransposedConv2d
  | Resize
  | CrossAttention
  | AttentionWeights
  | CrossAttentionWeights
  | ProbeAttention
  | SoftMoe
  | Route
  | RoutedExperts

/**
 * Cuts the input into patches and lays each out as a row, channels outermost: [G, channels * patch * patch], in the order (channel, y, x)
 * of a convolution's kernel, so that patch embedding is this step and a `linear`. Patches begin `stride` pixels apart, 1 + floor((side - patch) / stride)
 * of them along a side; a right or lower remainder that does not fill a patch is dropped, as a strided convolution does.
 */
export interface Patchify {
  readonly op: 'patchify'
  /** Names the pixels in the given layout. */
  readonly input: SlotName
  /** Names the patches, [G, channels * patch * patch]. */
  readonly output: SlotName
  /** `planes` is [channels, height, width]; `rows` is [height * width, channels], as a stem's inner layers have it. */
  readonly layout: 'planes' | 'rows'
  /** Counts the channels of the input, C. */
  readonly channels: number
  /** Is the input's height in pixels. */
  readonly height: number
  /** Is the input's width in pixels. */
  readonly width: number
  /** Is a patch's side in pixels, P. */
  readonly patch: number
  /** Says how many pixels lie from one patch's beginning to the next one's, down and across: P where patches lie side by side, less where they overlap. */
  readonly stride: number
}

/** out[r, n] = sum over k of input[r, k] * weight[n, k], + bias[n]. Weight is [N, K]. */
export interface Linear {
  readonly op: 'linear'
  /** Names the rows, [R, K]. */
  readonly input: SlotName
  /** Names the products, [R, N]. */
  readonly output: SlotName
  /** Names the matrix, [N, K]. */
  readonly weight: WeightName
  /** Names what is added to each row, [N]; null where nothing is. */
  readonly bias: WeightName | null
}

/** Stacks class token [1, D], registers [R, D] and patches + positions [G, D], in this order. */
export interface AssembleTokens {
  readonly op: 'assembleTokens'
  /** Names the embedded patches, [G, D]. */
  readonly input: SlotName
  /** Names the tokens, [T, D]. */
  readonly output: SlotName
  /** Names the class token, [1, D]; null for a network without. */
  readonly classToken: WeightName | null
  /** Names the registers, [R, D]; null for a network without. */
  readonly registers: WeightName | null
  /** Names a constant [G, D] that is added to the patches. */
  readonly positions: ConstantName | null
}

/** Normalises each row. `layerNorm`: mean 0, biased variance 1; `rmsNorm`: root mean square 1. Epsilon is inside the root. */
export interface NormWeights {
  /** Says which norm it is. */
  readonly kind: 'layerNorm' | 'rmsNorm'
  /** Names the factor of each column, [D]. */
  readonly weight: WeightName
  /** Names what is added to each column, [D]; null where nothing is. */
  readonly bias: WeightName | null
  /** Is added within the root. */
  readonly epsilon: number
}
/** Normalises each row of a slot. */
export interface Norm extends NormWeights {
  readonly op: 'norm'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the normalised rows, [R, D]. */
  readonly output: SlotName
}

/** Says how tokens look at each other: what their scores are made of. */
export interface SelfAttention {
  /** Names queries, keys and values side by side, [T, 3 * D], each head by head. */
  readonly input: SlotName
  /** Counts the heads, H; each has D / H columns. */
  readonly heads: number
  /** Is the factor of the products of queries and keys, usually 1 / sqrt(D / H). */
  readonly scale: number
  /** Normalises each head's query first, with weights [D / H]; null where nothing does. */
  readonly queryNorm: NormWeights | null
  /** Normalises each head's key first, with weights [D / H]; null where nothing does. */
  readonly keyNorm: NormWeights | null
  /** Turns queries and keys by the places of their tokens, behind the norms; null where nothing does. */
  readonly rotary: Rotary | null
  /** Is added to the scaled scores; null where nothing is. */
  readonly bias: AttentionBias | null
  /** Says which keys a query sees; null where it sees all. */
  readonly mask: AttentionMask | null
  /** Counts the groups that share out the rows, one after the other, each of which attends to itself alone: windows. It is 1 where all attend to all. */
  readonly groups: number
}

/** Lets tokens attend to each other: output [T, D] is softmax(scale * q k^T + bias) v. */
export interface Attention extends SelfAttention {
  readonly op: 'attention'
  /** Names the merged heads, [T, D]. */
  readonly output: SlotName
}

/**
 * Gives what `attention` with the same fields weighs values by: softmax(scale * q k^T + bias), of the heads and rows that are asked for. A row has the
 * weights of the K = T / groups keys of its own group, and 0 for those that it does not see.
 */
export interface AttentionWeights extends SelfAttention, ChosenHeads {
  readonly op: 'attentionWeights'
  /** Names the weights, [M * N, K], head by head; [N, K] where heads are joined. */
  readonly output: SlotName
  /** Names a constant [N, 1] of whole numbers: the rows of the input that are asked for, in this order; null for all T. */
  readonly rows: ConstantName | null
}

/** Says of which heads weights are given, and how they are joined. */
export interface ChosenHeads {
  /** Names a constant [M, 1] of whole numbers from 0 to H - 1: the heads that are asked for, in this order; null for all. */
  readonly chosen: ConstantName | null
  /** Says what the chosen heads become, value by value: their mean, the largest or the smallest; or each stays on its own. */
  readonly fusion: HeadFusion
}

/**
 * Turns pairs of columns of each head's queries and keys by angles that depend on the token (Su et al. 2021, "RoFormer"):
 * out = x * cosine + partner(x) * sine, where the partner of the first of a pair is minus the second, and that of the second the first.
 */
export interface Rotary {
  /**
   * Names a constant of the cosines of a head's d columns, then of their sines, for each token: [T, 2 * d], or [T, H * 2 * d] where each head has
   * its own. A token that is not turned has cosines of 1 and sines of 0.
   */
  readonly table: ConstantName
  /** Says which columns make a pair: j and j + d / 2 (`halves`), or 2 i and 2 i + 1 (`neighbours`). */
  readonly pairs: 'halves' | 'neighbours'
}

/**
 * Is what attention adds to its scaled scores. `relative`: by the offset of two patches of a grid, learnt for each head (Liu et al. 2021, Bao et al. 2021).
 * `decomposed`: by the products of the query with one learnt row for the offset in rows and one for that in columns (Li et al. 2022, "Exploring plain
 * vision transformer backbones for object detection").
 */
export type AttentionBias =
  | {
      readonly kind: 'relative'
      /**
       * Names a constant [H, (2 rows - 1) * (2 columns - 1) + 3]. A query at (r, c) and a key at (r', c') have the value at
       * (r - r' + rows - 1) * (2 columns - 1) + c - c' + columns - 1. The last three are of a special query and a patch, of a patch and a special key,
       * and of two special tokens, which lie in front of the patches.
       */
      readonly table: ConstantName
      /** Counts the rows of the grid. */
      readonly rows: number
      /** Counts the columns of the grid. */
      readonly columns: number
    }
  | {
      readonly kind: 'decomposed'
      /** Names a constant [2 rows - 1, d]: the row for r - r' + rows - 1. */
      readonly rowTable: ConstantName
      /** Names a constant [2 columns - 1, d]. */
      readonly columnTable: ConstantName
      /** Counts the rows of the grid that a group is. */
      readonly rows: number
      /** Counts the columns of the grid that a group is. */
      readonly columns: number
    }

/** Says which keys a query sees: those up to its own place, or the first of each group, as many as a constant [groups, 1] tells. */
export type AttentionMask =
  | { readonly kind: 'causal' }
  | {
      readonly kind: 'keys'
      /** Names a constant [groups, 1] of whole numbers of at least 1. */
      readonly counts: ConstantName
    }

/** Applies a function to each value. */
export interface Activation {
  readonly op: 'activation'
  /** Names the values, [R, D]. */
  readonly input: SlotName
  /** Names the results, [R, D]. */
  readonly output: SlotName
  /** Names the function. */
  readonly kind: ActivationKind
}

/** out = activation(gate) * value: SwiGLU where the activation is SiLU. */
export interface Gate {
  readonly op: 'gate'
  /** Names what goes through the activation, [R, D]. */
  readonly gate: SlotName
  /** Names what is multiplied by it, [R, D]. */
  readonly value: SlotName
  /** Names the products, [R, D]. */
  readonly output: SlotName
  /** Names the activation. */
  readonly kind: ActivationKind
}

/** Scales each column, as layer scale does: out[r, c] = input[r, c] * gamma[c]. */
export interface Scale {
  readonly op: 'scale'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the scaled rows, [R, D]. */
  readonly output: SlotName
  /** Names the factors, [D]. */
  readonly gamma: WeightName
}

/** Adds, as a residual sum does: out = input + branch. */
export interface Add {
  readonly op: 'add'
  /** Names the first summand, [R, D]. */
  readonly input: SlotName
  /** Names the second summand, [R, D]. */
  readonly branch: SlotName
  /** Names the sums, [R, D]. */
  readonly output: SlotName
}

/** Keeps rows `from` (inclusive) to `to` (exclusive). */
export interface SliceRows {
  readonly op: 'sliceRows'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the rows that are kept, [to - from, D]. */
  readonly output: SlotName
  /** Is the first row that is kept, counted from 0. */
  readonly from: number
  /** Is the first row after it that is not. */
  readonly to: number
}

/** Takes the mean of all rows, [1, D], or of each of several groups of consecutive rows, [groups, D]. */
export interface MeanRows {
  readonly op: 'meanRows'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names their means: as many rows as there are groups, which share out the rows evenly. */
  readonly output: SlotName
}

/** Puts rows in another order, leaves some out, repeats some, or puts zeros between them, as windows need it. */
export interface GatherRows {
  readonly op: 'gatherRows'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the gathered rows, [N, D]. */
  readonly output: SlotName
  /** Names a constant [N, 1]: the row that each is, or -1 for zeros. */
  readonly index: ConstantName
}

/** Takes one row of each image by the ids that belong to its rows, as a text tower takes that of the token that ends a text. */
export interface TakeRow {
  readonly op: 'takeRow'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the ids, [R, 1], whole numbers. */
  readonly ids: SlotName
  /** Names the row that is taken, [1, D]. */
  readonly output: SlotName
  /**
   * Says which row it is: that of the largest id, the first of several, or the first that has a given one. Where none has it, it is the first of all, as
   * the argmax of PyTorch makes it.
   */
  readonly choice: RowChoice
}

/** Says which row is taken. */
export type RowChoice =
  | { readonly kind: 'largest' }
  | {
      readonly kind: 'first'
      /** Is the id, a whole number from 0 to 2^24. */
      readonly id: number
    }

/** Says how a square kernel passes over a picture, a pixel to a row: down and across alike. */
export interface KernelPass {
  /** Is the picture's height in pixels. */
  readonly height: number
  /** Is the picture's width in pixels. */
  readonly width: number
  /** Is the kernel's side in pixels, K. */
  readonly kernel: number
  /** Says how many pixels lie from one place of the kernel to the next. */
  readonly stride: number
  /** Says how many zeros lie around the picture on each side; fewer than the kernel's side. */
  readonly padding: number
}

/**
 * Convolves a picture, as `torch.nn.functional.conv2d` does with one group: the kernel has 1 + floor((side + 2 * padding - K) / stride) places along a side, and
 * out[place, n] = sum over (y, x, c) of input[the pixel there, c] * weight[n, (y, x, c)], + bias[n].
 */
export interface Conv2d extends KernelPass {
  readonly op: 'conv2d'
  /** Names the pixels, [height * width, C]. */
  readonly input: SlotName
  /** Names the places, row by row, [places, N]. */
  readonly output: SlotName
  /** Names the kernels, [N, K * K * C]: a row is (y, x, channel), and not (channel, y, x) as PyTorch stores it. */
  readonly weight: WeightName
  /** Names what is added to each place, [N]; null where nothing is. */
  readonly bias: WeightName | null
}

/**
 * Turns a convolution round, as `torch.nn.functional.conv_transpose2d` does with one group: each row of the input is a place of the kernel in the picture that is
 * made, and adds there what its channels make of the kernel. Height and width are those of that picture: PyTorch's `output_padding` chooses among those that have
 * as many places.
 */
export interface TransposedConv2d extends KernelPass {
  readonly op: 'transposedConv2d'
  /** Names the places, [places, C]. */
  readonly input: SlotName
  /** Names the pixels, [height * width, N]. */
  readonly output: SlotName
  /** Names the kernels, [K * K * N, C]: a column of a kernel is (y, x, n). */
  readonly weight: WeightName
  /** Names what is added to each pixel, [N]; null where nothing is. */
  readonly bias: WeightName | null
}

/**
 * Resizes a picture, a pixel to a row. Each row of the new picture is a sum of rows of the old one with weights, and each column likewise; what makes it bilinear
 * or bicubic, and where corners lie, is in the two tables alone (kernels/resample-table.ts).
 */
export interface Resize {
  readonly op: 'resize'
  /** Names the pixels, [height * width, C]. */
  readonly input: SlotName
  /** Names the new ones, [new height * new width, C]. */
  readonly output: SlotName
  /** Is the old picture's height in pixels. */
  readonly height: number
  /** Is the old picture's width in pixels. */
  readonly width: number
  /** Names a constant [new height, 2 * taps]: the rows that each is made of, then their weights. */
  readonly rows: ConstantName
  /** Names a constant [new width, 2 * taps], of columns likewise. */
  readonly columns: ConstantName
}

/** Takes the largest value of each column: [1, D]. A NaN stays one. */
export interface MaxRows {
  readonly op: 'maxRows'
  /** Names the rows, [R, D]. */
  readonly input: SlotName
  /** Names the largest values, [1, D]. */
  readonly output: SlotName
}

/** Puts the rows of several slots, as many of each, one below the other: class token and mean patch, say. */
export interface StackRows {
  readonly op: 'stackRows'
  /** Names the rows, [R, D] each. */
  readonly inputs: readonly SlotName[]
  /** Names all rows in this order, [inputs * R, D]. */
  readonly output: SlotName
}

/** Puts a weight [rows, D] into a slot: a learnt query. */
export interface Broadcast {
  readonly op: 'broadcast'
  /** Names the weight, [rows, D]. */
  readonly weight: WeightName
  /** Names the slot that gets it, [rows, D]. */
  readonly output: SlotName
}

/** Lets learnt queries [Q, D] attend to keys and values side by side [N, 2 * D]; output [Q, D]. */
export interface CrossAttention {
  readonly op: 'crossAttention'
  /** Names the queries, [Q, D]. */
  readonly query: SlotName
  /** Names keys and values side by side, [N, 2 * D]. */
  readonly keyValue: SlotName
  /** Names the merged heads, [Q, D]. */
  readonly output: SlotName
  /** Counts the heads, H; each has D / H columns. */
  readonly heads: number
  /** Is the factor of the products of queries and keys. */
  readonly scale: number
}

/** Gives what `crossAttention` with the same fields weighs values by. */
export interface CrossAttentionWeights extends ChosenHeads {
  readonly op: 'crossAttentionWeights'
  /** Names the queries, [Q, D]. */
  readonly query: SlotName
  /** Names keys and values side by side, [N, 2 * D]. */
  readonly keyValue: SlotName
  /** Names the weights, [M * Q, N], head by head; [Q, N] where heads are joined. */
  readonly output: SlotName
  /** Counts the heads, H; each has D / H columns. */
  readonly heads: number
  /** Is the factor of the products of queries and keys. */
  readonly scale: number
}

/**
 * EfficientProbing (Birder layers/attention_pool.py): `latents` [L, D] attend to the raw tokens `keys` [N, D], head by head,
 * the maps are averaged over the heads, and latent l pools columns [l * D / L, (l + 1) * D / L) of `values` [N, D]; output [1, D].
 */
export interface ProbeAttention {
  readonly op: 'probeAttention'
  /** Names the learnt queries, [L, D]. */
  readonly latents: WeightName
  /** Names the raw tokens, [N, D]. */
  readonly keys: SlotName
  /** Names the values, [N, D]. */
  readonly values: SlotName
  /** Names the pooled vector, [1, D]. */
  readonly output: SlotName
  /** Counts the heads of queries and keys, H. */
  readonly heads: number
  /** Is the factor of the products of queries and keys. */
  readonly scale: number
}

/**
 * Soft mixture of experts (Puigcerver et al. 2023; Birder layers/ffn.py): logits = rmsNorm(x) slots^T over `experts.length * s`
 * slots, dispatch by softmax over tokens, each expert's feed-forward net on its own slots, combine by softmax over slots.
 */
export interface SoftMoe {
  readonly op: 'softMoe'
  /** Names the tokens, [T, D]. */
  readonly input: SlotName
  /** Names the results, [T, D]. */
  readonly output: SlotName
  /** Normalises the tokens for the logits alone. */
  readonly tokenNorm: NormWeights
  /** [experts * s, D], already normalised: it does not depend on the image. */
  readonly slots: WeightName
  /** Lists the experts, each with as many of the slots as the others. */
  readonly experts: readonly SoftMoeExpert[]
  /** Names the activation between an expert's two layers. */
  readonly kind: ActivationKind
}
/** Is a feed-forward net of two layers, D to F to D columns. */
export interface SoftMoeExpert {
  /** Names the first matrix, [F, D]. */
  readonly weight1: WeightName
  /** Names what is added after it, [F]. */
  readonly bias1: WeightName
  /** Names the second matrix, [D, F]. */
  readonly weight2: WeightName
  /** Names what is added after it, [D]. */
  readonly bias2: WeightName
}

/**
 * Says which experts each token goes to, and with which weight. The scores of a token are the products of its row with the rows of the gate; they are computed
 * in float32 at least in every precision, since what follows from them is a choice.
 */
export interface Route {
  readonly op: 'route'
  /** Names the tokens, [T, D]. */
  readonly input: SlotName
  /** Names the weights, [T, E]: 0 for an expert that the token does not go to. */
  readonly output: SlotName
  /** Names the gate, [E, D]. */
  readonly gate: WeightName
  /** Is the first row that is routed; those in front, special tokens, go to no expert. */
  readonly firstRow: number
  /** Says who chooses whom, and what the weights are. */
  readonly choice: RoutingChoice
}

/**
 * Says who chooses whom; of equal scores the lower number is taken.
 *
 * - `sigmoid`: each token takes the experts with the largest sigmoid(score) + bias; the weights are the sigmoids over their sum (DeepSeek-AI 2024,
 *   "DeepSeek-V3 Technical Report").
 * - `softmax`: each token takes the experts with the largest scores; the weights are the softmax over all experts. An expert takes no more tokens than its
 *   capacity: all first choices in the order of the tokens come first, then all second ones (Riquelme et al. 2021, "Scaling Vision with Sparse Mixture of
 *   Experts").
 * - `byExperts`: each expert takes the tokens with the largest weights, which are the softmax over all experts (Zhou et al. 2022, "Mixture-of-Experts with
 *   Expert Choice Routing").
 */
export type RoutingChoice =
  | {
      readonly kind: 'sigmoid'
      /** Counts the experts that each token takes. */
      readonly choices: number
      /** Names what is added to the sigmoids for the choice alone, [E]. */
      readonly bias: WeightName
    }
  | {
      readonly kind: 'softmax'
      /** Counts the experts that each token takes. */
      readonly choices: number
      /** Is the largest number of tokens that an expert takes. */
      readonly capacity: number
    }
  | {
      readonly kind: 'byExperts'
      /** Is the number of tokens that each expert takes. */
      readonly capacity: number
    }

/** Lets experts answer the tokens that go to them: out[t] = scale * sum over e of routing[t, e] * expert e (input[t]). Only chosen experts are computed. */
export interface RoutedExperts {
  readonly op: 'routedExperts'
  /** Names the tokens, [T, D]. */
  readonly input: SlotName
  /** Names what a `route` step has written, [T, E]. */
  readonly routing: SlotName
  /** Names the sums, [T, D]. */
  readonly output: SlotName
  /** Lists the experts, E of them, all of one shape. */
  readonly experts: readonly RoutedExpert[]
  /** Names the activation. */
  readonly kind: ActivationKind
  /** Multiplies what the experts' answers come to. */
  readonly scale: number
}
/** Is a feed-forward net of D to F to D columns: outer(activation(inner x)), or outer(activation(gate x) * inner x) where it is gated. */
export interface RoutedExpert {
  /** Has a matrix [F, D]. */
  readonly inner: ExpertLayer
  /** Has a matrix [F, D]; null where the expert is not gated. */
  readonly gate: ExpertLayer | null
  /** Has a matrix [D, F]. */
  readonly outer: ExpertLayer
}
/** Is a linear layer of an expert. */
export interface ExpertLayer {
  /** Names the matrix. */
  readonly weight: WeightName
  /** Names what is added after it; null where nothing is. */
  readonly bias: WeightName | null
}
