/**
 * Finds the lowest point of a smooth function by its gradient: L-BFGS (Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
 * 1989), whose steps satisfy the weak Wolfe conditions, found by halving and doubling (Lewis and Overton, "Nonsmooth optimization via quasi-Newton methods",
 * 2013). Where a function is computed too coarsely to tell that it falls, its slope decides (Hager and Zhang, "A new conjugate gradient method with guaranteed
 * descent", 2005: the approximate Wolfe condition).
 */
import { dot } from './dot.js'
import { pausesFor } from './pauses.js'
import type { ProductOptions } from './products.js'

/** Gives the value at a point [N], and writes the gradient there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => Promise<number>

/** Says how near is near enough. */
export interface MinimiseOptions extends ProductOptions {
  /** It ends where no entry of the gradient is larger. */
  readonly tolerance: number
  /** Bounds the steps. */
  readonly rounds: number
}

/** Is where the search has ended. */
export interface Minimum {
  /** [N] */
  readonly point: Float64Array
  /** Is the function's value there. */
  readonly value: number
  /** Is the largest entry of the gradient there, without its sign. */
  readonly slope: number
  /** Counts the steps. */
  readonly rounds: number
}

/** So many steps are remembered, as in SciPy. */
const REMEMBERED = 10
/** The value must fall by this share of what the slope promises, and the slope itself to that share. */
const FALL = 1e-4
const FLATTEN = 0.9
/** A function whose sums are float32 may be wrong by this share of its value. */
const COARSE = 1e-7
const MOST_TRIES = 20

interface Visited {
  readonly point: Float64Array
  readonly gradient: Float64Array
  readonly value: number
}

interface Step {
  /** [N] Leads from one point to the next. */
  readonly along: Float64Array
  /** [N] Is what the gradient changed by. */
  readonly bend: Float64Array
  readonly product: number
}

/**
 * Goes down from `start` until the gradient is small enough, the rounds are used up, or no step leads further down, as where a function is computed no more
 * exactly than that. Rejects with the signal's reason.
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance, rounds, signal }: MinimiseOptions,
): Promise<Minimum> {
  const pause = pausesFor(signal)
  const visit = async (point: Float64Array): Promise<Visited> => {
    const gradient = new Float64Array(point.length)
    return { point, gradient, value: await objective(point, gradient) }
  }
  const steps: Step[] = []
  let here = await visit(Float64Array.from(start))
  let round = 0
  for (; round < rounds && largestOf(here.gradient) > tolerance; round++) {
    await pause()
    const direction = downFrom(here.gradient, steps)
    const first = steps.length === 0 ? 1 / Math.max(1, lengthOf(here.gradient)) : 1
    const next = await searchLine(here, direction, first, visit)
    if (next === null) break
    const step = stepBetween(here, next)
    if (step.product > 0) steps.push(step)
    if (steps.length > REMEMBERED) steps.shift()
    here = next
  }
  return { point: here.point, value: here.value, slope: largestOf(here.gradient), rounds: round }
}

/** Multiplies the gradient with what the steps tell of the inverse Hessian, by the two loops of Nocedal (1980). */
function downFrom(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = gradient.map((value) => -value)
  const shares = new Float64Array(steps.length)
  for (let i = steps.length - 1; i >= 0; i--) {
    const { along, bend, product } = steps[i]
    shares[i] = inner(along, direction) / product
    addTimes(direction, bend, -shares[i])
  }
  const last = steps.at(-1)
  if (last !== undefined) {
    const scale = last.product / inner(last.bend, last.bend)
    for (let i = 0; i < direction.length; i++) direction[i] *= scale
  }
  for (const [i, { along, bend, product }] of steps.entries())
    addTimes(direction, along, shares[i] - inner(bend, direction) / product)
  return direction
}

/** Gives null where no step along the line leads down far enough. */
async function searchLine(
  here: Visited,
  direction: Float64Array,
  first: number,
  visit: (point: Float64Array) => Promise<Visited>,
): Promise<Visited | null> {
  const slope = inner(here.gradient, direction)
  if (!(slope < 0)) return null
  let [low, high, length] = [0, Number.POSITIVE_INFINITY, first]
  let best: Visited | null = null
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const point = Float64Array.from(here.point)
    addTimes(point, direction, length)
    const there = await visit(point)
    const slopeThere = inner(there.gradient, direction)
    const falls = there.value <= here.value + FALL * length * slope
    const mayFall =
      there.value <= here.value + COARSE * Math.abs(here.value) && slopeThere <= (2 * FALL - 1) * slope
    // The conditions are written so that a NaN counts as too high.
    if (!falls && !mayFall) high = length
    else if (slopeThere < FLATTEN * slope) {
      best = there
      low = length
    } else return there
    length = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2
  }
  return best
}

function stepBetween(from: Visited, to: Visited): Step {
  const along = to.point.map((value, i) => value - from.point[i])
  const bend = to.gradient.map((value, i) => value - from.gradient[i])
  return { along, bend, product: inner(along, bend) }
}

function inner(a: Float64Array, b: Float64Array): number {
  return dot(a, 0, b, 0, a.length)
}

function addTimes(to: Float64Array, what: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * what[i]
}

function lengthOf(vector: Float64Array): number {
  return Math.sqrt(inner(vector, vector))
}

function largestOf(vector: Float64Array): number {
  let largest = 0
  for (const value of vector) largest = Math.max(largest, Math.abs(value))
  return largest
}
