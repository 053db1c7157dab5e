/** Says how a safetensors file of ours keeps matrices in bytes: no other library takes them for its own weights, since none has tensors of these names. */

/** Names the entry of `__metadata__` that tells such a file from others, and holds what it says of itself as JSON. */
export const INT8_ENTRY = 'plumage'
/** Is raised when such files are read otherwise. */
export const INT8_VERSION = 1
/** Ends the name of the tensor that holds a matrix in bytes, [..., depth] of I8. */
export const BYTES_SUFFIX = '.int8'
/** Ends the name of the tensor that holds its scales, [...] of F32: one for each row. */
export const SCALES_SUFFIX = '.int8_scale'
