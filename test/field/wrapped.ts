/** Writes the tensors of one small network as the checkpoints that trainers leave, and gives what a photo's embedding is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import type { LoadOptions } from '../../src/encoder/load-options.js'
import { safetensorsFile } from '../../src/formats/safetensors.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { memorySource } from '../support/memory-source.js'
import { type Picklable, torchZip } from '../support/torch-file.js'

/** Is a tensor of one number that belongs to no network. */
export const EXTRA_TENSOR: Picklable = { tensor: { key: 'extra', count: 1, shape: [1] } }

export interface SmallNetwork {
  /** Gives the tensors as pairs of a state dict, each name with `prefix` in front. */
  stateDict(prefix?: string): readonly (readonly [string, Picklable])[]
  /** Gives the same with every number halved: another network of the same shapes. */
  otherStateDict(prefix?: string): readonly (readonly [string, Picklable])[]
  /** Writes a PyTorch file of this value. */
  torchFile(value: Picklable): Uint8Array
  /** Writes a safetensors file of the tensors by their names. */
  safetensors(rename: (name: string) => string): Uint8Array
}

/** `file` lies beside the tests. */
export async function smallNetwork(file: string): Promise<SmallNetwork> {
  const source = memorySource(new Uint8Array(readFileSync(pathOf(file))), file)
  const checkpoint = await openCheckpoint(source)
  const names = [...checkpoint.tensors.keys()]
  const arrays = await Promise.all(
    names.map(async (name) => {
      const { shape, ...tensor } = await checkpoint.read(name)
      return { name, shape, values: toFloat32({ shape, ...tensor }) }
    }),
  )
  const storages: Record<string, Uint8Array> = { extra: new Uint8Array(4) }
  for (const [index, { values }] of arrays.entries()) {
    storages[`${index}`] = bytes(values)
    storages[`other${index}`] = bytes(values.map((value) => value / 2))
  }
  const pairs = (prefix: string, kind: string) =>
    arrays.map(({ name, shape, values }, index): readonly [string, Picklable] => [
      prefix + name,
      { tensor: { key: `${kind}${index}`, count: values.length, shape } },
    ])
  return {
    stateDict: (prefix = '') => pairs(prefix, ''),
    otherStateDict: (prefix = '') => pairs(prefix, 'other'),
    torchFile: (value) => torchZip(value, storages),
    safetensors: (rename) => {
      const renamed = arrays.map(({ name, ...array }) => ({ name: rename(name), ...array }))
      const chunks = safetensorsFile(renamed, { format: 'pt' })
      return new Uint8Array(
        Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : bytes(chunk)))),
      )
    },
  }
}

function bytes(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

/** Gives the first numbers of the photo's embedding, computed from a file of these bytes. */
export async function embeddingOf(
  file: Uint8Array,
  options: LoadOptions = {},
  name = 'checkpoint.pth',
): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'plumage-field-'))
  try {
    const path = join(folder, name)
    writeFileSync(path, file)
    const common = { engine: 'reference', size: 56, recipe: 'birder', heads: 1, onWarning: () => {} } as const
    await using encoder = await loadEncoder(path, { ...common, ...options })
    const { embedding } = await encoder.encode(pathOf('31-usual-wrappings/photo.png'))
    return Array.from(embedding.subarray(0, 4))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
