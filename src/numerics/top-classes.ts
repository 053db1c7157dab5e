/** Makes of class scores what a person reads: the likeliest classes and how likely they are. */

/** Is one class of a result. */
export interface ClassScore {
  /** Is the number of the class: its place among the scores. */
  readonly index: number
  /** Is its part of all classes' softmax, from 0 to 1. */
  readonly probability: number
}

/**
 * Gives the `count` likeliest classes of scores [N], the likeliest first; of equal ones the lower number. Probabilities are the softmax over all scores, in
 * float64.
 */
export function topClasses(logits: Float32Array, count: number): readonly ClassScore[] {
  let largest = Number.NEGATIVE_INFINITY
  for (const value of logits) if (value > largest) largest = value
  let sum = 0
  for (const value of logits) sum += Math.exp(value - largest)
  return Array.from(logits, (value, index) => ({ index, probability: Math.exp(value - largest) / sum }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count)
}
