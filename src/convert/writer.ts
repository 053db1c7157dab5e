/** A writer is one class of networks in one library's layout: what it holds, where its files keep each weight, and what else they say. */
import type { Recipe } from '../image/recipe.js'
import type { VitHints } from '../model/dialects/dialect.js'
import type { StoredPart, StoredWeight } from '../model/dialects/stored-weight.js'
import type { PlainRecord } from '../plain-value.js'
import type { Shape } from '../tensor/shape.js'
import type { ConvertSource } from './convert-source.js'
import type { Holdings } from './holdings.js'
import type { ConvertedConfig } from './told-by-values.js'

/** Names a library in whose layout networks are written. */
export type LibraryName = (typeof LIBRARY_NAMES)[number]
/** Lists the libraries in whose layouts networks are written. */
export const LIBRARY_NAMES = ['birder', 'facebook', 'hugging-face', 'open-clip', 'timm'] as const

export interface Writer {
  readonly library: LibraryName
  /** Names the library's class. */
  readonly class: string
  readonly holds: Holdings
  /** Tells that it has files of PyTorch's alone, since what stands around its names shows whose they are. */
  readonly isTorchAlone?: boolean
  /** Says what stands around its names in files of PyTorch's; absent where these are a bare state dict. */
  readonly wrapping?: Wrapping
  /** Says where a canonical weight goes. */
  readonly source: (weight: string, shape: Shape, config: ConvertedConfig) => StoredWeight
  /** Says where the position table goes; absent where the class has none. */
  readonly positions?: (config: ConvertedConfig) => PositionsPlace
  /** Says where other tables that depend on the grid go, by the names of model/grid-tables.ts. */
  readonly tables?: (config: ConvertedConfig) => ReadonlyMap<string, StoredWeight>
  /** Lists tensors that the class has beside the network, which are taken from the source where it has them and are zeros elsewhere. */
  readonly further?: (config: ConvertedConfig) => readonly StoredPart[]
  /** Lists tensors whose values follow from the config. They are float32, whatever the type of the weights. */
  readonly made?: (config: ConvertedConfig) => readonly MadeTensor[]
  /** Gives the text tower beside the network as the class has it, or says in words why none is written; absent where the class has none. */
  readonly text?: (source: ConvertSource, files: VitHints) => TextTower | string
  /** Says what stands in the files beside the tensors. */
  readonly files: (network: WrittenNetwork) => WrittenFiles
  /** Says what no file does, so that whoever loads the files must; a file that stands alone may say less than one with others beside it. */
  readonly hints?: (config: ConvertedConfig, isAlone: boolean) => VitHints
  /** Gives the config in the words of the layout's reader, where these are others. */
  readonly asRead?: (config: ConvertedConfig) => ConvertedConfig
  /** Says in whole sentences what whoever loads the files should know, since no file can say it. */
  readonly notes?: (config: ConvertedConfig, isAlone: boolean, text: TextTower | string) => readonly string[]
}

/** Says what stands around the names of a network. */
export interface Wrapping {
  /** Names the entry of a file that is the state dict. */
  readonly entry: string
  /** Stands in front of each name in it. */
  readonly prefix: string
}

/** Says where a position table is: [1, rows, D], or [rows, D] where it is flat. */
export interface PositionsPlace {
  readonly tensor: string
  /** Counts its rows in front of those of the patches. */
  readonly special: number
  readonly isFlat?: boolean
}

export interface MadeTensor extends StoredPart {
  readonly values: Float32Array
}

/** Is a text tower in the words of the library that it is written for. */
export interface TextTower {
  readonly tensors: readonly CarriedTensor[]
  /** Are its settings in the library's file. */
  readonly settings: PlainRecord
}

/** Is a tensor that is written of others, as they lie one below the other. */
export interface CarriedTensor {
  readonly name: string
  readonly shape: Shape
  /** Names the tensors of the source. */
  readonly from: readonly string[]
  /** Tells that rows become columns. */
  readonly isTurned?: boolean
  /** Numbers the band of rows that it is of the one tensor, of which each has as many; absent where it is all of it. */
  readonly band?: number
}

/** Is what files beside tensors are made of. */
export interface WrittenNetwork {
  readonly config: ConvertedConfig
  /** Names the classes in the order of their numbers; null where nothing names them. */
  readonly labels: readonly string[] | null
  /** Says how images are made. */
  readonly recipe: Recipe
  /** Is the text tower that is written beside it, or why none is. */
  readonly text: TextTower | string
  /** Names the type of most elements, as PyTorch does, such as float32. */
  readonly dtype: string
}

export interface WrittenFiles {
  /** Is the config.json; absent where the library keeps none. */
  readonly configFile?: PlainRecord
  /** Is the preprocessor_config.json; absent where the library keeps none. */
  readonly preprocessorFile?: PlainRecord
  /** Is the open_clip_config.json; absent for every other library. */
  readonly openClipFile?: PlainRecord
  /** Are entries in the file of the weights itself. */
  readonly entries?: PlainRecord
}
