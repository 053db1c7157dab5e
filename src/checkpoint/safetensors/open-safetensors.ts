/** Opens one safetensors file. */
import type { ByteSource, FoundCheckpoint } from '../checkpoint.js'
import { unwrapNames } from '../unwrap-names.js'
import { readSafetensorsHeader } from './read-header.js'

export async function openSafetensors(source: ByteSource, signal?: AbortSignal): Promise<FoundCheckpoint> {
  const { tensors, metadata } = await readSafetensorsHeader(source, signal)
  return { label: source.label, format: 'safetensors', metadata, ...unwrapNames(tensors) }
}
