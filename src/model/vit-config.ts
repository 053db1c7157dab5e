/**
 * Holds what makes one vision transformer different from another, whatever library wrote it down. Names follow Birder's grammar
 * (Birder net/vit.py); every dialect is translated into this.
 */
import type { ActivationKind } from '../engine/plan.js'
import type { PositionRule } from './positions.js'

export interface VitConfig {
  /** Is Birder's name, such as `vit_reg4_l14_nps_ls`, where it is known. */
  readonly network: string | null
  /** Is the trained input size in pixels. */
  readonly size: readonly [height: number, width: number]
  readonly channels: number
  readonly patchSize: number
  /** Counts the channels of a token, D. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Counts the hidden channels of the feed-forward net. */
  readonly hidden: number
  readonly classToken: boolean
  readonly registers: number
  readonly norm: 'layerNorm' | 'rmsNorm'
  readonly epsilon: number
  /** Puts a norm in front of the first block. */
  readonly preNorm: boolean
  /** Puts a norm after the last block: on all tokens, on the pooled vector only, or none. */
  readonly finalNorm: 'tokens' | 'pooled' | 'none'
  readonly qkvBias: boolean
  readonly queryKeyNorm: boolean
  /** Puts a norm on the merged heads, before the projection (NormFormer). */
  readonly attentionNorm: boolean
  readonly layerScale: boolean
  readonly mlp: 'ffn' | 'swiglu' | 'normSwiglu' | 'softMoe'
  readonly activation: ActivationKind
  /** Stand in the upper half of the blocks where `mlp` is `softMoe`. */
  readonly experts: Experts | null
  readonly stem: Stem
  readonly pooling: Pooling
  readonly classifier: Classifier | null
  readonly positions: Positions | null
  /** Name the blocks whose outputs `detectionFeatures` returns; null stands for the last one. */
  readonly outIndices: readonly number[] | null
  readonly rgbStats: RgbStats
}

export interface Experts {
  readonly count: number
  /** Counts the slots of each expert. */
  readonly slots: number
}

export type Stem =
  | { readonly kind: 'patchify'; readonly bias: boolean }
  /** The three convolutions have kernel = stride 4, 2, 2 (Touvron et al. 2022, "Three things everyone should know about ViT"). */
  | { readonly kind: 'hmlp'; readonly norm: 'layerNorm' | 'batchNorm' }

export type Pooling =
  | { readonly kind: 'class' }
  /** Takes mean, largest value, or halfway between the two, of the patches, or of all tokens where `specialTokens` says so. */
  | { readonly kind: 'mean' | 'max' | 'mean-max'; readonly specialTokens?: boolean }
  | AttentionPooling
  | {
      readonly kind: 'probe'
      readonly heads: number
      readonly specialTokens: boolean
      readonly latents: number
    }

export interface AttentionPooling {
  readonly kind: 'attention'
  readonly heads: number
  /** Tells whether class token and registers are attended to as well. */
  readonly specialTokens: boolean
  readonly epsilon: number
  readonly hidden: number
  readonly activation: ActivationKind
}

export interface Classifier {
  readonly classes: number
  /** `class-and-mean` reads class token and mean patch side by side, whatever the embedding is (transformers' DINOv2). */
  readonly kind: 'linear' | 'mlp' | 'class-and-mean'
  readonly bias: boolean
}

export interface Positions {
  /** The stored table has this grid. */
  readonly rows: number
  readonly columns: number
  /** Tells whether rows for the special tokens lie in front of the patches' rows. */
  readonly specialRows: boolean
  /** Tells how the checkpoint's own library resamples it. */
  readonly rule: PositionRule
}

export interface RgbStats {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** Counts class token and registers, S. */
export function specialTokens(config: VitConfig): number {
  return config.registers + (config.classToken ? 1 : 0)
}

export const IMAGENET_STATS: RgbStats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
