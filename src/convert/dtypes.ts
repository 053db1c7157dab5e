/** Says how people name the types in which values are stored. */
import type { StoredFloat } from '../tensor/narrow.js'

/** Names each type as safetensors does. */
export const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const satisfies Readonly<
  Record<string, StoredFloat>
>

/** Names a type in which values are stored: float32, IEEE's half, or bfloat16. */
export type DtypeName = keyof typeof DTYPES
/** Lists the types in which values can be stored. */
export const DTYPE_NAMES = Object.keys(DTYPES) as readonly DtypeName[]
