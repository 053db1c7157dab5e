/** Brings values to the type in which they are written, and keeps account of what that changed: only what nothing has changed is called lossless. */
import { narrow, type StoredFloat } from '../tensor/narrow.js'
import { ConvertError } from './convert-error.js'

export class Narrowing {
  #changed = 0

  /** Counts the values that are not as they were stored, and each tensor of float64 that is written narrower once. */
  get changed(): number {
    return this.#changed
  }

  /** Says that a tensor of float64 is written narrower: it is read as float32 here, so that no later look at its values shows what they were. */
  takeDouble(): void {
    this.#changed++
  }

  /** Gives the elements, little-endian. Throws `ConvertError` `value-too-large` where a value becomes infinite. */
  take(tensor: string, values: Float32Array, dtype: StoredFloat): Uint8Array {
    const { bytes, changed, overflow } = narrow(values, dtype)
    if (overflow !== null) {
      throw new ConvertError(
        'value-too-large',
        `${tensor} has a value of ${overflow}, and float16 holds none beyond 65504. Write it as bf16, which holds all sizes of float32, or as f32.`,
      )
    }
    this.#changed += changed
    return bytes
  }
}
