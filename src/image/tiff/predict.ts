/** Undoes the prediction that makes a TIFF's rows easier to compress (TIFF 6.0, section 14; Adobe's technical note 3 for floating point). */

export interface Prediction {
  readonly predictor: number
  readonly bits: number
  /** Counts the samples of a pixel that lie together. */
  readonly samples: number
  readonly littleEndian: boolean
}

type Undo = (row: Uint8Array, prediction: Prediction) => void

const HORIZONTAL = 2
const FLOATING_POINT = 3

/** Gives null for a prediction that libtiff does not know for samples of this width. */
export function undoPredictionOrNull({ predictor, bits }: Prediction): Undo | null {
  if (predictor === 1) return () => {}
  if (predictor === FLOATING_POINT && bits === 32) return undoFloats
  return predictor === HORIZONTAL ? (SUMS.get(bits) ?? null) : null
}

/** Each sample says how much larger it is than that of the pixel before. */
const SUMS: ReadonlyMap<number, Undo> = new Map<number, Undo>([
  [
    8,
    (row, { samples }) => {
      for (let i = samples; i < row.length; i++) row[i] = (row[i] ?? 0) + (row[i - samples] ?? 0)
    },
  ],
  [
    16,
    (row, { samples, littleEndian }) => {
      const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
      for (let at = 2 * samples; at + 2 <= row.length; at += 2) {
        const sum = view.getUint16(at, littleEndian) + view.getUint16(at - 2 * samples, littleEndian)
        view.setUint16(at, sum, littleEndian)
      }
    },
  ],
  [
    32,
    (row, { samples, littleEndian }) => {
      const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
      for (let at = 4 * samples; at + 4 <= row.length; at += 4) {
        const sum = view.getUint32(at, littleEndian) + view.getUint32(at - 4 * samples, littleEndian)
        view.setUint32(at, sum >>> 0, littleEndian)
      }
    },
  ],
])

/** The highest bytes of all numbers come first, then the next ones, whatever the file's byte order; and each byte is predicted as a sample. */
function undoFloats(row: Uint8Array, { samples, littleEndian }: Prediction): void {
  for (let i = samples; i < row.length; i++) row[i] = (row[i] ?? 0) + (row[i - samples] ?? 0)
  const planes = row.slice()
  const count = row.length / 4
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < 4; byte++) {
      row[4 * i + (littleEndian ? 3 - byte : byte)] = planes[byte * count + i] ?? 0
    }
  }
}
