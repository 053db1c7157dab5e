/** Copies a folder with a model in safetensors, with zeros for one tensor: published files have such biases, which goldens of random weights do not. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function copyWithZeros(from: string, to: string, tensor: string): void {
  cpSync(from, to, { recursive: true })
  const file = join(to, 'model.safetensors')
  const bytes = readFileSync(file)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { readonly data_offsets: readonly [number, number] }
  >
  const place = header[tensor]
  if (place === undefined) throw new Error(`${file} has no tensor ${tensor}.`)
  const [start, end] = place.data_offsets
  writeFileSync(file, bytes.fill(0, 8 + length + start, 8 + length + end))
}
