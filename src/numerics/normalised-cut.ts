/**
 * Parts a graph of patches in two by the second smallest eigenvector of its normalised Laplacian: (D - W) y = lambda D y (Shi and Malik 2000, "Normalized
 * Cuts and Image Segmentation"). The graph is TokenCut's (Wang et al. 2022, "Self-Supervised Transformers for Unsupervised Object Discovery using Normalized
 * Cut"): two patches are joined with weight 1 where their similarity is above a bound, else with a small weight.
 */

import { type ProductOptions, type Products, plainProducts } from './products.js'

/** Bounds the directions that are looked at. */
const MOST_STEPS = 300
/** An eigenvector counts as found when no more than this is left of M x - mu x. */
const SETTLED = 1e-7

/** Says which patches are joined. */
export interface Graph {
  /** [N, N] has 1 where two are joined strongly and 0 elsewhere; it is symmetric. */
  readonly joined: Uint8Array
  /** Is the weight of all other pairs, above 0. */
  readonly weak: number
}

/** Is a way to part the graph. */
export interface NormalisedCut {
  /** [N] is y: nodes of one part lie on one side of the mean. */
  readonly vector: Float64Array
  /** Is the second smallest eigenvalue, lambda, from 0 to 2: near 0 the parts hardly hang together. */
  readonly value: number
}

/**
 * Finds the eigenvector by Lanczos' method with full reorthogonalisation, from a fixed start: the same graph always gives the same answer. What is iterated is
 * M = D^-1/2 W D^-1/2, whose largest eigenvector is known and taken out. The sign is such that the entry of largest magnitude is positive.
 */
export function normalisedCut({ joined, weak }: Graph, count: number): NormalisedCut {
  const degree = degreesOf(joined, weak, count)
  const root = degree.map(Math.sqrt)
  const known = unit(root.slice())
  const multiply = (x: Float64Array) => multiplied(joined, weak, root, x)
  const { vector, value } = largestBeside(known, multiply, count)
  for (let i = 0; i < count; i++) vector[i] /= root[i]
  let largest = 0
  for (let i = 0; i < count; i++) if (Math.abs(vector[i]) > Math.abs(largest)) largest = vector[i]
  if (largest < 0) for (let i = 0; i < count; i++) vector[i] = -vector[i]
  return { vector, value: 1 - value }
}

/** Is how many rows of similarities are there at a time. */
const ROWS_AT_A_TIME = 256

/** Joins patches whose rows [N, D] of length 1 have a similarity above `bound`; each is joined with itself. Rejects with the signal's reason. */
export async function joinSimilar(
  units: Float32Array,
  width: number,
  bound: number,
  {
    products = plainProducts,
    signal,
  }: ProductOptions & { readonly products?: Pick<Products, 'similarity'> | undefined } = {},
): Promise<Uint8Array> {
  const count = units.length / width
  const joined = new Uint8Array(count * count)
  for (let first = 0; first < count; first += ROWS_AT_A_TIME) {
    signal?.throwIfAborted()
    const block = units.subarray(first * width, (first + ROWS_AT_A_TIME) * width)
    const similar = await products.similarity(block, units, width, { signal })
    for (let i = first, at = 0; at < similar.length; i++, at += count) {
      joined[i * count + i] = 1
      // What is above the diagonal counts for both places, so that rounding leaves the graph symmetric.
      for (let j = i + 1; j < count; j++)
        if (similar[at + j] > bound) joined[i * count + j] = joined[j * count + i] = 1
    }
  }
  return joined
}

function degreesOf(joined: Uint8Array, weak: number, count: number): Float64Array {
  const degree = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let strong = 0
    for (let j = i * count; j < (i + 1) * count; j++) strong += joined[j]
    degree[i] = strong + weak * (count - strong)
  }
  return degree
}

/** Multiplies by M: W = weak + (1 - weak) joined, so that the weak part is one sum. */
function multiplied(joined: Uint8Array, weak: number, root: Float64Array, x: Float64Array): Float64Array {
  const count = x.length
  const scaled = x.map((value, i) => value / root[i])
  let all = 0
  for (let i = 0; i < count; i++) all += scaled[i]
  const out = new Float64Array(count)
  for (let i = 0, at = 0; i < count; i++) {
    let strong = 0
    for (let j = 0; j < count; j++, at++) strong += joined[at] * scaled[j]
    out[i] = (weak * all + (1 - weak) * strong) / root[i]
  }
  return out
}

