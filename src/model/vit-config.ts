/**
 * What makes one vision transformer different from another, whatever library wrote it down. Names follow Birder's grammar
 * (spec: Birder net/vit.py); every dialect is translated into this.
 */
import type { ActivationKind } from '../engine/plan.js'
import type { PositionRule } from './positions.js'

export interface VitConfig {
  /** Such as `vit_reg4_l14_nps_ls`, where it is known. */
  readonly network: string | null
  /** Trained input size, pixels. */
  readonly size: readonly [height: number, width: number]
  readonly channels: number
  readonly patchSize: number
  /** D. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Hidden width of the feed-forward net. */
  readonly hidden: number
  readonly classToken: boolean
  readonly registers: number
  readonly norm: 'layerNorm' | 'rmsNorm'
  readonly epsilon: number
  /** A norm in front of the first block. */
  readonly preNorm: boolean
  /** A norm after the last block: on all tokens, on the pooled vector only, or none. */
  readonly finalNorm: 'tokens' | 'pooled' | 'none'
  readonly qkvBias: boolean
  readonly queryKeyNorm: boolean
  /** A norm on the merged heads, before the projection (NormFormer). */
  readonly attentionNorm: boolean
  readonly layerScale: boolean
  readonly mlp: 'ffn' | 'swiglu' | 'normSwiglu' | 'softMoe'
  readonly activation: ActivationKind
  /** In the upper half of the blocks, where `mlp` is `softMoe`. */
  readonly experts: { readonly count: number; readonly slots: number } | null
  readonly stem: Stem
  readonly pooling: Pooling
  readonly classifier: Classifier | null
  readonly positions: Positions | null
  /** Blocks whose outputs `detectionFeatures` returns; null for the last one. */
  readonly outIndices: readonly number[] | null
  readonly rgbStats: RgbStats
}

export type Stem =
  | { readonly kind: 'patchify'; readonly bias: boolean }
  /** Three convolutions with kernel = stride 4, 2, 2 (Touvron et al. 2022, "Three things everyone should know about ViT"). */
  | { readonly kind: 'hmlp'; readonly norm: 'layerNorm' | 'batchNorm' }

export type Pooling =
  | { readonly kind: 'class' }
  | { readonly kind: 'mean' }
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
  /** Whether class token and registers are attended to as well. */
  readonly specialTokens: boolean
  readonly epsilon: number
  readonly hidden: number
  readonly activation: ActivationKind
}

export interface Classifier {
  readonly classes: number
  readonly kind: 'linear' | 'mlp'
  readonly bias: boolean
}

export interface Positions {
  /** Grid of the stored table. */
  readonly rows: number
  readonly columns: number
  /** Whether rows for the special tokens lie in front of the patches' rows. */
  readonly specialRows: boolean
  /** How the checkpoint's own library resamples it. */
  readonly rule: PositionRule
}

export interface RgbStats {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** S: class token and registers. */
export function specialTokens(config: VitConfig): number {
  return config.registers + (config.classToken ? 1 : 0)
}

export const IMAGENET_STATS: RgbStats = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
