/** Says what files of timm, or a name, tell of a network. */
import type { ActivationKind } from '../../engine/plan.js'
import type { FractionPreparation } from '../../image/preparation.js'
import type { PositionRule } from '../position-rule.js'
import type { RgbStats, VitConfig } from '../vit-config.js'
import type { TimmClass, TimmName } from './timm-architectures.js'
import type { TimmSettings } from './timm-settings.js'

type Size = readonly [height: number, width: number]

export type TimmPool = 'token' | 'avg' | 'max' | 'avgmax' | 'map' | ''

/** Is what files or a name tell of a network; undefined stands for what they do not tell. */
export interface TimmTold {
  /** Names the class that timm builds the network of. */
  readonly class: TimmClass
  /** Reads what only some classes are built with. */
  readonly settings: TimmSettings
  /** Says whether norms stand behind the branches of a block, and not in front of them. */
  readonly isPostNorm: boolean
  readonly heads: number | ((width: number) => number | null)
  readonly epsilon: number
  readonly rmsNorm: boolean | undefined
  readonly activation: ActivationKind | undefined
  /** Says how positions are resampled. */
  readonly rule: PositionRule
  readonly pool: TimmPool | undefined
  readonly includePrefix: boolean
  /** Is null where timm decides it by the pooling. */
  readonly fcNorm: boolean | null | undefined
  readonly finalNorm: boolean | undefined
  readonly noEmbedClass: boolean | undefined
  readonly sizes: readonly Size[]
  readonly rgbStats: RgbStats | undefined
  readonly preparation: FractionPreparation | undefined
  /** Is the size that the network is built for, of which images are made where the file says no size of its input; else null. */
  readonly unsaidSize: Size | null
  /** Throws `contradiction` where the file says something else about the network than its tensors. */
  readonly check: (config: VitConfig, shown: TimmShown) => void
  /** Is the name that was found, where there is no file. */
  readonly name: TimmName | null
}

/** Is what tensors show beside a network's config. */
export interface TimmShown {
  /** Counts the hidden columns of the feed-forward net as `mlp_ratio` does. */
  readonly mlpRows: number
  /** Counts the hidden columns of an attention pooling's feed-forward net; null where there is none. */
  readonly pooledRows: number | null
  /** Says whether there is a last norm, on tokens or on what is pooled. */
  readonly hasNorm: boolean
  /** Says whether that is a norm on what is pooled. */
  readonly hasPooledNorm: boolean
  /** Holds what further arguments must be, by their names: what the weights show of each. */
  readonly further: Readonly<Record<string, number | boolean>>
}
