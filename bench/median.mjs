/** Gives the middle one of some values; of an even number the upper one. */
export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
