/**
 * A dialect: one library's way to write a vision transformer down. It is recognised by tensor names, never by the file's name, and
 * translated into the canonical form here and nowhere else: order class token, registers, patches; positions of special tokens
 * folded into them; q, k and v in one matrix; every matrix [out, in].
 */
import type { Checkpoint, PlainValue, TensorInfo } from '../../checkpoint/checkpoint.js'
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'

export type DialectName = 'birder' | 'facebook' | 'hugging-face' | 'timm'

export interface Dialect {
  readonly name: DialectName
  recognises(tensors: ReadonlyMap<string, TensorInfo>): boolean
  readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig
  /** Where a canonical weight of this shape comes from. */
  source(weight: string, shape: Shape, config: VitConfig): StoredWeight
  /** The position table's tensor, and how many of its first rows belong to special tokens. */
  positions(config: VitConfig): { tensor: string; special: number } | null
  /** Tensors that may be in the file without being used, such as a mask token. Any other is refused. */
  ignores(tensor: string): boolean
}

/** What the caller knows beside the file. */
export interface VitHints {
  /** Birder's network name, where the file name does not begin with it. */
  readonly network?: string
  /** Birder-style config entries that override those of the file and of the network. */
  readonly config?: { readonly [key: string]: PlainValue }
  /** The `config.json` that lies beside the weights (Hugging Face, timm). */
  readonly configFile?: PlainValue
  /** The `preprocessor_config.json` that lies beside the weights (Hugging Face). */
  readonly preprocessorFile?: PlainValue
  /** Attention heads, for files that don't say: tensors look the same with any number. Default: width / 64. */
  readonly heads?: number
  /** Trained input size, for files that don't say and whose position table is not square. */
  readonly size?: readonly [height: number, width: number]
}

/** One canonical weight as it is stored: which tensors, with which shapes, and how they combine. */
export interface StoredWeight {
  readonly parts: readonly { readonly tensor: string; readonly shape: Shape }[]
  /** Absent where the one part is the weight already. */
  readonly combine?: (parts: readonly Float32Array[]) => Float32Array
}

export function stored(tensor: string, shape: Shape): StoredWeight {
  return { parts: [{ tensor, shape }] }
}

/** Parts one below the other: q, k and v, each [D, D], as one matrix [3 D, D]. */
export function stacked(tensors: readonly string[], shape: Shape): StoredWeight {
  const part = [shape[0] / tensors.length, ...shape.slice(1)]
  return {
    parts: tensors.map((tensor) => ({ tensor, shape: part })),
    combine: (parts) => {
      const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
      let at = 0
      for (const values of parts) {
        out.set(values, at)
        at += values.length
      }
      return out
    },
  }
}

/** The `index`-th of `count` equal bands of rows: the gate or the value half of a fused matrix. */
export function band(tensor: string, shape: Shape, index: number, count: number): StoredWeight {
  return {
    parts: [{ tensor, shape: [shape[0] * count, ...shape.slice(1)] }],
    combine: ([whole]) => whole.slice((index * whole.length) / count, ((index + 1) * whole.length) / count),
  }
}

/** A token [rows, D] with its rows of the position table added, in float32 as every library does it. */
export function tokenWithPositions(
  token: { tensor: string; shape: Shape },
  table: { tensor: string; shape: Shape },
  firstRow: number,
): StoredWeight {
  const width = table.shape[2]
  return {
    parts: [token, table],
    combine: ([values, positions]) => values.map((value, i) => value + positions[firstRow * width + i]),
  }
}

/** The side of a square grid of `cells`, or null where they don't make one. */
export function squareSideOrNull(cells: number): number | null {
  const side = Math.round(Math.sqrt(cells))
  return side * side === cells ? side : null
}

/** How many blocks there are: 1 + the largest number that follows the prefix. */
export function countBlocks(tensors: ReadonlyMap<string, TensorInfo>, prefix: string): number {
  let depth = 0
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue
    const index = Number.parseInt(name.slice(prefix.length), 10)
    if (index >= depth) depth = index + 1
  }
  return depth
}
