/**
 * Holds what makes one vision transformer different from another, whatever library wrote it down. Names follow Birder's grammar
 * (Birder net/vit.py); every dialect is translated into this.
 */
import type { ActivationKind } from '../engine/plan.js'
import type { PositionRule } from './positions.js'
import type { BiasRule } from './relative-bias.js'
import type { RotaryRule } from './rotary.js'
import type { SineRule } from './sines.js'
import type { Windows } from './windows.js'

/** Says which vision transformer it is, in Birder's terms, whatever library wrote the file. */
export interface VitConfig {
  /** Is Birder's name, such as `vit_reg4_l14_nps_ls`, where it is known. */
  readonly network: string | null
  /** Is the trained input size in pixels. */
  readonly size: readonly [height: number, width: number]
  /** Counts the channels of an image, C: 3 for RGB. */
  readonly channels: number
  /** Is a patch's side in pixels, P. */
  readonly patchSize: number
  /** Counts the channels of a token, D. */
  readonly width: number
  /** Counts the blocks. */
  readonly depth: number
  /** Counts the attention heads of a block, H; each has D / H columns. */
  readonly heads: number
  /** Counts the hidden channels of the feed-forward net. */
  readonly hidden: number
  /** Tells whether a class token leads the tokens. */
  readonly classToken: boolean
  /** Tells whether Birder's own order has the class token in front of the registers, as its DeiT has; elsewhere in Birder registers lead. */
  readonly classFirst: boolean
  /** Counts the register tokens, R (Darcet et al. 2024, "Vision transformers need registers"). */
  readonly registers: number
  /** Says which norm the blocks have, and what stands before and after them. */
  readonly norm: 'layerNorm' | 'rmsNorm'
  /** Is added within the root of these norms. */
  readonly epsilon: number
  /** Puts a norm in front of the first block. */
  readonly preNorm: boolean
  /** Puts a norm after the last block: on all tokens, on the pooled vector only, or none. */
  readonly finalNorm: 'tokens' | 'pooled' | 'none'
  /** Tells whether queries, keys and values have a bias. */
  readonly qkvBias: boolean
  /** Tells whether each head's queries and keys are normalised. */
  readonly queryKeyNorm: boolean
  /** Puts a norm on the merged heads, before the projection (NormFormer). */
  readonly attentionNorm: boolean
  /** Turns queries and keys by the places of their patches; null for a network without rotary positions. */
  readonly rotary: RotaryRule | null
  /** Adds what is learnt of the offsets of patches to the scores of attention; null for a network without relative positions. */
  readonly bias: BiasRule | null
  /**
   * Says how a block is put together: `preNorm` is x + attention(norm x), then x + feed-forward(norm x); `postNorm` is x + norm(attention x), then
   * x + norm(feed-forward x); `parallel` is x + attention(norm x) + feed-forward(norm x), with one norm.
   */
  readonly block: 'preNorm' | 'postNorm' | 'parallel'
  /** Counts the branches side by side in each half of a block, whose results are summed (Touvron et al. 2022); usually 1. */
  readonly branches: number
  /** Tells whether each branch of a block is scaled by a learnt factor for each column. */
  readonly layerScale: boolean
  /** Says what the feed-forward net of a block is: two layers, these with a norm between, gated (`swiglu`), gated with a norm, or a soft mixture of experts. */
  readonly mlp: 'ffn' | 'normFfn' | 'swiglu' | 'normSwiglu' | 'softMoe'
  /** Names the activation of the feed-forward nets. */
  readonly activation: ActivationKind
  /** Stand in some of the blocks instead of one feed-forward net: soft ones in the upper half where `mlp` is `softMoe`; null for a network without. */
  readonly experts: SoftExperts | RoutedExperts | null
  /** Says how patches become tokens. */
  readonly stem: Stem
  /** Lets attention work in windows; null where all tokens see all. */
  readonly windows: Windows | null
  /** Counts the channels to which two convolutions take the tokens behind the blocks; null for a network without. */
  readonly neck: number | null
  /** Puts further blocks and a norm of their own behind the final norm; null for a network without. */
  readonly head: VisionHead | null
  /** Says how tokens become the embedding. */
  readonly pooling: Pooling
  /** Names the activation behind a linear layer on what is pooled, as transformers' ViT has it (`pooler`); null for a network without. */
  readonly pooler: ActivationKind | null
  /** Counts the columns to which a linear layer without bias projects what is pooled, as CLIP does; null for a network without. */
  readonly projection: number | null
  /** Names what stands for a whole image; null for what the library that wrote the file gives, which `readVit` puts here by name. */
  readonly embedding: EmbeddingKind | null
  /** Says what makes class scores of the embedding; null where nothing does. */
  readonly classifier: Classifier | null
  /** Describes the table of positions; null for a network without. */
  readonly positions: Positions | null
  /** Adds positions of sines and cosines that are made for each grid, where no table is stored; null for a network without. */
  readonly sines: SineRule | null
  /** Say which layers a backbone hands out, in their order; null stands for the last block's output as it is. */
  readonly taps: readonly Tap[] | null
  /** Gives mean and deviation of the levels that the network was trained with. */
  readonly rgbStats: RgbStats
}

