/** Gives a hidden layer's number from 0; negative ones count from the last. Throws RangeError. */
export function blockIndex(index: number, depth: number): number {
  const positive = index < 0 ? depth + index : index
  if (Number.isInteger(positive) && positive >= 0 && positive < depth) return positive
  throw new RangeError(
    `There is no hidden layer ${index}: this network has ${depth}, numbered 0 to ${depth - 1} or -${depth} to -1.`,
  )
}
