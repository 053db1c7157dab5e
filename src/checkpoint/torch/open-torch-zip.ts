/** Opens a file of torch.save since PyTorch 1.6, which is a zip archive of a pickle (`data.pkl`) and one entry for each storage. */
import { BYTES_PER_ELEMENT } from '../../tensor/dtype.js'
import type { ByteSource, FoundFile } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { type PickleStorage, type PickleTensor, storageByteLength } from '../pickle/pickle-value.js'
import { unpickle } from '../pickle/unpickle.js'
import { findTensors } from './state-dict.js'
import { gatherWindow, swapBytes, tensorWindow } from './tensor-window.js'
import { readZipDirectory, type ZipEntry } from './zip-directory.js'
import { assertReadable, findContents, readZipEntry } from './zip-entry.js'

const LONGEST_PICKLE = 64 * 2 ** 20

/** Reads the directory, the pickle and the byte order; tensors are read when asked for. */
export async function openTorchZip(source: ByteSource, signal: AbortSignal | undefined): Promise<FoundFile> {
  const entries = await readZipDirectory(source, signal)
  const pickle = findPickle(source, entries)
  if (pickle.size > LONGEST_PICKLE) {
    throw new CheckpointError(
      'too-large',
      `${source.label}: ${pickle.name} has ${pickle.size} bytes; ${LONGEST_PICKLE} is the limit`,
    )
  }
  const root = pickle.name.slice(0, -'data.pkl'.length)
  const bytes = await readZipEntry(source, pickle, 0, pickle.size, signal)
  const bigEndian = await isBigEndian(source, entries.get(`${root}byteorder`), signal)
  const { value } = unpickle(bytes, source.label)
  const locate = (tensor: PickleTensor, name: string) => {
    const entry = storageEntry(source, entries, `${root}data/${tensor.storage.key}`, tensor.storage, name)
    const window = tensorWindow(tensor, name, source.label)
    const readBytes = async () => {
      if (window.byteLength === 0) return new Uint8Array(0)
      const span = await readZipEntry(source, entry, window.spanStart, window.spanLength, signal)
      if (bigEndian) swapBytes(span, BYTES_PER_ELEMENT[window.dtype])
      return gatherWindow(window, span)
    }
    const isAsItLies = entry.compression === 'stored' && !bigEndian && window.strides === null
    if (!isAsItLies) return { ...window, readBytes }
    const findBytes = async () => ({
      source,
      offset: (await findContents(source, entry, signal)) + window.spanStart,
    })
    return { ...window, readBytes, findBytes }
  }
  return { label: source.label, format: 'torch', ...findTensors(value, source.label, locate) }
}

function findPickle(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): ZipEntry {
  const all = [...entries.values()]
  const named = (file: string) => all.filter(({ name }) => name === file || name.endsWith(`/${file}`))
  if (named('constants.pkl').length > 0) {
    throw new CheckpointError(
      'unknown-format',
      `${source.label} is a TorchScript archive: a program, not weights. Save the state dict: ` +
        'torch.save(model.state_dict(), path)',
    )
  }
  const [pickle, ...others] = named('data.pkl')
  if (pickle === undefined || others.length > 0) {
    const count = named('data.pkl').length
    const shown = all.slice(0, 5).map(({ name }) => name)
    throw new CheckpointError(
      'unknown-format',
      `${source.label} is a zip archive with ${count} entries data.pkl, where torch.save writes one; it holds ${shown.join(', ') || 'nothing'}`,
    )
  }
  return pickle
}

async function isBigEndian(
  source: ByteSource,
  entry: ZipEntry | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (entry === undefined) return false
  const bytes = await readZipEntry(source, entry, 0, Math.min(entry.size, 16), signal)
  const order = String.fromCharCode(...bytes)
  if (order !== 'little' && order !== 'big') {
    throw new CheckpointError(
      'malformed',
      `${source.label}: the byte order is ${JSON.stringify(order)}, neither little nor big`,
    )
  }
  return order === 'big'
}

/** The archive and the pickle must agree about every storage before a byte of it is read. */
function storageEntry(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  name: string,
  storage: PickleStorage,
  tensor: string,
): ZipEntry {
  const entry = entries.get(name)
  if (entry === undefined) {
    throw new CheckpointError(
      'malformed',
      `${source.label}: ${tensor} is kept in ${name}, which the archive lacks`,
      { tensor },
    )
  }
  const needed = storageByteLength(storage)
  if (entry.size !== needed) {
    throw new CheckpointError(
      'malformed',
      `${source.label}: ${name} (of ${tensor}) has ${entry.size} bytes, but the pickle says ${needed}`,
      { tensor },
    )
  }
  assertReadable(source, entry)
  return entry
}
