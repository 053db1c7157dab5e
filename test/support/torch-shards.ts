/** Makes of a checkpoint in safetensors shards the same one in PyTorch's, as Hugging Face's libraries laid them out before. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { concat, type Picklable, torchLegacy, torchZip } from './torch-file.js'

const INDEX = 'model.safetensors.index.json'
export const TORCH_INDEX = 'pytorch_model.bin.index.json'

interface Stored {
  readonly name: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Writes shards of float32 tensors, their index and the config files beside it from `source` into `target`. */
export function writeTorchShards(
  source: string,
  target: string,
  writer: (tensors: readonly Stored[]) => Uint8Array,
) {
  const { metadata, weight_map } = JSON.parse(readFileSync(join(source, INDEX), 'utf8')) as {
    readonly metadata: object
    readonly weight_map: Readonly<Record<string, string>>
  }
  const renamed = (shard: string) => shard.replace('model-', 'pytorch_model-').replace('.safetensors', '.bin')
  for (const shard of new Set(Object.values(weight_map)))
    writeFileSync(join(target, renamed(shard)), writer(tensorsOf(join(source, shard))))
  const map = Object.fromEntries(Object.entries(weight_map).map(([name, shard]) => [name, renamed(shard)]))
  writeFileSync(join(target, TORCH_INDEX), JSON.stringify({ metadata, weight_map: map }))
  for (const name of ['config.json', 'preprocessor_config.json'])
    copyFileSync(join(source, name), join(target, name))
}

/** Reads the tensors of all shards of `source`. */
export function tensorsOfShards(source: string): readonly Stored[] {
  const { weight_map } = JSON.parse(readFileSync(join(source, INDEX), 'utf8')) as {
    readonly weight_map: Readonly<Record<string, string>>
  }
  return [...new Set(Object.values(weight_map))].flatMap((shard) => tensorsOf(join(source, shard)))
}

export function asZip(tensors: readonly Stored[]): Uint8Array {
  const storages = Object.fromEntries(tensors.map(({ bytes }, i) => [`${i}`, bytes]))
  return torchZip(dictOf(tensors), storages, { byteOrder: 'little' })
}

export function asLegacy(tensors: readonly Stored[]): Uint8Array {
  const counted = tensors.map(({ bytes }) => {
    const count = new Uint8Array(8)
    new DataView(count.buffer).setBigInt64(0, BigInt(bytes.length / 4), true)
    return concat([count, bytes])
  })
  return torchLegacy(
    dictOf(tensors),
    tensors.map((_, i) => `${i}`),
    concat(counted),
  )
}

function dictOf(tensors: readonly Stored[]): Picklable {
  return {
    ordered: tensors.map(({ name, shape, bytes }, i) => [
      name,
      { tensor: { key: `${i}`, count: bytes.length / 4, shape } },
    ]),
  }
}

function tensorsOf(path: string): readonly Stored[] {
  const bytes = readFileSync(path)
  const start = 8 + Number(bytes.readBigUInt64LE())
  const entries = JSON.parse(bytes.toString('utf8', 8, start)) as Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] }>
  >
  return Object.entries(entries)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => ({
        name,
        shape,
        bytes: new Uint8Array(bytes.subarray(start + from, start + to)),
      }),
    )
}