/** Names the tokens that enter a block or leave the last one. */
export interface Tap {
  /** Counts the blocks in front: 0 are the tokens that enter the first one. */
  readonly layer: number
  /** Tells whether the final norm is applied to them. */
  readonly isNormed: boolean
}

/** Describes dino.txt's head on the image's side: further blocks over all normed tokens, a norm, and where it has one a projection (Jose et al. 2024). */
export interface VisionHead {
  /** Counts its blocks, which have as many heads as the network's own. */
  readonly depth: number
  /** Counts the hidden channels of its feed-forward nets, which are gated. */
  readonly hidden: number
  /** Is added within the root of its norms. */
  readonly epsilon: number
  /** Tells whether queries, keys and values have a bias. */
  readonly qkvBias: boolean
  /** Tells whether each branch of a block is scaled by a learnt factor for each column. */
  readonly layerScale: boolean
  /** Counts the columns to which a linear layer without bias takes all tokens; null where they keep their own. */
  readonly projection: number | null
  /** Says of which block registers and patches are taken, counted from the last, 1; the class token is always the last block's. */
  readonly patchLayer: number
}

/** Describes a soft mixture of experts. */
export interface SoftExperts {
  /** Counts the experts of a block. */
  readonly count: number
  /** Counts the slots of each expert. */
  readonly slots: number
}

/** Describes experts to which tokens are routed, of which each token sees a few. */
export interface RoutedExperts {
  /** Numbers the blocks that have them. */
  readonly blocks: readonly number[]
  /** Counts the experts among which tokens are routed. */
  readonly count: number
  /** Counts the hidden channels of an expert. */
  readonly hidden: number
  /** Says who chooses whom. */
  readonly routing: ExpertRouting
  /** Says what else of these blocks is not as in V-MoE, whose experts are plain feed-forward nets; null for those of V-MoE. */
  readonly fine: FineExperts | null
}

/** Says who chooses whom among tokens and experts (engine/plan.ts has the formulas). */
export type ExpertRouting =
  | {
      readonly kind: 'sigmoid'
      /** Counts the experts that each token takes. */
      readonly choices: number
    }
  | {
      readonly kind: 'softmax'
      /** Counts the experts that each token takes. */
      readonly choices: number
      /** Is an expert's room for tokens, beside its even share. */
      readonly capacityFactor: number
      /** Is what an expert's room is rounded up to a multiple of. */
      readonly multipleOf: number
    }
  | {
      readonly kind: 'byExperts'
      /** Counts the experts that take a token on the average. */
      readonly capacityFactor: number
    }

/** Describes fine-grained experts, which are gated by SiLU (Dai et al. 2024, "DeepSeekMoE"). */
export interface FineExperts {
  /** Tells whether their layers have biases. */
  readonly bias: boolean
  /** Counts the experts that answer every token, whose answers are added. */
  readonly shared: number
  /** Counts the experts that answer class token and registers, which are routed to no other then. */
  readonly special: number
  /** Multiplies what the routed experts' answers come to. */
  readonly scale: number
}

/** Says how an image becomes patches: `patchify` is one convolution, `hmlp` three. */
export type Stem =
  | {
      readonly kind: 'patchify'
      /** Tells whether the convolution has a bias. */
      readonly bias: boolean
      /** Tells whether the patches are normalised before they get positions, as in AIMv2; default `false`. */
      readonly norm?: boolean
      /** Is the side of the stored kernel where patches have another, to which it is resized (FlexiViT); absent where they have its own. */
      readonly kernel?: number
    }
  /** The three convolutions have kernel = stride 4, 2, 2 (Touvron et al. 2022, "Three things everyone should know about ViT"). */
  | {
      readonly kind: 'hmlp'
      /** Says which norm follows each convolution. */
      readonly norm: 'layerNorm' | 'batchNorm'
    }

/** Says how tokens become the embedding. `class` takes the class token; `probe` is EfficientProbing, as Birder has it. */
export type Pooling =
  | {
      /** Takes the class token, alone or with the largest value of each column of the patches beside it. */
      readonly kind: 'class' | 'class-max'
    }
  | {
      /** Takes the mean of some tokens, as timm does of a distilled DeiT's. */
      readonly kind: 'special-mean'
      /** Numbers the tokens, in the order class token, registers, patches. */
      readonly rows: readonly number[]
    }
  | {
      /** Lays some tokens out one after the other (Birder's DeiT, C-RADIO). */
      readonly kind: 'special-rows'
      /** Numbers the tokens, in the order class token, registers, patches; or counts them, where the file has their numbers as a table `pool.rows`. */
      readonly rows: readonly number[] | number
    }
  | {
      /** Takes mean, largest value, or halfway between the two, of each column. */
      readonly kind: 'mean' | 'max' | 'mean-max'
      /** Tells whether class token and registers count as well, beside the patches; default `false`. */
      readonly specialTokens?: boolean
    }
  | AttentionPooling
  | {
      readonly kind: 'probe'
      /** Counts the heads. */
      readonly heads: number
      /** Tells whether class token and registers count as well; default `false`. */
      readonly specialTokens: boolean
      /** Counts the learnt queries, L. */
      readonly latents: number
    }

