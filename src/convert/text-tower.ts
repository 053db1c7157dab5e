/** Takes along what stands beside a network in its file and is no part of it: a text tower, whose tensors another library has under other names. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { StoredTensor } from '../formats/stored-tensor.js'
import { isFloatType } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import type { Storing } from './convert-source.js'
import type { TextTower } from './writer.js'

export function planCarried(
  checkpoint: Checkpoint,
  { tensors }: TextTower,
  { dtype: asked, narrowing }: Storing,
): readonly StoredTensor[] {
  return tensors.map(({ name, shape, from, isTurned = false, band = 0 }): StoredTensor => {
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
          const whole = toFloat32(await checkpoint.read(one))
          const part =
            from.length > 1 ? whole : whole.subarray(band * values.length, (band + 1) * values.length)
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
