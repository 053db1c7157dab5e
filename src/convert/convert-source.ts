/** Is what a conversion begins with, and how its values are stored. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { VitModel } from '../model/read-vit.js'
import type { StoredFloat } from '../tensor/narrow.js'
import type { Narrowing } from './narrowing.js'
import type { ConvertedConfig } from './told-by-values.js'

/** Is an open network that is written anew. */
export interface ConvertSource {
  readonly vit: VitModel
  readonly checkpoint: Checkpoint
  /** Is its config, and what its values tell beside it. */
  readonly config: ConvertedConfig
}

/** Says how values are stored. */
export interface Storing {
  /** Is the type of all values; absent where each tensor keeps the one that it has. */
  readonly dtype?: StoredFloat
  readonly narrowing: Narrowing
}
