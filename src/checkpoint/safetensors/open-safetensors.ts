/** Opens one safetensors file as a checkpoint. */
import { assembleCheckpoint } from '../assemble-checkpoint.js'
import type { ByteSource, FileCheckpoint } from '../checkpoint.js'
import { readRange } from '../read-range.js'
import { unwrapNames } from '../unwrap-names.js'
import { readSafetensorsHeader } from './read-header.js'

export async function openSafetensors(source: ByteSource, signal?: AbortSignal): Promise<FileCheckpoint> {
  const { tensors, metadata } = await readSafetensorsHeader(source, signal)
  return assembleCheckpoint(
    { label: source.label, format: 'safetensors', metadata, ...unwrapNames(tensors) },
    ({ offset, byteLength }, name) => readRange(source, offset, byteLength, name, signal),
  )
}
