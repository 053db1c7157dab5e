/** A writer is one class of networks in one library's layout: what it holds, where its files keep each weight, and what else they say. */
import type { Recipe } from '../image/recipe.js'
import type { StoredPart, StoredWeight } from '../model/dialects/stored-weight.js'
import type { VitConfig } from '../model/vit-config.js'
import type { PlainRecord } from '../plain-value.js'
import type { Shape } from '../tensor/shape.js'
import type { Holdings } from './holdings.js'

/** Names a library in whose layout networks are written. */
export type LibraryName = (typeof LIBRARY_NAMES)[number]
/** Lists the libraries in whose layouts networks are written. */
export const LIBRARY_NAMES = ['birder', 'facebook', 'hugging-face', 'timm'] as const

export interface Writer {
  readonly library: LibraryName
  /** Names the library's class. */
  readonly class: string
  readonly holds: Holdings
  /** Counts the rows of the position table in front of those of the patches. */
  readonly specialRows: number
  /** Says where a canonical weight goes. */
  readonly source: (weight: string, shape: Shape, config: VitConfig) => StoredWeight
  /** Names the position table, [1, rows, D], or [rows, D] where it is flat. */
  readonly positions: (config: VitConfig) => { readonly tensor: string; readonly isFlat?: boolean }
  /** Lists tensors that the class has beside the network, which are taken from the source where it has them and are zeros elsewhere. */
  readonly further?: (config: VitConfig) => readonly StoredPart[]
  /** Says what stands in the files beside the tensors. */
  readonly files: (network: WrittenNetwork) => WrittenFiles
  /** Says in whole sentences what whoever loads the files should know, since no file can say it. */
  readonly notes?: (config: VitConfig) => readonly string[]
}

/** Is what files beside tensors are made of. */
export interface WrittenNetwork {
  readonly config: VitConfig
  /** Names the classes in the order of their numbers; null where nothing names them. */
  readonly labels: readonly string[] | null
  /** Says how images are made. */
  readonly recipe: Recipe
  /** Names the type of most elements, as PyTorch does, such as float32. */
  readonly dtype: string
}

export interface WrittenFiles {
  /** Is the config.json; absent where the library keeps none. */
  readonly configFile?: PlainRecord
  /** Is the preprocessor_config.json; absent where the library keeps none. */
  readonly preprocessorFile?: PlainRecord
  /** Are entries in the file of the weights itself. */
  readonly entries?: PlainRecord
}
