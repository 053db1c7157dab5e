import type { Engine, WeightSource } from '../../src/engine/engine.js'
import type { Plan } from '../../src/engine/plan.js'
import type { Resample } from '../../src/kernels/resample-pillow.js'

export declare const plan: Plan
export declare const weights: WeightSource
export declare function engineOf(threads: number): Engine
export declare const BATCH: number
export declare const pixels: Float32Array<ArrayBuffer>
export declare function checkOutputs(outputs: ReadonlyMap<string, Float32Array>): void
export declare function checkResize(resample: Resample): Promise<void>
export declare function threadCount(): number
export declare function threadsLeft(before: number): Promise<number>
