/**
 * This is what the engine and its leading worker say to each other. Weights, pixels, outputs and programs change hands: their buffers
 * are transferred, and sent as buffers of floats rather than as views, because Deno walks through every element of a view that it receives.
 */
import type { EngineErrorCode } from '../engine-error.js'
import type { ProductPrecision } from '../ops.js'

export type Request = { readonly id: number } & (
  | { readonly kind: 'allocate'; readonly bytes: number }
  | {
      readonly kind: 'pack'
      /** Counts bytes from the start of the memory. */
      readonly address: number
      /** Is null for values that stay as they are. */
      readonly precision: ProductPrecision | null
      readonly columns: number
      readonly depth: number
      readonly values: ArrayBuffer
    }
  | { readonly kind: 'release'; readonly address: number }
  | {
      readonly kind: 'compile'
      /** Is the number that the program is to have. */
      readonly program: number
      /** Holds the operations' numbers, of 64 bits. */
      readonly ops: ArrayBuffer
      readonly constants: ArrayBuffer
      readonly arenaFloats: number
    }
  | { readonly kind: 'discard'; readonly program: number }
  | {
      readonly kind: 'run'
      readonly program: number
      readonly weights: number
      readonly batch: number
      readonly pixels: ArrayBuffer
      /** Counts the values of each output for the batch. */
      readonly outputLengths: readonly number[]
      /** Asks how long each operation takes, in place of the outputs. */
      readonly timed: boolean
    }
  | { readonly kind: 'cancel'; readonly run: number }
  | { readonly kind: 'peak'; readonly repetitions: number }
)

/** A request is answered with an address, with 1 or 0 for a packed weight that has lost most of a row or has not, outputs, seconds or those of each operation, and with null where nothing is asked. */
export type Answer = number | readonly ArrayBuffer[] | Float64Array<ArrayBuffer> | null

export type Reply = { readonly id: number } & (
  | { readonly answer: Answer }
  | { readonly failure: { readonly code: EngineErrorCode | 'cancelled'; readonly message: string } }
)
