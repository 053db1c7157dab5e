/** What golden cases look like: an `index.json` lists inputs, expected tensors and tolerances. Their files come from wherever a platform has them. */
import type { ByteSource, Checkpoint } from '../checkpoint/checkpoint.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import type { Engine } from '../engine/engine.js'
import { toFloat32 } from '../tensor/tensor.js'

export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly exact?: boolean
  /** Largest allowed absolute difference. */
  readonly atol?: number
  /** How far the library's own float32 run is from its float64 run. */
  readonly noise?: number
}

export interface GoldenFile {
  readonly path: string
}

export interface GoldenCase {
  readonly id: string
  readonly kind: string
  readonly network?: string
  readonly config?: Record<string, never>
  readonly network_parameters?: { readonly heads: number }
  readonly checkpoints?: readonly (GoldenFile & { readonly format: string })[]
  readonly run?: { readonly position: string; readonly size: readonly [number, number] }
  readonly input?: GoldenFile & { readonly tensor: string }
  readonly expected?: GoldenFile
  readonly tensors?: Readonly<Record<string, GoldenTensor>>
  readonly [key: string]: unknown
}

/** One comparison. `error` and `tolerance` are absolute differences, unless the note says otherwise. */
export interface Comparison {
  readonly id: string
  readonly kind: string
  readonly tensor: string
  readonly error: number
  readonly tolerance: number
  readonly passed: boolean
  readonly note?: string
}

export type OpenSource = ByteSource & AsyncDisposable

/** What a kind of case needs to run. */
export interface CaseContext {
  readonly engine: Engine
  /** A file by its path from the index; throws `CheckpointError` `not-found` where there is none. */
  readonly open: (path: string) => Promise<OpenSource>
  readonly signal?: AbortSignal
}

/** Configs and the shards of an index are listed too, and are read along with what they belong to. */
export function isWhole(path: string): boolean {
  return path.endsWith('.index.json') || (!path.endsWith('.json') && !/-\d+-of-\d+\.safetensors$/.test(path))
}

/** Reads named tensors of a safetensors file as float32, and closes it. */
export async function readTensors(
  source: OpenSource,
  names?: readonly string[],
): Promise<Map<string, Float32Array>> {
  await using checkpoint = await openCheckpoint(source)
  const values = new Map<string, Float32Array>()
  for (const name of names ?? checkpoint.tensors.keys()) values.set(name, await readTensor(checkpoint, name))
  return values
}

export async function readTensor(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  return toFloat32(await checkpoint.read(name))
}

/** NaN anywhere makes the error infinite: it must never pass. */
export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i])
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  return largest
}

export function compare(
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
  note?: string,
): Comparison {
  const { atol = 0 } = golden.tensors?.[tensor] ?? {}
  const error =
    actual === undefined || expected === undefined
      ? Number.POSITIVE_INFINITY
      : largestDifference(actual, expected)
  return {
    id: golden.id,
    kind: golden.kind,
    tensor,
    error,
    tolerance: atol,
    passed: error <= atol,
    ...(note === undefined ? {} : { note }),
  }
}
