/**
 * Opens a large checkpoint that lies in several files of one format. An index in JSON says which tensor lies in which of them.
 *
 * The index is not trusted: a shard must be a plain file name beside it, and each must hold exactly what the index says.
 */
import { isRecord, type PlainRecord, type PlainValue } from '../plain-value.js'
import type { Beside, ByteSource, FoundFile, FoundTensor } from './checkpoint.js'
import { CheckpointError } from './checkpoint-error.js'
import { asInFile, partOfName } from './network-places.js'
import { decodeUtf8, parseJson } from './parse-json.js'
import { readRange } from './read-range.js'

const LONGEST_INDEX = 100_000_000
const MOST_SHARDS = 1000

/** `openShard` opens a file beside the index by its name. */
export async function openSharded(
  index: ByteSource,
  openShard: (name: string) => Promise<FoundFile>,
  signal: AbortSignal | undefined,
): Promise<FoundFile> {
  const { shardOf, metadata } = await readIndex(index, signal)
  const shards: FoundFile[] = []
  const tensors = new Map<string, (name: string) => FoundTensor>()
  for (const shardName of new Set(shardOf.values())) {
    signal?.throwIfAborted()
    const shard = await openShard(shardName)
    for (const [name, locate] of shard.tensors) {
      if (shardOf.get(name) !== shardName) throw strayTensor(index, name, shardName, shardOf.get(name))
      tensors.set(name, locate)
    }
    shards.push(shard)
  }
  for (const [name, shardName] of shardOf) {
    if (tensors.has(name)) continue
    const tensor = asInFile(name)
    throw new CheckpointError(
      'missing-tensor',
      `${index.label}: ${tensor} is said to lie in ${shardName}, which lacks it`,
      { tensor },
    )
  }
  const format = commonFormat(index, shards)
  const beside = () => besideAll(index, metadata, shards)
  return { label: index.label, format, tensors, fromMmengine: false, beside }
}

function strayTensor(index: ByteSource, name: string, found: string, said: string | undefined) {
  const tensor = asInFile(name)
  const place = said === undefined ? 'does not name it' : `places it in ${said}`
  return new CheckpointError(
    'contradiction',
    `${index.label}: ${found} holds ${tensor}, but the index ${place}`,
    { tensor },
  )
}

/** No library writes one checkpoint in two formats, so that one of the files is of another. */
function commonFormat(index: ByteSource, [first, ...others]: readonly FoundFile[]): FoundFile['format'] {
  if (first === undefined) throw new Error('an index names at least one shard')
  const other = others.find(({ format }) => format !== first.format)
  if (other === undefined) return first.format
  throw new CheckpointError(
    'contradiction',
    `${index.label}: ${first.label} is ${first.format} and ${other.label} ${other.format}, where one checkpoint has one format`,
  )
}

/** Joins what the index and the shards say beside tensors. Where two say otherwise of one thing, nobody knows which holds. */
function besideAll(index: ByteSource, metadata: PlainRecord, shards: readonly FoundFile[]): Beside {
  const joined = new Map(Object.entries(metadata))
  const dropped = new Set<string>()
  for (const shard of shards) {
    const own = shard.beside([])
    for (const name of own.dropped) dropped.add(name)
    for (const [key, value] of Object.entries(own.metadata)) {
      const known = joined.get(key)
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value)) {
        throw new CheckpointError(
          'contradiction',
          `${index.label}: the entry ${key} of ${shard.label} is not that of the other files`,
        )
      }
      joined.set(key, value)
    }
  }
  return { metadata: Object.fromEntries(joined), dropped: [...dropped] }
}

async function readIndex(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly shardOf: ReadonlyMap<string, string>; readonly metadata: PlainRecord }> {
  if (source.size > LONGEST_INDEX) {
    throw new CheckpointError(
      'too-large',
      `${source.label}: an index of ${source.size} bytes; ${LONGEST_INDEX} is the limit`,
    )
  }
  const text = decodeUtf8(await readRange(source, 0, source.size, 'the index', signal), source.label)
  const index = parseJson(text, source.label)
  if (!isRecord(index) || !isRecord(index.weight_map)) {
    throw new CheckpointError(
      'unknown-format',
      `${source.label} is JSON without a weight_map, so not the index of a sharded checkpoint. ` +
        'Is it the configuration that lies beside one? Name the .safetensors, .pt or .bin file itself.',
    )
  }
  const shardOf = new Map<string, string>()
  for (const [name, shard] of Object.entries(index.weight_map))
    shardOf.set(partOfName(name), plainFileName(source, name, shard))
  const shards = new Set(shardOf.values()).size
  if (shards === 0 || shards > MOST_SHARDS) {
    throw new CheckpointError(
      'malformed',
      `${source.label} names ${shards} files; 1 to ${MOST_SHARDS} are expected`,
    )
  }
  return { shardOf, metadata: isRecord(index.metadata) ? index.metadata : {} }
}

/** A shard's name comes from the file, so it must not lead out of the folder. */
function plainFileName(source: ByteSource, tensor: string, shard: PlainValue): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (typeof shard === 'string' && /^[^/\\:\u0000-\u001f]+$/.test(shard) && shard !== '.' && shard !== '..')
    return shard
  throw new CheckpointError(
    'forbidden',
    `${source.label}: ${tensor} is said to lie in ${JSON.stringify(shard)}, which is not the plain name of a file beside the index`,
    { tensor },
  )
}
