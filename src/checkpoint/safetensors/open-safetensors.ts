/** Opens one safetensors file, whole or a shard. */
import type { ByteSource, FoundFile } from '../checkpoint.js'
import { partOfName } from '../network-places.js'
import { readRange } from '../read-range.js'
import { INT8_ENTRY } from './int8-names.js'
import { headerLength, parseSafetensorsHeader } from './parse-header.js'

export async function openSafetensors(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<FoundFile> {
  const length = headerLength(source, await readRange(source, 0, 8, 'the length of the header', signal))
  const header = await readRange(source, 8, length, 'the header', signal)
  const { tensors, metadata } = parseSafetensorsHeader(source, header)
  if (Object.hasOwn(metadata, INT8_ENTRY)) {
    const { openInt8 } = await import('./open-int8.js')
    return openInt8(source, { tensors, metadata }, signal)
  }
  const found = [...tensors].map(([stored, { offset, ...info }]) => {
    const readBytes = () => readRange(source, offset, info.byteLength, stored, signal)
    const findBytes = async () => ({ source, offset })
    return [partOfName(stored), () => ({ ...info, readBytes, findBytes })] as const
  })
  const beside = () => ({ metadata, dropped: [] })
  return {
    label: source.label,
    format: 'safetensors',
    tensors: new Map(found),
    fromMmengine: false,
    beside,
  }
}
