/**
 * Opens a file of torch.save before PyTorch 1.6. It is five pickles one after the other (a magic number, the version, the machine,
 * the value, the names of the storages), then the storages in that order, each after its count of elements.
 */
import type { ByteSource, FoundFile } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import {
  isKind,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
  storageByteLength,
} from '../pickle/pickle-value.js'
import { unpickle } from '../pickle/unpickle.js'
import { readRange } from '../read-range.js'
import { findTensors } from './state-dict.js'
import { gatherWindow, tensorWindow } from './tensor-window.js'

const FIRST_GUESS = 256 * 1024
const LONGEST_PICKLES = 64 * 2 ** 20
const VERSION = 1001

interface LegacyPickles {
  readonly version: PickleValue
  readonly machine: PickleValue
  readonly root: PickleValue
  /** Names the storages in the order in which they follow. */
  readonly keys: PickleValue
  /** Holds the storages of which `root` speaks. */
  readonly storages: ReadonlyMap<string, PickleStorage>
  /** Counts the bytes of all five pickles. */
  readonly byteLength: number
}

/** Reads the pickles and the counts of the storages; tensors are read when asked for. */
export async function openTorchLegacy(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<FoundFile> {
  const { label } = source
  const { version, machine, root, keys, storages, byteLength } = await readPickles(source, signal)
  assertKnownMachine(source, version, machine)
  if (!isKind(keys, 'list')) {
    throw new CheckpointError('malformed', `${label}: the list of storages is no list`)
  }
  const offsets = await locateStorages(source, keys.items, storages, byteLength, signal)
  const locate = (tensor: PickleTensor, name: string) => {
    const offset = offsets.get(tensor.storage.key)
    if (offset === undefined) {
      throw new CheckpointError('malformed', `${label}: ${name} is kept in a storage that the file lacks`, {
        tensor: name,
      })
    }
    const window = tensorWindow(tensor, name, label)
    const readBytes = async () => {
      const start = offset + window.spanStart
      return gatherWindow(window, await readRange(source, start, window.spanLength, name, signal))
    }
    if (window.strides !== null) return { ...window, readBytes }
    return { ...window, readBytes, findBytes: async () => ({ source, offset: offset + window.spanStart }) }
  }
  return { label, format: 'torch-legacy', ...findTensors(root, label, locate) }
}

/** The pickles do not say how long they are, so a larger piece is tried until all five fit. */
async function readPickles(source: ByteSource, signal: AbortSignal | undefined): Promise<LegacyPickles> {
  for (let size = FIRST_GUESS; ; size *= 4) {
    const piece = await readRange(source, 0, Math.min(size, source.size), 'the pickles', signal)
    try {
      return parsePickles(piece, source.label)
    } catch (error) {
      const mayContinue =
        error instanceof CheckpointError && error.code === 'truncated' && piece.length < source.size
      if (!mayContinue) throw error
      if (size >= LONGEST_PICKLES) {
        throw new CheckpointError(
          'too-large',
          `${source.label}: the pickles are longer than ${LONGEST_PICKLES} bytes`,
        )
      }
    }
  }
}

function parsePickles(bytes: Uint8Array, label: string): LegacyPickles {
  let byteLength = 0
  const next = () => {
    const pickle = unpickle(bytes.subarray(byteLength), label)
    byteLength += pickle.length
    return pickle
  }
  next() // The magic number has been compared already, by which this format is told.
  const version = next().value
  const machine = next().value
  const { value: root, storages } = next()
  const keys = next().value
  return { version, machine, root, keys, storages, byteLength }
}

function assertKnownMachine(source: ByteSource, version: PickleValue, machine: PickleValue): void {
  if (version !== VERSION) {
    throw new CheckpointError(
      'malformed',
      `${source.label} is a legacy PyTorch file of version ${String(version)}; ${VERSION} is known`,
    )
  }
  if (isKind(machine, 'dict') && machine.entries.get('little_endian') === false) {
    throw new CheckpointError(
      'unknown-format',
      `${source.label} is a legacy PyTorch file of a big-endian machine. Load it with PyTorch and save it again.`,
    )
  }
}

/** Walks the storages by their counts, which the pickle has told already, and gives where each one's elements begin. */
async function locateStorages(
  source: ByteSource,
  keys: readonly PickleValue[],
  storages: ReadonlyMap<string, PickleStorage>,
  start: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const offsets = new Map<string, number>()
  let at = start
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined
    if (typeof key !== 'string' || storage === undefined || offsets.has(key)) {
      throw new CheckpointError(
        'malformed',
        `${source.label}: the list of storages names ${String(key)}, which it should not`,
      )
    }
    const bytes = await readRange(source, at, 8, `the count of storage ${key}`, signal)
    const count = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true)
    if (count !== BigInt(storage.total)) {
      throw new CheckpointError(
        'malformed',
        `${source.label}: storage ${key} has ${count} elements, but the pickle says ${storage.total}`,
      )
    }
    offsets.set(key, at + 8)
    at += 8 + storageByteLength(storage)
  }
  if (at !== source.size) {
    throw new CheckpointError(
      at > source.size ? 'truncated' : 'malformed',
      `${source.label}: its storages end at ${at}, but the file has ${source.size} bytes`,
    )
  }
  return offsets
}
