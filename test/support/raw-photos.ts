/** Makes files that are laid out as cameras lay out raw photos, with pictures in them. */

export interface RawImage {
  readonly jpeg: Uint8Array
  /** Is TIFF's number for what the values mean: 6 a picture, 34892 raw data. */
  readonly photometric: number
}

/** Puts parts one after the other behind a kind's mark. */
export function rawPhoto(mark: string, parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(mark, 'latin1'), ...parts])
}

/** Makes a TIFF whose first directory has the first image, and those below it the others. */
export function tiffPhoto({
  isDng,
  orientation,
  images,
}: {
  readonly isDng: boolean
  readonly orientation: number
  readonly images: readonly RawImage[]
}): Uint8Array {
  const [, ...below] = images
  const DIRECTORY = 200
  const placeOf = (at: number) => 8 + DIRECTORY * at
  const starts: number[] = []
  let end = placeOf(images.length)
  for (const { jpeg } of images) {
    starts.push(end)
    end += jpeg.length
  }
  const file = Buffer.alloc(end)
  file.write('II*\0', 0, 'latin1')
  file.writeUInt32LE(8, 4)
  for (const [at, { jpeg, photometric }] of images.entries()) {
    file.set(jpeg, starts[at])
    const entries: [tag: number, type: number, values: readonly number[]][] = [
      [259, 3, [7]],
      [262, 3, [photometric]],
      [273, 4, [starts[at] ?? 0]],
      [279, 4, [jpeg.length]],
    ]
    if (at === 0) {
      entries.push([274, 3, [orientation]])
      entries.push([330, 4, below.map((_, next) => placeOf(next + 1))])
      if (isDng) entries.push([50706, 1, [1, 4, 0, 0]])
    }
    writeDirectory(
      file,
      placeOf(at),
      entries.filter(([, , values]) => values.length > 0),
    )
  }
  return file
}

function writeDirectory(
  file: Buffer,
  start: number,
  entries: readonly [tag: number, type: number, values: readonly number[]][],
): void {
  const sorted = [...entries].sort(([a], [b]) => a - b)
  file.writeUInt16LE(sorted.length, start)
  let spare = start + 2 + 12 * sorted.length + 4
  for (const [index, [tag, type, values]] of sorted.entries()) {
    const at = start + 2 + 12 * index
    file.writeUInt16LE(tag, at)
    file.writeUInt16LE(type, at + 2)
    file.writeUInt32LE(values.length, at + 4)
    const size = type === 1 ? 1 : type === 3 ? 2 : 4
    const place = values.length * size <= 4 ? at + 8 : spare
    if (place === spare) {
      file.writeUInt32LE(spare, at + 8)
      spare += values.length * size
    }
    for (const [i, value] of values.entries()) file.writeUIntLE(value, place + i * size, size)
  }
}
