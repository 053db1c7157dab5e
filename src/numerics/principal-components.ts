/** Principal component analysis finds the directions along which rows of numbers differ most. */
import { dot } from './dot.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import type { Directions } from './projections.js'
import { seededRandom } from './seeded-random.js'

/** Holds the K directions along which rows [N, D] differ most. */
export interface PrincipalComponents extends Directions {
  /** [K, D]. They have length 1, are at right angles to each other and come largest variance first; the entry of largest magnitude is positive. */
  readonly components: Float64Array
  /** [K]. The rows vary so much along each component (divided by N). */
  readonly variances: Float64Array
}

/** Says how the components are found. */
interface Effort {
  /** Extra directions are carried along, since the wanted ones settle by the gap to the first that is not carried. */
  readonly spare: number
  readonly mostRounds: number
  /** A component counts as found when no more than this is left of C v - lambda v, relative to the largest variance. */
  readonly settled: number
}

/** The covariance of wider rows is not made: it would take more than the rows do. */
const WIDEST_MATRIX = 1024
const BY_MATRIX: Effort = { spare: 6, mostRounds: 100, settled: 1e-9 }
/** Each product goes through all rows, and may be in float32. */
const BY_ROWS: Effort = { spare: 10, mostRounds: 8, settled: 1e-5 }
/** In a round, directions are multiplied so many times, by a polynomial that makes least of those which are not wanted. */
const DEGREE = 6
/** The largest direction may grow so much beside the others: rounding would leave nothing of them beyond. */
const MOST_GROWTH = 1e8
const SEED = 1

/**
 * Finds the first `count` components of rows [N, D], which lie in blocks, by subspace iteration on the covariance (Golub and Van Loan, Matrix Computations,
 * 8.2.4), filtered by Chebyshev polynomials (Zhou and Saad, A Chebyshev-Davidson algorithm, 2007), from a fixed start: the same rows always give the same answer. Where rows differ along fewer directions, the rest have variance 0.
 *
 * Up to 1,024 columns it takes the covariance, D * D float64 of memory. Beyond, it is a seeded randomised subspace (Halko, Martinsson and Tropp, Finding
 * structure with randomness, 2011, 4.5), and each product goes through all rows. Throws RangeError for no rows, a part of a row, or more components than
 * columns; the signal's reason.
 */
export async function principalComponents(
  blocks: readonly Float32Array[],
  width: number,
  count: number,
  { products = plainProducts, signal }: ProductOptions & { readonly products?: Products | undefined } = {},
): Promise<PrincipalComponents> {
  const rowCount = checkRows(blocks, width)
  if (!(Number.isInteger(count) && count >= 1 && count <= width))
    throw new RangeError(`There are 1 to ${width} components in rows of ${width} numbers, not ${count}.`)
  const share = (sums: Float64Array) => sums.map((sum) => sum / rowCount)
  if (width <= WIDEST_MATRIX) {
    const { mean, sums } = await products.gram(blocks, width, { signal })
    const covariance = share(sums)
    return {
      mean,
      ...(await dominant(async (basis) => multiply(covariance, basis, width), width, count, BY_MATRIX)),
    }
  }
  const mean = await products.mean(blocks, width, { signal })
  const times = async (basis: Float64Array) =>
    share(await products.gramTimes(blocks, mean, basis, { signal }))
  return { mean, ...(await dominant(times, width, count, BY_ROWS)) }
}

/** Finds the eigenvectors of largest eigenvalue of what `times` multiplies vectors [K, D] by. */
async function dominant(
  times: (basis: Float64Array) => Promise<Float64Array>,
  width: number,
  count: number,
  { spare, mostRounds, settled }: Effort,
): Promise<Omit<PrincipalComponents, 'mean'>> {
  const carried = Math.min(width, count + spare)
  let basis = startingBasis(carried, width)
  for (let round = 0; ; round++) {
    const images = await times(basis)
    const { values, vectors } = symmetricEigen(innerProducts(basis, images, width), carried)
    const components = combine(vectors, basis, carried, width)
    const stretched = combine(vectors, images, carried, width)
    if (round === mostRounds || residual(components, stretched, values, count, width) <= settled) {
      const found = components.slice(0, count * width)
      for (let k = 0; k < count; k++) makeLargestPositive(found.subarray(k * width, (k + 1) * width))
      // Rounding leaves variances that should be 0 a little below it.
      return { components: found, variances: values.slice(0, count).map((v) => Math.max(0, v)) }
    }
    basis = await filtered(times, components, stretched, values)
    orthonormalise(basis, carried, width)
  }
}

/**
 * Multiplies `directions` by a Chebyshev polynomial of the matrix, which stays within 1 from eigenvalue 0 to the least of `values` and grows fast beyond it:
 * what is carried grows, what is not does not.
 */
async function filtered(
  times: (basis: Float64Array) => Promise<Float64Array>,
  directions: Float64Array,
  images: Float64Array,
  values: Float64Array,
): Promise<Float64Array> {
  const half = values[values.length - 1] / 2
  // Rows differ along fewer directions than are carried: nothing else is left.
  if (!(half > 1e-12 * values[0])) return images
  const degrees = Math.min(DEGREE, Math.floor(Math.log(MOST_GROWTH) / Math.log((2 * values[0]) / half)))
  let before = directions
  let now = images.map((value, i) => value / half - directions[i])
  for (let degree = 1; degree < degrees; degree++) {
    const [last, one] = [before, now]
    before = now
    now = (await times(one)).map((value, i) => 2 * (value / half - one[i]) - last[i])
  }
  return now
}

