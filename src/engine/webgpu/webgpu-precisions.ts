/** Lists the precisions of the WebGPU engine, apart from what computes them, so that a choice loads no engine. */

/** Says how weights are kept: `float16` takes half of the memory. */
export const WEBGPU_PRECISIONS = ['float32', 'float16'] as const
/** Names a precision of the WebGPU engine; `float16` multiplies halves where the GPU has them. */
export type WebgpuPrecision = (typeof WEBGPU_PRECISIONS)[number]
