/** Lays tensors out in files: one of either format, or shards with an index. */
import type { Chunks, OutputFile } from '../formats/chunk.js'
import { streamSafetensors } from '../formats/safetensors.js'
import { byteLengthOf, type StoredTensor } from '../formats/stored-tensor.js'
import { type Crc32, torchZip } from '../formats/torch-zip.js'
import type { PlainRecord, PlainValue } from '../plain-value.js'
import type { FileKind, WeightsForm } from './file-forms.js'
import type { Wrapping } from './writer.js'

/** Is what files of weights are made of. */
export interface WeightContent {
  readonly kind: FileKind
  readonly form: WeightsForm
  /** Names the file where there is one. */
  readonly name: string
  readonly tensors: readonly StoredTensor[]
  /** Is what stands around the names of the tensors, in a file of PyTorch's. */
  readonly wrapping: Wrapping | null
  /** Stand beside the tensors in the file itself. */
  readonly entries: PlainRecord
  /** Bounds the bytes of a file, where weights may lie in several; absent where they may not. */
  readonly maxShardBytes?: number
}

/** Gives the files in their order; an index comes last. The first path leads to what is opened. */
export function weightFiles(
  content: WeightContent,
  crc32: Crc32,
): { readonly open: string; readonly files: readonly OutputFile[] } {
  const { name, form, tensors, wrapping, entries, kind, maxShardBytes = Number.POSITIVE_INFINITY } = content
  if (form === 'pt') {
    const { entry: stateKey = null, prefix = '' } = wrapping ?? {}
    const named = tensors.map((tensor) => ({ ...tensor, name: `${prefix}${tensor.name}` }))
    const chunks = torchZip({ tensors: named, stateKey, entries }, crc32)
    return { open: name, files: [{ path: name, chunks }] }
  }
  const metadata = kind === 'birder' || kind === 'int8' ? asTexts(entries) : { format: 'pt' }
  const shards = shardsOf(tensors, maxShardBytes)
  if (shards.length === 1)
    return { open: name, files: [{ path: name, chunks: streamSafetensors(tensors, metadata) }] }
  const nameOf = (index: number) => {
    const number = (count: number) => `${count}`.padStart(5, '0')
    return name.replace(/(\.\w+)$/, `-${number(index + 1)}-of-${number(shards.length)}$1`)
  }
  const index = `${name}.index.json`
  return {
    open: index,
    files: [
      ...shards.map((shard, at) => ({ path: nameOf(at), chunks: streamSafetensors(shard, metadata) })),
      { path: index, chunks: indexOf(shards, nameOf) },
    ],
  }
}

/** Begins a file where the next tensor would make one too long; a tensor that is longer by itself has one of its own. */
function shardsOf(tensors: readonly StoredTensor[], maxBytes: number): readonly (readonly StoredTensor[])[] {
  const shards: StoredTensor[][] = [[]]
  let bytes = 0
  for (const tensor of tensors) {
    const length = byteLengthOf(tensor)
    if (bytes > 0 && bytes + length > maxBytes) {
      shards.push([])
      bytes = 0
    }
    shards.at(-1)?.push(tensor)
    bytes += length
  }
  return shards
}

function indexOf(shards: readonly (readonly StoredTensor[])[], nameOf: (index: number) => string): Chunks {
  const all = shards.flat()
  const places = shards.flatMap((shard, at) => shard.map(({ name }) => [name, nameOf(at)] as const))
  const total = all.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0)
  return [
    `${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(places) }, null, 2)}\n`,
  ]
}

/** The metadata of a safetensors file are texts: what is none is written as JSON, as Birder does. */
function asTexts(entries: PlainRecord): Readonly<Record<string, string>> {
  const text = (value: PlainValue) => (typeof value === 'string' ? value : JSON.stringify(value))
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, text(value)]))
}
