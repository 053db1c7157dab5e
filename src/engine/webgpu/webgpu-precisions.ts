/** Lists the precisions of the WebGPU engine, apart from what computes them, so that a choice loads no engine. */

export const WEBGPU_PRECISIONS = ['float32', 'float16'] as const
export type WebgpuPrecision = (typeof WEBGPU_PRECISIONS)[number]
