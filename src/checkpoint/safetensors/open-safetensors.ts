/** Opens one safetensors file. */
import type { ByteSource, FoundCheckpoint, OpenerOptions } from '../checkpoint.js'
import { chooseFlat } from '../choose-network.js'
import { readSafetensorsHeader } from './read-header.js'

export async function openSafetensors(
  source: ByteSource,
  { signal, entry }: OpenerOptions,
): Promise<FoundCheckpoint> {
  const { tensors, metadata } = await readSafetensorsHeader(source, signal)
  const { label } = source
  return { label, format: 'safetensors', metadata, ...chooseFlat(tensors, { label, entry }) }
}
