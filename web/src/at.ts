/** Gives the value at a place; throws RangeError where there is none. */
export function at(values: Float32Array | Uint32Array, place: number): number {
  const value = values[place]
  if (value === undefined) throw new RangeError(`There is no value ${place} among ${values.length}.`)
  return value
}
