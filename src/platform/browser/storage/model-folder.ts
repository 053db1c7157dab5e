/** Models lie in one folder of the origin's private file system, each with a note beside it. */
import type { Version } from '../../../hub/byte-ranges.js'
import { isRecord, type PlainValue, parseJsonOrNull } from '../../../plain-value.js'

/** Holds what is noted of a file. */
export interface ModelNote extends Version {
  readonly url: string
  /** Holds the hash of the whole file; null while parts are missing. */
  readonly sha256: string | null
}

const FOLDER = 'plumage-models'

/** A file's note has its name with this ending. */
export const NOTE_ENDING = '.note'

/** Gives null where the browser gives the page no storage; `onWarning` hears why, and what that means. */
export async function modelFolderOrNull(
  onWarning: (message: string) => void,
): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory()
    return await root.getDirectoryHandle(FOLDER, { create: true })
  } catch (error) {
    onWarning(
      `This browser gives the page no storage (${error instanceof Error ? error.message : String(error)}): the model is kept in memory and ` +
        'downloaded anew at the next visit. Storage needs a secure page (https or localhost) in a window that is not private.',
    )
    return null
  }
}

/**
 * Gives null where there is no note, or half of one: then nothing is known about the bytes, and they are not
 * used.
 */
export function parseNoteOrNull(text: string): ModelNote | null {
  const note = parseJsonOrNull(text)
  if (!isRecord(note)) return null
  const { url, etag, lastModified, sha256 } = note
  return typeof url === 'string' && isTextOrNull(etag) && isTextOrNull(lastModified) && isTextOrNull(sha256)
    ? { url, etag, lastModified, sha256 }
    : null
}

function isTextOrNull(value: PlainValue | undefined): value is string | null {
  return value === null || typeof value === 'string'
}