/** Pools by a learnt query that attends to the tokens, with a feed-forward net after it. */
export interface AttentionPooling {
  readonly kind: 'attention'
  /** Counts the heads. */
  readonly heads: number
  /** Tells whether class token and registers are attended to as well. */
  readonly specialTokens: boolean
  /** Is added within the root of its norm. */
  readonly epsilon: number
  /** Counts the hidden channels of its feed-forward net; null for AIMv2's head, which has neither that nor a norm, and whose query is not projected. */
  readonly hidden: number | null
  /** Names the activation of its feed-forward net. */
  readonly activation: ActivationKind
  /** Is the norm in front of that net; default `layerNorm`. */
  readonly norm?: VitConfig['norm']
}

/** Makes class scores. */
export interface Classifier {
  /** Counts the classes, N. */
  readonly classes: number
  /**
   * `class-and-mean` reads class token and mean patch side by side, whatever the embedding is (transformers' DINOv2); `distilled` gives the mean of the
   * scores that class token and distillation token have (DeiT). `mlp` has a hidden layer with a norm behind it (Birder's ViT), `tanh` one with tanh (V-MoE).
   * `last-classes` reads the class tokens of the last `LAST_CLASSES` blocks side by side, each behind the final norm (Meta's DINO), and `last-classes-and-mean`
   * the last block's mean patch beside them (Meta's DINOv2).
   */
  readonly kind:
    | 'linear'
    | 'mlp'
    | 'tanh'
    | 'class-and-mean'
    | 'distilled'
    | 'last-classes'
    | 'last-classes-and-mean'
  /** Tells whether its last layer has a bias. */
  readonly bias: boolean
}

/** Counts the blocks whose class tokens a classifier of several reads. */
export const LAST_CLASSES = 4

/** Describes the stored table of positions, [rows * columns, D]. */
export interface Positions {
  /** The stored table has this grid. */
  readonly rows: number
  /** Counts the columns of its grid. */
  readonly columns: number
  /** Tells whether rows for the special tokens lie in front of the patches' rows. */
  readonly specialRows: boolean
  /** Tells how the checkpoint's own library resamples it. */
  readonly rule: PositionRule
  /** Tells how Birder resamples it once for another size (`adjust_size`); default: by `rule`. */
  readonly adjustRule?: PositionRule
  /** Tells how Birder resamples it where the size may differ from image to image (`set_dynamic_size`); default: plainly, `bicubic`. */
  readonly dynamicRule?: PositionRule
  /** Makes the table anew for another grid, as no image has taught it; absent where it is learnt, and resampled. */
  readonly sines?: SineRule
}

/** Holds mean and deviation of each channel, for levels from 0 to 1. */
export interface RgbStats {
  /** [C], red, green, blue. It is subtracted. */
  readonly mean: readonly number[]
  /** [C]. What is left is divided by it. */
  readonly std: readonly number[]
}

/**
 * Names what stands for a whole image: the class token, the mean of its patches, both side by side, what a pooling of the network's own or a layer behind it gives
 * (`pooled`), or that projected to the space it shares with texts (`projected`).
 */
export type EmbeddingKind = (typeof EMBEDDING_KINDS)[number]
/** Lists what can stand for a whole image. */
export const EMBEDDING_KINDS = ['class', 'mean', 'class-mean', 'pooled', 'projected'] as const

/** Holds what a plain vision transformer has of what only some networks have otherwise. */
export const PLAIN = {
  classFirst: false,
  windows: null,
  neck: null,
  head: null,
  norm: 'layerNorm',
  preNorm: false,
  finalNorm: 'tokens',
  qkvBias: true,
  queryKeyNorm: false,
  attentionNorm: false,
  rotary: null,
  bias: null,
  block: 'preNorm',
  branches: 1,
  experts: null,
  stem: { kind: 'patchify', bias: true },
  pooler: null,
  projection: null,
  embedding: null,
  classifier: null,
  sines: null,
  taps: null,
} as const satisfies Partial<VitConfig>

/** Counts the columns of the tokens that a network hands out, which what stands behind the blocks may change. */
export function tokenWidth({ width, neck, head }: VitConfig): number {
  return head?.projection ?? neck ?? width
}

/** Counts class token and registers, S. */
export function specialTokens(config: VitConfig): number {
  return config.registers + (config.classToken ? 1 : 0)
}

export const IMAGENET_STATS: RgbStats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
