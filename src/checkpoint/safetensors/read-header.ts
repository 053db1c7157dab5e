/** Reads the header of one safetensors file: its tensors, each with a way to read its bytes later, and its metadata. */
import type { ByteSource, FoundTensor, PlainRecord } from '../checkpoint.js'
import { readRange } from '../read-range.js'
import { headerLength, parseSafetensorsHeader } from './parse-header.js'

export async function readSafetensorsHeader(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly tensors: Map<string, FoundTensor>; readonly metadata: PlainRecord }> {
  const length = headerLength(source, await readRange(source, 0, 8, 'the length of the header', signal))
  const header = await readRange(source, 8, length, 'the header', signal)
  const { tensors, metadata } = parseSafetensorsHeader(source, header)
  const found = [...tensors].map(([name, { offset, ...info }]) => {
    const readBytes = () => readRange(source, offset, info.byteLength, name, signal)
    return [name, { ...info, readBytes }] as const
  })
  return { tensors: new Map(found), metadata }
}