/** Finds the eigenvector of the largest eigenvalue among those at right angles to `known`, in a Krylov space that grows until it holds it. */
function largestBeside(
  known: Float64Array,
  multiply: (x: Float64Array) => Float64Array,
  count: number,
): { readonly vector: Float64Array; readonly value: number } {
  const most = Math.min(MOST_STEPS, count - 1)
  const basis: Float64Array[] = []
  const diagonal: number[] = []
  const beside: number[] = []
  let next = Float64Array.from({ length: count }, (_, i) => (((i + 1) * 0.6180339887498949) % 1) - 0.5)
  for (let step = 0; step < most; step++) {
    takeOut(next, [known, ...basis])
    const length = Math.sqrt(dot(next, next))
    if (step > 0) beside.push(length)
    // A space that does not grow is closed: it holds its eigenvectors exactly.
    if (length < 1e-12) break
    for (let i = 0; i < count; i++) next[i] /= length
    basis.push(next)
    const image = multiply(next)
    diagonal.push(dot(image, next))
    next = Float64Array.from(image)
    if (step % 10 === 9 || step === most - 1) {
      const { value, weights } = largestOfTridiagonal(diagonal, beside)
      const rest = next.slice()
      takeOut(rest, [known, ...basis])
      if (Math.abs(weights[weights.length - 1]) * Math.sqrt(dot(rest, rest)) <= SETTLED)
        return { value, vector: combined(basis, weights) }
    }
  }
  const { value, weights } = largestOfTridiagonal(diagonal, beside)
  return { value, vector: combined(basis, weights) }
}

/** Twice, because once is not exact. */
function takeOut(vector: Float64Array, others: readonly Float64Array[]): void {
  for (let twice = 0; twice < 2; twice++) {
    for (const other of others) {
      const along = dot(vector, other)
      for (let i = 0; i < vector.length; i++) vector[i] -= along * other[i]
    }
  }
}

/** Halves an interval by Sturm's count of eigenvalues, then solves for the vector from both ends of the matrix. */
function largestOfTridiagonal(
  diagonal: readonly number[],
  beside: readonly number[],
): { readonly value: number; readonly weights: Float64Array } {
  const size = diagonal.length
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < size; i++) {
    const radius = (i > 0 ? beside[i - 1] : 0) + (i < size - 1 ? beside[i] : 0)
    low = Math.min(low, diagonal[i] - radius)
    high = Math.max(high, diagonal[i] + radius)
  }
  for (let halving = 0; halving < 100 && high - low > 1e-15 * Math.max(1, Math.abs(high)); halving++) {
    const middle = (low + high) / 2
    if (isAboveAll(diagonal, beside, middle)) high = middle
    else low = middle
  }
  return { value: high, weights: tridiagonalVector(diagonal, beside, high) }
}

/** Tells whether no eigenvalue is above `bound`, by the signs of the pivots. */
function isAboveAll(diagonal: readonly number[], beside: readonly number[], bound: number): boolean {
  let pivot = 1
  for (let i = 0; i < diagonal.length; i++) {
    const square = i === 0 ? 0 : beside[i - 1] * beside[i - 1]
    pivot = diagonal[i] - bound - (square === 0 ? 0 : square / pivot)
    if (pivot >= 0) return false
  }
  return true
}

/** Iterates inversely, once being enough for a value that is right to the last bits and twice being safe. */
function tridiagonalVector(
  diagonal: readonly number[],
  beside: readonly number[],
  value: number,
): Float64Array {
  const size = diagonal.length
  const shift = value + 1e-14 * Math.max(1, Math.abs(value))
  let vector = new Float64Array(size).fill(1)
  for (let round = 0; round < 3; round++) {
    const pivots = new Float64Array(size)
    const solved = vector.slice()
    pivots[0] = diagonal[0] - shift
    for (let i = 1; i < size; i++) {
      const factor = beside[i - 1] / pivots[i - 1]
      pivots[i] = diagonal[i] - shift - factor * beside[i - 1]
      solved[i] -= factor * solved[i - 1]
    }
    for (let i = size - 1; i >= 0; i--) {
      if (i < size - 1) solved[i] -= beside[i] * solved[i + 1]
      solved[i] /= pivots[i]
    }
    vector = unit(solved)
  }
  return vector
}

function combined(basis: readonly Float64Array[], weights: Float64Array): Float64Array {
  const out = new Float64Array(basis[0].length)
  for (let k = 0; k < weights.length; k++)
    for (let i = 0; i < out.length; i++) out[i] += weights[k] * basis[k][i]
  return out
}

function unit(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const length = Math.sqrt(dot(vector, vector))
  for (let i = 0; i < vector.length; i++) vector[i] /= length
  return vector
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
