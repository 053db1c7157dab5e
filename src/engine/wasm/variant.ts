/** Names the compiled kernels that a runtime can run (scripts/build-wasm.mjs), and tells people of them. */

export interface WasmVariant {
  readonly threads: number
  /** Uses the fused multiply-add of relaxed SIMD, which not every runtime has. */
  readonly relaxed: boolean
  /** Says that all threads see the memory; without it there is one thread. */
  readonly shared: boolean
}

export const MOST_THREADS = 64

/** Is the smallest module that only relaxed SIMD makes valid: a function of one fused multiply-add. */
export const RELAXED_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 19, 1, 17, 0],
  // It makes three vectors, then f32x4.relaxed_madd.
  ...[0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 0x02, 0x0b],
)

/** Names the kernels' file without its ending. */
export function kernelsName({ relaxed, shared }: Pick<WasmVariant, 'relaxed' | 'shared'>) {
  return `${relaxed ? 'relaxed' : 'simd'}${shared ? '-threads' : ''}` as const
}

export function describeVariant({ threads, relaxed }: WasmVariant): string {
  return `${relaxed ? 'relaxed SIMD' : 'SIMD'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}
