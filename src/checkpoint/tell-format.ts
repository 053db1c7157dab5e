/** Tells by its first bytes in which format a file is, never by its name. */
import type { ByteSource, Checkpoint } from './checkpoint.js'
import { CheckpointError } from './checkpoint-error.js'
import { describeBytes } from './describe-bytes.js'

/** torch.save before PyTorch 1.6 wrote the number 0x1950a86a20f9469cfc6c after the pickle's protocol. */
const LEGACY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

/** Counts the bytes of a file's beginning that tell its format; shorter files are looked at whole. */
export const TELLING_BYTES = 512

/**
 * Calls JSON an index: nothing else in JSON belongs to a checkpoint. `first` is the file's beginning, of at most TELLING_BYTES. Throws `truncated`,
 * `unknown-format`.
 */
export function tellFormat(source: ByteSource, first: Uint8Array): Checkpoint['format'] | 'index' {
  if (first.length < 10) {
    const size = first.length === 0 ? 'is empty' : `has ${first.length} bytes`
    throw new CheckpointError(
      'truncated',
      `${source.label} ${size}: too short for any checkpoint. Was it downloaded completely?`,
    )
  }
  if (startsWith(first, 0, [0x50, 0x4b, 3, 4]) || startsWith(first, 0, [0x50, 0x4b, 5, 6])) return 'torch'
  if (first[0] === 0x80 && startsWith(first, 2, LEGACY_MAGIC)) return 'torch-legacy'
  if (looksLikeSafetensors(source, first)) return 'safetensors'
  if (/^\s*\{/.test(String.fromCharCode(...first))) return 'index'
  throw new CheckpointError(
    'unknown-format',
    `${source.label} is not a checkpoint but ${describeBytes(first)}. ` +
      'Expected: safetensors or a PyTorch file (.pt, .pth, .bin) of tensors, or the index of such a checkpoint in several files.',
  )
}

/**
 * Guesses, since the format has no magic number but begins with eight bytes of length, then JSON. What has the brace in its place,
 * or a length that fits the file, is taken for it. (JSON alone can have a second brace there, but no zero before it.)
 */
function looksLikeSafetensors(source: ByteSource, first: Uint8Array): boolean {
  if (first[8] === 0x7b && (first[0] !== 0x7b || first[7] === 0)) return true
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)
  return length >= 2n && length <= BigInt(source.size - 8)
}

function startsWith(bytes: Uint8Array, offset: number, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[offset + index] === byte)
}
