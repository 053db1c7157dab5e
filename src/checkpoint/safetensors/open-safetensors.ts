/** Opens one safetensors file, whole or a shard. */
import type { ByteSource, FlatCheckpoint } from '../checkpoint.js'
import { readRange } from '../read-range.js'
import { headerLength, parseSafetensorsHeader } from './parse-header.js'

export async function openSafetensors(
  source: ByteSource,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<FlatCheckpoint> {
  const length = headerLength(source, await readRange(source, 0, 8, 'the length of the header', signal))
  const header = await readRange(source, 8, length, 'the header', signal)
  const { tensors, metadata } = parseSafetensorsHeader(source, header)
  const found = [...tensors].map(([name, { offset, ...info }]) => {
    const readBytes = () => readRange(source, offset, info.byteLength, name, signal)
    return [name, { ...info, readBytes }] as const
  })
  return { label: source.label, format: 'safetensors', metadata, tensors: new Map(found) }
}
