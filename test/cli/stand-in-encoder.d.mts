import type { FileEncoder } from '../../src/work/file-encoder.js'

export interface StandInOptions {
  /** Per image. */
  readonly delayMs?: number
  /** A file that every path computed is appended to. */
  readonly log?: string
  /** Names of classes, which it then scores. */
  readonly labels?: readonly string[]
  readonly weights?: string
}

export const WIDTH: number
export const ROWS: number
export const COLUMNS: number
export function standInEncoder(options?: StandInOptions): FileEncoder
/** What the stand-in finds in an image of these bytes. */
export function embeddingOf(bytes: Uint8Array): Float32Array
