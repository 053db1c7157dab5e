/** A safetensors file as a checkpoint. */
import type { ByteSource, FileCheckpoint } from '../checkpoint.js'
import { readRange } from '../read-range.js'
import { tensorReader } from '../tensor-reader.js'
import { unwrapNames } from '../unwrap-names.js'
import { readSafetensorsHeader } from './read-header.js'

export async function openSafetensors(source: ByteSource, signal?: AbortSignal): Promise<FileCheckpoint> {
  const { tensors: stored, metadata } = await readSafetensorsHeader(source, signal)
  const { tensors, prefix, dropped } = unwrapNames(stored)
  return {
    label: source.label,
    format: 'safetensors',
    tensors: tensors,
    metadata,
    wrapping: prefix,
    dropped,
    read: tensorReader(source.label, tensors, ({ offset, byteLength }, name) =>
      readRange(source, offset, byteLength, name, signal),
    ),
  }
}
