/** Plans the tensors of a network that stays in its own library's layout: names and shapes are those of the file, and so are values where their type stays. */
import type { StoredTensor } from '../formats/stored-tensor.js'
import { PERIODS } from '../model/grid-tables.js'
import { isFloatType } from '../tensor/dtype.js'
import { toFloat32 } from '../tensor/tensor.js'
import type { ConvertSource, Storing } from './convert-source.js'

export function planCopied(
  { checkpoint, vit }: ConvertSource,
  { dtype: asked, narrowing }: Storing,
): readonly StoredTensor[] {
  // Rounded periods would turn queries and keys by other angles, which is more than rounding a weight.
  const kept = vit.storedAs.tables.get(PERIODS)?.parts.map(({ tensor }) => tensor) ?? []
  return [...checkpoint.tensors].map(([name, { dtype, shape }]): StoredTensor => {
    const isFloat = (isFloatType(dtype) || dtype === 'F64') && !kept.includes(name)
    const written = asked === undefined || !isFloat ? dtype : asked
    return {
      name,
      shape,
      dtype: written,
      async read() {
        const tensor = await checkpoint.read(name)
        if (written === dtype || asked === undefined) return tensor.bytes
        if (dtype === 'F64') narrowing.takeDouble()
        return narrowing.take(name, toFloat32(tensor), asked)
      },
    }
  })
}
