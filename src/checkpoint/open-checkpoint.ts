/** Opens a checkpoint of any format, which is the way into this room. Formats are told by content, never by name. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { sameShape } from '../tensor/shape.js'
import type { ByteSource, Checkpoint, FoundFile, OpenCheckpoint, TensorInfo } from './checkpoint.js'
import { assertShape, CheckpointError } from './checkpoint-error.js'
import { chooseNetwork } from './choose-network.js'
import { openSharded } from './open-sharded.js'
import { readRange } from './read-range.js'
import { readRows } from './read-rows.js'
import { openSafetensors } from './safetensors/open-safetensors.js'
import { TELLING_BYTES, tellFormat } from './tell-format.js'

/** Says what opening a checkpoint may need to know. */
export interface OpenCheckpointOptions {
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

/**
 * Opens safetensors and PyTorch files (zip and legacy), one file or the index of several. Reads headers only and
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
  const { signal } = options
  const owned: ByteSource[] = [source]
  const beginningOf = (file: ByteSource) =>
    readRange(file, 0, Math.min(file.size, TELLING_BYTES), 'the beginning', signal)
  const openShard = async (name: string) => {
    if (options.openSibling === undefined) throw unreachable(source, name)
    const sibling = await options.openSibling(name)
    owned.push(sibling)
    const format = tellFormat(sibling, await beginningOf(sibling))
    if (format === 'index') throw indexInIndex(source, name)
    const open = await openerOf(format)
    const shard = await open(sibling, signal)
    if (shard.int8 === undefined) return shard
    throw int8InIndex(source, name)
  }
  try {
    checkOptionNames(options, OPEN_OPTIONS)
    const { entry } = options
    const format = tellFormat(source, await beginningOf(source))
    const open = format === 'index' ? null : await openerOf(format)
    const file = open === null ? await openSharded(source, openShard, signal) : await open(source, signal)
    const found = chosenIn(file, entry)
    return {
      ...found,
      async read(name, shape) {
        const tensor = found.tensors.get(name)
        if (tensor === undefined) throw missingTensor(found, name)
        if (shape !== undefined) assertShape(name, tensor.shape, shape)
        return { dtype: tensor.dtype, shape: tensor.shape, bytes: await tensor.readBytes() }
      },
      async readRows(name, shape, rows) {
        const tensor = found.tensors.get(name)
        if (tensor === undefined) throw missingTensor(found, name)
        assertShape(name, tensor.shape, shape)
        return await readRows(tensor, name, rows, signal)
      },
      async extentOf(name, shape) {
        const tensor = found.tensors.get(name)
        if (tensor?.findBytes === undefined || !sameShape(tensor.shape, shape)) return null
        const { source, ...place } = await tensor.findBytes()
        const { descriptor } = source
        const dtype = place.scales === undefined ? tensor.dtype : 'I8'
        return descriptor === undefined ? null : { descriptor, ...place, dtype }
      },
      [Symbol.asyncDispose]: () => closeAll(owned),
    }
  } catch (error) {
    await closeAll(owned)
    throw error
  }
}

/** Opens a file that holds tensors itself. */
type OpenFile = (source: ByteSource, signal: AbortSignal | undefined) => Promise<FoundFile>

/** Readers of PyTorch's files come when they are needed: a page with safetensors has no use for them. */
async function openerOf(format: Checkpoint['format']): Promise<OpenFile> {
  switch (format) {
    case 'safetensors':
      return openSafetensors
    case 'torch':
      return (await import('./torch/open-torch-zip.js')).openTorchZip
    case 'torch-legacy':
      return (await import('./torch/open-torch-legacy.js')).openTorchLegacy
  }
}

/** Takes one network's tensors by their own names, and judges what the file claims of them. */
function chosenIn({ label, format, tensors: stored, fromMmengine, beside, int8 }: FoundFile, entry?: string) {
  const { keys, tensors, dropped, ...chosen } = chooseNetwork(stored, { label, entry, fromMmengine })
  const { metadata, dropped: besideIt } = beside(keys)
  return {
    label,
    format,
    metadata,
    ...(int8 === undefined ? {} : { int8 }),
    ...chosen,
    dropped: [...new Set([...besideIt, ...dropped])],
    tensors: new Map([...tensors].map(([name, locate]) => [name, locate(name)])),
  }
}

function unreachable(source: ByteSource, name: string): CheckpointError {
  return new CheckpointError(
    'not-found',
    `${source.label} is the index of several files such as ${name}, which cannot be reached from here`,
  )
}

/** An index that names an index, or itself, could be followed for ever. */
function indexInIndex(source: ByteSource, name: string): CheckpointError {
  return new CheckpointError(
    'malformed',
    `${source.label} names ${name}, which is JSON and no file of tensors. Was it downloaded completely?`,
  )
}

function int8InIndex({ label }: ByteSource, name: string): CheckpointError {
  return new CheckpointError(
    'malformed',
    `${label} names ${name}, whose matrices are in bytes: such a file is a whole network. Load it by itself.`,
  )
}

function missingTensor(
  { label, tensors }: { readonly label: string; readonly tensors: ReadonlyMap<string, TensorInfo> },
  name: string,
): CheckpointError {
  return new CheckpointError(
    'missing-tensor',
    `${label} has no tensor ${name}; it holds ${tensors.size} others`,
    { tensor: name },
  )
}

async function closeAll(sources: readonly (ByteSource & Partial<AsyncDisposable>)[]): Promise<void> {
  for (const source of sources) await source[Symbol.asyncDispose]?.()
}
