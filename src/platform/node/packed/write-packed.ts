/** Writes files of packed weights: whole or not at all, over nothing but their like, and one writer at a time. */
import { open, realpath } from 'node:fs/promises'
import { sortedJson } from '../../../encoder/identity.js'
import type { PackedContent } from '../../../encoder/packed-weights.js'
import { explainWriteError, FileError } from '../files/file-error.js'
import { makeFolder } from '../files/make-folder.js'
import { lockOutput } from '../files/output-lock.js'
import { writeWhole } from '../files/write-whole.js'
import type { FileStamp } from '../open-file.js'
import {
  digestOfFacts,
  digestOfStates,
  networkDigest,
  ownVersions,
  type PackedOrigin,
  packedFolder,
  pathFor,
} from './packed-files.js'
import {
  isPackedStart,
  PACKED_FORMAT,
  type PackedHeader,
  START_BYTES,
  writePackedHeader,
} from './packed-header.js'
import { readAt } from './read-head.js'

/** File systems tell times as coarsely as this: what changed just now could change once more and have the same times. */
const COARSEST_MS = 2000

/**
 * Writes the packed weights of a checkpoint that is open. The file appears whole or not at all. Throws `FileError` where it cannot be written, where
 * another process writes it, or where the checkpoint is changed meanwhile.
 *
 * @param before is what the system said of the checkpoint's files before the first weight was read
 * @returns the path of the file
 */
export async function writePacked(
  origin: PackedOrigin,
  before: readonly FileStamp[],
  { config, facts, weights, bytes }: PackedContent,
): Promise<string> {
  const { instructionSet, precision, byteLength } = facts
  const path = await pathFor(origin, { config, instructionSet, precision })
  await makeFolder(packedFolder()).catch((error) => {
    throw explainWriteError(error, packedFolder())
  })
  const header: PackedHeader = {
    format: PACKED_FORMAT,
    ...ownVersions(),
    model: origin.name,
    path: await realpath(origin.path),
    files: before.map(({ text }) => text),
    network: networkDigest(origin, config),
    instructionSet,
    precision,
    packing: digestOfFacts(facts),
    weights,
    byteLength,
    digest: digestOfStates(await bytes.digest()),
  }
  await using _lock = await lockOutput(path)
  await assertReplaceable(path)
  await assertUnchanged(origin, before)
  await writeWhole(path, chunks(header, bytes.pieces()))
  return path
}

/** Waits until a change of the checkpoint's files would be seen in their times, and gives these. */
export async function settledStamps({ stamps }: PackedOrigin): Promise<readonly FileStamp[]> {
  while (true) {
    const now = await stamps()
    const settled = Math.max(...now.map(({ changedMs }) => changedMs)) + COARSEST_MS
    const wait = settled - Date.now()
    // A time in the future is that of a wrong clock: waiting would not help.
    if (wait <= 0 || wait > COARSEST_MS) return now
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

async function assertUnchanged({ path, stamps }: PackedOrigin, before: readonly FileStamp[]): Promise<void> {
  const texts = (all: readonly FileStamp[]) => sortedJson(all.map(({ text }) => text))
  if (texts(await stamps()) === texts(before)) return
  throw new FileError(
    'locked',
    `${path} was changed while it was packed. Pack it again when nothing writes it.`,
  )
}

/** What is no file of packed weights is nobody's to replace, whatever it is called. */
async function assertReplaceable(path: string): Promise<void> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw explainWriteError(error, path)
  })
  if (handle === null) return
  try {
    const start = await readAt(handle, 0, START_BYTES)
    if (start.length === 0 || isPackedStart(start)) return
  } finally {
    await handle.close()
  }
  throw new FileError(
    'not-writable',
    `${path} could not be written (there is another file of that name). Move it away.`,
  )
}

function* chunks(header: PackedHeader, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield writePackedHeader(header)
  yield* pieces
}
