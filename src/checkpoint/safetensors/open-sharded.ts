/**
 * Opens a large checkpoint that lies in several safetensors files. An index in JSON says which tensor lies in which of them.
 *
 * The index is not trusted: a shard must be a plain file name beside it, and each must hold exactly what the index says.
 */
import {
  type ByteSource,
  type FlatCheckpoint,
  type FoundTensor,
  isRecord,
  type OpenerOptions,
  type PlainRecord,
  type PlainValue,
} from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { decodeUtf8, parseJson } from '../parse-json.js'
import { readRange } from '../read-range.js'
import { openSafetensors } from './open-safetensors.js'

const LONGEST_INDEX = 100_000_000
const MOST_SHARDS = 1000

/** `openSibling` opens a file beside the index by its name; the caller closes what it has opened. */
export async function openSharded(
  index: ByteSource,
  { signal, openSibling }: OpenerOptions,
): Promise<FlatCheckpoint> {
  const { shardOf, metadata } = await readIndex(index, signal)
  const stored = new Map<string, FoundTensor>()
  for (const shardName of new Set(shardOf.values())) {
    signal?.throwIfAborted()
    const shard = await openSibling(shardName)
    const { tensors } = await openSafetensors(shard, { signal })
    for (const [name, tensor] of tensors) {
      if (shardOf.get(name) !== shardName) refuseStray(index, name, shardName, shardOf.get(name))
      stored.set(name, tensor)
    }
  }
  for (const [name, shardName] of shardOf) {
    if (stored.has(name)) continue
    throw new CheckpointError(
      'missing-tensor',
      `${index.label}: ${name} is said to lie in ${shardName}, which lacks it`,
      { tensor: name },
    )
  }
  return { label: index.label, format: 'safetensors', metadata, tensors: stored }
}

function refuseStray(index: ByteSource, name: string, found: string, said: string | undefined): never {
  const place = said === undefined ? 'does not name it' : `places it in ${said}`
  throw new CheckpointError(
    'contradiction',
    `${index.label}: ${found} holds ${name}, but the index ${place}`,
    { tensor: name },
  )
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
        'Is it the configuration that lies beside one? Name the .safetensors or .pt file itself.',
    )
  }
  const shardOf = new Map<string, string>()
  for (const [name, shard] of Object.entries(index.weight_map))
    shardOf.set(name, plainFileName(source, name, shard))
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
