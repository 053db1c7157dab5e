/** Opens a checkpoint of any format, which is the way into this room. Formats are told by content, never by name. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type {
  ByteSource,
  FlatCheckpoint,
  FoundCheckpoint,
  OpenCheckpoint,
  OpenerOptions,
} from './checkpoint.js'
import { assertShape, CheckpointError } from './checkpoint-error.js'
import { chooseFlat } from './choose-network.js'
import { describeBytes } from './describe-bytes.js'
import { readRange } from './read-range.js'
import { openSafetensors } from './safetensors/open-safetensors.js'
import { openSharded } from './safetensors/open-sharded.js'

/** Says what opening a checkpoint may need to know. */
interface OpenCheckpointOptions {
  /**
   * Opens a file beside the one given by its plain name, since the index of a sharded checkpoint names others. Rejects where there is none; without
   * it a sharded checkpoint throws `not-found`.
   */
  readonly openSibling?: (name: string) => Promise<ByteSource>
  /**
   * Names the network, where a file holds several: by the whole of what stands in front of its tensors' names, such as `model.teacher.backbone`, or
   * by the end of it. Default: of a model and its average the average, of a teacher and a student the teacher.
   */
  readonly entry?: string
  /** Ends the opening and every later read. */
  readonly signal?: AbortSignal
}

const OPEN_OPTIONS = {
  openSibling: true,
  entry: true,
  signal: true,
} satisfies OptionNames<OpenCheckpointOptions>

/** torch.save before PyTorch 1.6 wrote the number 0x1950a86a20f9469cfc6c after the pickle's protocol. */
const LEGACY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

/**
 * Opens safetensors (one file or the index of a sharded one) and PyTorch files (zip and legacy). Reads headers only and
 * checks all that they claim; tensors are read when asked for.
 *
 * The checkpoint takes the source over: disposing of it closes the source and the shards, if they can be closed, and a
 * checkpoint that cannot be opened has closed them already.
 *
 * Throws `CheckpointError`: `unknown-format` for anything else, `truncated`, `malformed`, `forbidden`, `too-large`, and `ambiguous-entry` where
 * several networks could be meant. RangeError for an unknown option; the signal's reason.
 */
export async function openCheckpoint(
  source: ByteSource,
  options: OpenCheckpointOptions = {},
): Promise<OpenCheckpoint> {
  const owned: ByteSource[] = [source]
  const openOwned = async (name: string) => {
    if (options.openSibling === undefined) {
      throw new CheckpointError(
        'not-found',
        `${source.label} is the index of several files such as ${name}, which cannot be reached from here`,
      )
    }
    const sibling = await options.openSibling(name)
    owned.push(sibling)
    return sibling
  }
  try {
    checkOptionNames(options, OPEN_OPTIONS)
    const { entry, signal } = options
    const first = await readRange(source, 0, Math.min(source.size, 512), 'the beginning', signal)
    const open = await openerOf(source, first)
    const file = await open(source, { signal, entry, openSibling: openOwned })
    const { label, tensors } = file
    const found = 'choice' in file ? file : { ...file, ...chooseFlat(tensors, { label, entry }) }
    return {
      ...found,
      async read(name, shape) {
        const tensor = found.tensors.get(name)
        if (tensor === undefined) throw missingTensor(found, name)
        if (shape !== undefined) assertShape(name, tensor.shape, shape)
        return { dtype: tensor.dtype, shape: tensor.shape, bytes: await tensor.readBytes() }
      },
      [Symbol.asyncDispose]: () => closeAll(owned),
    }
  } catch (error) {
    await closeAll(owned)
    throw error
  }
}

type Opener = (source: ByteSource, options: OpenerOptions) => Promise<FoundCheckpoint | FlatCheckpoint>

/** Tells by its first bytes who opens a file. Readers of PyTorch's files come when they are needed: a page with safetensors has no use for them. Throws `truncated`, `unknown-format`. */
async function openerOf(source: ByteSource, first: Uint8Array): Promise<Opener> {
  if (first.length < 10) {
    const size = first.length === 0 ? 'is empty' : `has ${first.length} bytes`
    throw new CheckpointError(
      'truncated',
      `${source.label} ${size}: too short for any checkpoint. Was it downloaded completely?`,
    )
  }
  if (startsWith(first, 0, [0x50, 0x4b, 3, 4]) || startsWith(first, 0, [0x50, 0x4b, 5, 6]))
    return (await import('./torch/open-torch-zip.js')).openTorchZip
  if (first[0] === 0x80 && startsWith(first, 2, LEGACY_MAGIC))
    return (await import('./torch/open-torch-legacy.js')).openTorchLegacy
  if (looksLikeSafetensors(source, first)) return openSafetensors
  if (/^\s*\{/.test(String.fromCharCode(...first))) return openSharded
  throw new CheckpointError(
    'unknown-format',
    `${source.label} is not a checkpoint but ${describeBytes(first)}. ` +
      'Expected: safetensors (or the index of a sharded one), or a PyTorch file (.pt, .pth) of tensors.',
  )
}

function missingTensor({ label, tensors }: FoundCheckpoint, name: string): CheckpointError {
  return new CheckpointError(
    'missing-tensor',
    `${label} has no tensor ${name}; it holds ${tensors.size} others`,
    { tensor: name },
  )
}

/**
 * Guesses, since the format has no magic number but begins with eight bytes of length, then JSON. What has the brace in its place,
 * or a length that fits the file, is taken for it. (JSON alone can have a second brace there, but no zero before it.)
 */
function looksLikeSafetensors(source: ByteSource, first: Uint8Array): boolean {
  if (first[8] === 0x7b && (first[0] !== 0x7b || first[7] === 0)) return true
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)
  return length >= 2n && length <= BigInt(source.size - 8)
}

function startsWith(bytes: Uint8Array, offset: number, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[offset + index] === byte)
}

async function closeAll(sources: readonly (ByteSource & Partial<AsyncDisposable>)[]): Promise<void> {
  for (const source of sources) await source[Symbol.asyncDispose]?.()
}
