/** Opens files on disk as bytes to be read in pieces, and the files beside them. */
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { checkOptionNames } from '../../check-option-names.js'
import type { ByteSource } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { checkpointOfFolderOrNull } from './checkpoint-of-folder.js'
import { namedPlace } from './storage/named-place.js'
import { besideOf, isFileOfThatName } from './storage/object-path.js'

/** Holds the file open until it is disposed of. */
export interface FileSource extends ByteSource, AsyncDisposable {
  /** Tells the file as it is now from others, and from what it was before it was changed. Throws what the system throws. */
  stamp(): Promise<FileStamp>
}

/** Tells a state of a file from its others. */
export interface FileStamp {
  /** Is another text for another state. */
  readonly text: string
  /** Is when its bytes, or what the system keeps of it, last changed, in milliseconds as `Date.now` counts them. */
  readonly changedMs: number
}

/** Node refuses to read more than 2 GiB at once; reads of this size can also be given up between two of them. */
const PIECE = 2 ** 30

/**
 * Opens a file, or an object or a web server's file by its address (`s3://bucket/key`, `https:`), to read from it. Its length is what it is now; a file that shrinks later fails as `truncated`.
 * Throws `CheckpointError`: `not-found` with the path, `unknown-format` for a folder, naming the checkpoint inside, and
 * `contradiction` for one that holds several; `StorageError` where an object cannot be reached; the signal's reason.
 */
export async function openFile(path: string, options: { signal?: AbortSignal } = {}): Promise<FileSource> {
  checkOptionNames(options, { signal: true })
  options.signal?.throwIfAborted()
  const place = isFileOfThatName(path) ? ({ kind: 'path', path } as const) : namedPlace(path)
  if (place.kind !== 'path') {
    const { openObject } = await import('./storage/object-address.js')
    return await openObject(place.address, options)
  }
  return await openPath(place.path, options)
}

async function openPath(path: string, { signal }: { signal?: AbortSignal }): Promise<FileSource> {
  const { isDirectory, isFile, size } = await lookAt(path)
  if (isDirectory) throw await folderError(path)
  // Opening a pipe would wait for its other end.
  if (!isFile) throw new CheckpointError('unknown-format', `${path} is neither a file nor a folder`)
  const handle = await open(path, constants.O_RDONLY).catch((cause: NodeJS.ErrnoException) => {
    throw unreachable(path, cause)
  })
  return {
    label: path,
    size,
    get descriptor() {
      return handle.fd
    },
    async read(offset, length) {
      // The memory is not zeroed: every byte is overwritten, or the read fails.
      const memory = Buffer.allocUnsafeSlow(length)
      for (let filled = 0; filled < length; ) {
        signal?.throwIfAborted()
        const count = Math.min(PIECE, length - filled)
        const { bytesRead } = await handle.read(memory, filled, count, offset + filled).catch((cause) => {
          throw failed(path, cause)
        })
        if (bytesRead === 0) throw cutOff(path, length - filled)
        filled += bytesRead
      }
      return new Uint8Array(memory.buffer, memory.byteOffset, length)
    },
    async stamp() {
      const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = await handle.stat({ bigint: true })
      const text = [dev, ino, size, mtimeNs, ctimeNs].join(' ')
      return { text, changedMs: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** Opens files that lie beside `path` by name, which `openCheckpoint` needs for the index of a sharded checkpoint. */
export function siblingsOf(
  path: string,
  options: { signal?: AbortSignal } = {},
): (name: string) => Promise<FileSource> {
  return (name) =>
    openFile(besideOf(path, name), options).catch((cause) => {
      if (!(cause instanceof CheckpointError) || cause.code !== 'not-found') throw cause
      throw new CheckpointError(
        'not-found',
        `${cause.message}. ${path} is the index of several files, which must all lie beside it.`,
        { cause },
      )
    })
}

async function lookAt(path: string): Promise<{ isDirectory: boolean; isFile: boolean; size: number }> {
  try {
    const stats = await stat(path)
    return { isDirectory: stats.isDirectory(), isFile: stats.isFile(), size: stats.size }
  } catch (cause) {
    throw unreachable(path, cause as NodeJS.ErrnoException)
  }
}

function unreachable(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  const reason = cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? 'there is no such file' : cause.message
  return new CheckpointError('not-found', `${path} cannot be opened: ${reason}`, { cause })
}

/** Advises what loading would take of the folder. Throws as `checkpointOfFolderOrNull` does where that cannot be told. */
async function folderError(path: string): Promise<CheckpointError> {
  const found = await checkpointOfFolderOrNull(path)
  const advice =
    found === null ? 'there is no checkpoint directly inside.' : `its checkpoint is ${found}. Name that.`
  return new CheckpointError(
    'unknown-format',
    `${path} is a folder, where a checkpoint file is expected; ${advice}`,
  )
}

/** Named as what it is, since whoever writes something else at the time would take it for a failure of that. */
function failed(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  return new CheckpointError(
    'not-found',
    `${path} cannot be read any further: ${cause.message}. Look after the disk that it lies on, or fetch it again.`,
    { cause },
  )
}

function cutOff(path: string, missing: number): CheckpointError {
  return new CheckpointError(
    'truncated',
    `${path} ends ${missing} bytes before it should: it was cut or replaced while it was read`,
  )
}