/** Makes directions without a pattern that data could be at right angles to. */
function startingBasis(count: number, width: number): Float64Array {
  const random = seededRandom(SEED)
  const basis = Float64Array.from({ length: count * width }, () => random() - 0.5)
  orthonormalise(basis, count, width)
  return basis
}

/** Multiplies each of the `vectors` [K, D] by a symmetric matrix [D, D]. */
function multiply(matrix: Float64Array, vectors: Float64Array, width: number): Float64Array {
  const out = new Float64Array(vectors.length)
  for (let i = 0; i < width; i++)
    for (let at = 0; at < vectors.length; at += width)
      out[at + i] = dot(matrix, i * width, vectors, at, width)
  return out
}

/** Multiplies every vector of `a` with every one of `b`, into [K, K]. */
function innerProducts(a: Float64Array, b: Float64Array, width: number): Float64Array {
  const count = a.length / width
  const out = new Float64Array(count * count)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) out[i * count + j] = dot(a, i * width, b, j * width, width)
  return out
}

/** Sums the `vectors` [K, D], weighted by each row of `weights` [K, K]. */
function combine(weights: Float64Array, vectors: Float64Array, count: number, width: number): Float64Array {
  const out = new Float64Array(count * width)
  for (let k = 0; k < count; k++) {
    for (let j = 0; j < count; j++) {
      const weight = weights[k * count + j]
      for (let i = 0; i < width; i++) out[k * width + i] += weight * vectors[j * width + i]
    }
  }
  return out
}

/** Finds the largest |C v - lambda v| of the wanted components, relative to the largest variance. */
function residual(
  components: Float64Array,
  stretched: Float64Array,
  values: Float64Array,
  count: number,
  width: number,
): number {
  let worst = 0
  for (let k = 0; k < count; k++) {
    let square = 0
    for (let i = k * width; i < (k + 1) * width; i++)
      square += (stretched[i] - values[k] * components[i]) ** 2
    worst = Math.max(worst, square)
  }
  return values[0] > 0 ? Math.sqrt(worst) / values[0] : 0
}

/** Follows Gram and Schmidt, twice, because once is not exact. A vector that vanishes is replaced by an axis that is still free. */
function orthonormalise(vectors: Float64Array, count: number, width: number): void {
  for (let k = 0; k < count; k++) {
    const at = k * width
    const before = Math.sqrt(dot(vectors, at, vectors, at, width))
    let length = subtractEarlier(vectors, k, width)
    if (!(length > before * 1e-12)) length = 0
    for (let axis = 0; length === 0 && axis < width; axis++) {
      vectors.fill(0, at, at + width)
      vectors[at + axis] = 1
      length = subtractEarlier(vectors, k, width)
      if (length < 1e-3) length = 0
    }
    for (let i = 0; i < width; i++) vectors[at + i] /= length
  }
}

/** Takes from the `k`-th vector what lies along those before it; returns the length of what is left. */
function subtractEarlier(vectors: Float64Array, k: number, width: number): number {
  const at = k * width
  for (let twice = 0; twice < 2; twice++) {
    for (let j = 0; j < k; j++) {
      const along = dot(vectors, at, vectors, j * width, width)
      for (let i = 0; i < width; i++) vectors[at + i] -= along * vectors[j * width + i]
    }
  }
  return Math.sqrt(dot(vectors, at, vectors, at, width))
}

function makeLargestPositive(vector: Float64Array): void {
  let largest = 0
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value
  // A zero stays one without a sign, which JSON would not keep.
  if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = 0 - vector[i]
}

/** Finds all eigenvalues, largest first, and eigenvectors (rows) of a small symmetric matrix by Jacobi's rotations. */
function symmetricEigen(
  matrix: Float64Array,
  size: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const a = Float64Array.from(matrix)
  const rows = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0
    let diagonal = 0
    for (let i = 0; i < size; i++) {
      diagonal += a[i * size + i] ** 2
      for (let j = i + 1; j < size; j++) off += a[i * size + j] ** 2
    }
    if (off <= 1e-30 * diagonal) break
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, rows, size, p, q)
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j] - a[i * size + i])
  return {
    values: Float64Array.from(order, (i) => a[i * size + i]),
    vectors: Float64Array.from(order.flatMap((i) => [...rows.subarray(i * size, (i + 1) * size)])),
  }
}

/** Makes `a[p][q]` zero. */
function rotate(a: Float64Array, rows: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]
  if (apq === 0) return
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let i = 0; i < size; i++) turn(a, i * size + p, i * size + q, c, s)
  for (let i = 0; i < size; i++) turn(a, p * size + i, q * size + i, c, s)
  for (let i = 0; i < size; i++) turn(rows, p * size + i, q * size + i, c, s)
}

function turn(values: Float64Array, i: number, j: number, c: number, s: number): void {
  const [x, y] = [values[i], values[j]]
  values[i] = c * x - s * y
  values[j] = s * x + c * y
}
