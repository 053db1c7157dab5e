/** Judges options where they come in, so that a mistake is named and not found out by a hang or a NaN. */

/** Throws RangeError unless the value is one of the known ones, or absent. */
export function checkChoice(option: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return
  throw new RangeError(`The option ${option} is ${JSON.stringify(value)}; it can be ${known.join(', ')}.`)
}

/** Throws RangeError unless the value is a whole number of at least `least`, or absent. */
export function checkWhole(option: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) return
  throw new RangeError(
    `The option ${option} is ${String(value)}; it must be a whole number, at least ${least}.`,
  )
}

/** Throws RangeError unless the value is true, false or absent: a text would be taken for one of them in silence. */
export function checkFlag(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new RangeError(`The option ${option} is ${JSON.stringify(value)}; it can be true or false.`)
}

/** No library makes larger input; at 16384 a ViT with patches of 14 has 1.4 million tokens. */
const LARGEST_SIDE = 16384

/** Throws RangeError unless the size is (height, width) in whole patches. */
export function checkSize(size: unknown, patchSize: number): void {
  const sides: readonly unknown[] = Array.isArray(size) ? size : []
  const fits = (side: unknown) =>
    Number.isInteger(side) && (side as number) >= patchSize && (side as number) <= LARGEST_SIDE
  if (sides.length !== 2 || !sides.every(fits)) {
    const range = `whole numbers from ${patchSize} to ${LARGEST_SIDE}`
    throw new RangeError(
      `The option size is ${JSON.stringify(size)}; it must be one side or [height, width] in pixels, ${range}.`,
    )
  }
  if (sides.every((side) => (side as number) % patchSize === 0)) return
  const nearest = sides.map((side) => Math.round((side as number) / patchSize) * patchSize)
  throw new RangeError(
    `An input of ${sides.join(' x ')} pixels is no whole number of patches of ${patchSize}. The nearest size is ${nearest.join(' x ')}.`,
  )
}
