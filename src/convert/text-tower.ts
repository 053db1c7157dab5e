/** Takes along what stands beside a network in its file and is no part of it: a text tower, whose tensors another library has under other names. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { StoredTensor } from '../formats/stored-tensor.js'
import type { PlainRecord } from '../plain-value.js'
import { isFloatType } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import type { Storing } from './convert-source.js'

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
}

export function planCarried(
  checkpoint: Checkpoint,
  { tensors }: TextTower,
  { dtype: asked, narrowing }: Storing,
): readonly StoredTensor[] {
  return tensors.map(({ name, shape, from, isTurned = false }): StoredTensor => {
    const types = new Set(from.map((one) => checkpoint.tensors.get(one)?.dtype))
    const [own] = types
    const dtype = asked ?? (types.size === 1 && own !== undefined && isFloatType(own) ? own : 'F32')
    return {
      name,
      shape,
      dtype,
      async read() {
        const values = new Float32Array(elementCount(shape))
        let end = 0
        for (const one of from) {
          const part = toFloat32(await checkpoint.read(one))
          values.set(part, end)
          end += part.length
        }
        return narrowing.take(name, isTurned ? turned(values, shape) : values, dtype)
      },
    }
  })
}

/** @param shape is the one that they get */
function turned(values: Float32Array, [rows = 1, columns = 1]: Shape): Float32Array {
  return values.map((_, at) => values[(at % columns) * rows + Math.floor(at / columns)] ?? Number.NaN)
}
