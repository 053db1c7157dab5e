/**
 * Finds the row that stands for a text: that of the largest id, or the first that has a given one. It is the first of several, and the first of all where none has
 * the id, as `argmax` of what is equal has it.
 */
export function rowOfId(ids: Float32Array, id: number | 'largest'): number {
  const wanted = id === 'largest' ? ids.reduce((most, one) => Math.max(most, one)) : id
  return Math.max(ids.indexOf(wanted), 0)
}
