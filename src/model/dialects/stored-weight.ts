/**
 * Says for one canonical weight which tensors of a file it is made of, with which shapes, how they combine, and how they are made of it again: one table
 * of a layout serves whoever reads it and whoever writes it.
 */
import { add } from '../../tensor/add.js'
import { concatenate } from '../../tensor/concatenate.js'
import { elementCount, type Shape, sizeAt } from '../../tensor/shape.js'

/** Says how one canonical weight lies in a file. */
export interface StoredWeight {
  /** Lists the tensors that it is made of. */
  readonly parts: readonly StoredPart[]
  /** Makes the weight of the parts, given in their order. */
  readonly combine: (...parts: Float32Array[]) => Float32Array
  /** Is the place of the weight's first value in the one part, where its values lie there as they are; absent where they must be combined. */
  readonly start?: number
  /** Tells that the parts lie one below the other, so that each row of the weight is one of a part. */
  readonly isStacked?: boolean
  /** Puts the weight's values to where `combine` takes them from, in the part of that number; absent where parts cannot be told from the weight. */
  readonly put?: (weight: Float32Array, into: Float32Array, part: number) => void
  /** Tells that the tensor is written as whole numbers (I64), since it numbers tokens. */
  readonly areNumbers?: boolean
  /** Is the place in the second part of the positions that are added to the token in the first; absent where none are. */
  readonly positionsAt?: number
}

/** Names a tensor of a file, with the shape that it must have. */
export interface StoredPart {
  /** Is its name. */
  readonly tensor: string
  /** Gives its sizes, outermost first. */
  readonly shape: Shape
}

/** The tensor is the weight already. */
export function stored(tensor: string, shape: Shape): StoredWeight {
  return {
    parts: [{ tensor, shape }],
    combine: (whole: Float32Array) => whole,
    start: 0,
    put: (weight, into) => into.set(weight),
  }
}

/** No tensor is the weight: it is zeros, as a bias that a network lacks. */
export function zeros(shape: Shape): StoredWeight {
  return { parts: [], combine: () => new Float32Array(elementCount(shape)), put: () => {} }
}

/** No tensor is the weight: it is the matrix that leaves what it multiplies as it is. */
export function identity([size = 0]: Shape): StoredWeight {
  const combine = () => {
    const matrix = new Float32Array(size * size)
    for (let row = 0; row < size; row++) matrix[row * (size + 1)] = 1
    return matrix
  }
  return { parts: [], combine, put: () => {} }
}

/** The tensors lie one below the other: q, k and v, each [D, D], make one matrix [3 D, D]. */
export function stacked(tensors: readonly string[], shape: Shape): StoredWeight {
  const part = [sizeAt(shape, 0) / tensors.length, ...shape.slice(1)]
  return {
    parts: tensors.map((tensor) => ({ tensor, shape: part })),
    isStacked: true,
    combine: (...parts) => concatenate(parts),
    put: (weight, into, part) => into.set(weight.subarray(part * into.length, (part + 1) * into.length)),
  }
}

/** The weight is the `index`-th of `count` equal bands of rows, as the gate or the value half of a fused matrix is. */
export function band(tensor: string, shape: Shape, index: number, count: number): StoredWeight {
  return {
    parts: [{ tensor, shape: [sizeAt(shape, 0) * count, ...shape.slice(1)] }],
    start: index * elementCount(shape),
    combine: (whole: Float32Array) =>
      whole.slice((index * whole.length) / count, ((index + 1) * whole.length) / count),
    put: (weight, into) => into.set(weight, index * weight.length),
  }
}

/** The weight is some rows of a tensor of more, as q alone is of a fused q, k and v. */
export function rowsOf(tensor: string, shape: Shape, firstRow: number, rows: number): StoredWeight {
  const start = (firstRow * elementCount(shape)) / sizeAt(shape, 0)
  return {
    parts: [{ tensor, shape: [rows, ...shape.slice(1)] }],
    start,
    combine: (whole: Float32Array) => whole.slice(start, start + elementCount(shape)),
    put: (weight, into) => into.set(weight, start),
  }
}

/** The weight is the tensor, with each value multiplied by the same factor. */
export function scaledBy(factor: number, tensor: string, shape: Shape): StoredWeight {
  return {
    parts: [{ tensor, shape }],
    combine: (whole: Float32Array) => whole.map((value) => value * factor),
    put: (weight, into) => into.set(weight.map((value) => value / factor)),
  }
}

/** The weight is the `index`-th of `count` equal bands of columns of a matrix [rows, columns]. */
export function column(tensor: string, whole: Shape, index: number, count: number): StoredWeight {
  const columns = sizeAt(whole, 1)
  const width = columns / count
  return {
    parts: [{ tensor, shape: whole }],
    combine: (values: Float32Array) => {
      const out = new Float32Array(values.length / count)
      for (let row = 0; row * columns < values.length; row++) {
        const from = row * columns + index * width
        out.set(values.subarray(from, from + width), row * width)
      }
      return out
    },
    put(weight, into) {
      for (let row = 0; row * width < weight.length; row++)
        into.set(weight.subarray(row * width, (row + 1) * width), row * columns + index * width)
    },
  }
}

/** The weight is every `count`-th column of a matrix [rows, columns], from the `index`-th on. */
export function everyColumn(tensor: string, whole: Shape, index: number, count: number): StoredWeight {
  return {
    parts: [{ tensor, shape: whole }],
    combine: (values: Float32Array) =>
      Float32Array.from(
        { length: values.length / count },
        (_, at) => values[at * count + index] ?? Number.NaN,
      ),
    put(weight, into) {
      for (const [at, value] of weight.entries()) into[at * count + index] = value
    },
  }
}

/** The rows of a position table [1, rows, D] from `firstRow` are added to a token, in float32 as every library does it. */
export function tokenWithPositions(token: StoredPart, table: StoredPart, firstRow: number): StoredWeight {
  const start = firstRow * sizeAt(table.shape, table.shape.length - 1)
  return {
    parts: [token, table],
    combine: (values: Float32Array, positions: Float32Array) =>
      add(values, positions.subarray(start, start + values.length)),
    // What a weight does not tell apart stands in the token; added to the negative zero, every value stays itself, a negative zero too.
    put(weight, into, part) {
      if (part === 0) into.set(weight)
      else into.fill(-0, start, start + weight.length)
    },
    positionsAt: start,
  }
}
