/**
 * A dialect is one library's way to write a vision transformer down. It is recognised by tensor names, never by the file's name, and
 * translated into the canonical form here and nowhere else: order class token, registers, patches; positions of special tokens
 * folded into them; q, k and v in one matrix; every matrix [out, in].
 */
import type { OptionNames } from '../../check-option-names.js'
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import type { Preparation } from '../../image/preparation.js'
import type { PlainRecord, PlainValue } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import type { FieldTable } from '../fields.js'
import type { LeftOverKind } from '../left-over.js'
import type { EmbeddingKind, RgbStats, VitConfig } from '../vit-config.js'
import type { StoredWeight } from './stored-weight.js'

/** Names a library whose checkpoints are read. */
export type DialectName = 'birder' | 'facebook' | 'hugging-face' | 'open-clip' | 'timm'

export interface Dialect {
  readonly name: DialectName
  /** Tells that traces of its own show the network, so that no other that looks alike can be meant. */
  readonly isCertain?: boolean
  /** Tells by the tensors; the files beside them count only where two libraries give theirs the same names. */
  recognises(tensors: ReadonlyMap<string, TensorInfo>, hints: VitHints): boolean
  /** Tells, of a file whose tensors it recognises, by what stands beside them; absent where tensors are enough. */
  claims?(checkpoint: Checkpoint, hints: VitHints): boolean
  readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig
  /** Gives the table of entries that the library itself writes beside the tensors, and that `readConfig` judges. */
  entries?(checkpoint: Checkpoint): FieldTable | null
  /** Gives what the files beside the weights say about making input, where their library keeps it there. Throws for what is not followed here. */
  readPreparation?(checkpoint: Checkpoint, hints: VitHints): Preparation | null
  /** Says in whole sentences what no file has told and was assumed, each with the option that tells it. */
  assumptions?(checkpoint: Checkpoint, hints: VitHints): readonly string[]
  /** Says where a canonical weight of this shape comes from. */
  source(
    weight: string,
    shape: Shape,
    config: VitConfig,
    tensors: ReadonlyMap<string, TensorInfo>,
  ): StoredWeight
  /** Names the position table's tensor, [1, rows, D], [rows, D] where it `isFlat`, or [1, rows, columns, D] where it `isGrid`, and counts its first rows that belong to special tokens. */
  positions(config: VitConfig): {
    readonly tensor: string
    readonly special: number
    readonly isFlat?: boolean
    readonly isGrid?: boolean
  } | null
  /**
   * Says where the tables of rotary and relative positions come from, by the names of grid-tables.ts; absent where the library stores none. A position table
   * among them is taken for the one that `positions` names.
   */
  tables?(config: VitConfig, tensors: ReadonlyMap<string, TensorInfo>): ReadonlyMap<string, StoredWeight>
  /** Says of a tensor in the file that the network does not use, such as a mask token, what it is. Null refuses it, and so does a dialect that says nothing of any. */
  leftOver?(tensor: string, tensors: ReadonlyMap<string, TensorInfo>): LeftOverKind | null
}

/** Says what the caller knows about a network beside its file. */
export interface VitHints {
  /** Names Birder's network, which is needed where the file name does not begin with it. */
  readonly network?: string
  /**
   * Is timm's name of the architecture, with the tag of its weights, and counts before the one that the files say: some of timm's names share their weights
   * with another architecture.
   */
  readonly architecture?: string
  /** Overrides, in Birder's keys, the config entries of the file and of the network. */
  readonly config?: PlainRecord
  /** Holds the `config.json` that lies beside the weights (Hugging Face, timm). */
  readonly configFile?: PlainValue
  /** Holds the `preprocessor_config.json` that lies beside the weights (Hugging Face). */
  readonly preprocessorFile?: PlainValue
  /** Holds the `processor_config.json` that lies beside the weights, in which transformers from 5 on keeps the image processor of a model with a tokenizer. */
  readonly processorFile?: PlainValue
  /** Holds the `open_clip_config.json` that lies beside the weights (open_clip). */
  readonly openClipFile?: PlainValue
  /** Counts attention heads, for files that don't say: tensors look the same with any number. */
  readonly heads?: number
  /** Is the side of a patch in pixels, for a network that takes patches of other sizes than its own (FlexiViT); default: its own. */
  readonly patchSize?: number
  /** Gives the trained input size in pixels, for files that don't say and whose position table is not square. */
  readonly size?: readonly [height: number, width: number]
  /** Gives mean and deviation of the levels that the network was trained with. It counts before what the files say. */
  readonly normalisation?: RgbStats
  /** Names what stands for a whole image; default: what the library that wrote the file gives. */
  readonly embedding?: EmbeddingKind
  /** Says how dino.txt's head pools patches, for a checkpoint with one: its file does not say. Default `mean`, as published. */
  readonly headPooling?: 'mean' | 'max'
  /** Says of which block, counted from the last, 1, dino.txt's head takes patches; default 1, as published. */
  readonly headPatchLayer?: number
  /** Names fields of the files beside the weights, or in them, that no table has and that are known to change nothing (model/fields.ts). */
  readonly ignoreFields?: readonly string[]
}

export const VIT_HINTS = {
  network: true,
  architecture: true,
  config: true,
  configFile: true,
  preprocessorFile: true,
  processorFile: true,
  openClipFile: true,
  heads: true,
  patchSize: true,
  size: true,
  normalisation: true,
  embedding: true,
  headPooling: true,
  headPatchLayer: true,
  ignoreFields: true,
} satisfies OptionNames<VitHints>
