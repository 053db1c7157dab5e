/**
 * Tells what a write to a path reaches, as `open` would: links are followed, also one whose target is not there yet. A pipe or a device is
 * written into and never replaced, and a descriptor of this process (`/dev/stdout`, `/dev/fd/3`) is used as whoever started it has set it up.
 */
import { constants } from 'node:fs'
import { access, lstat, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { namedPlace, readOnlyWeb } from '../storage/named-place.js'
import { OBJECT } from '../storage/object-path.js'
import { explainWriteError, FileError } from './file-error.js'

export type OutputTarget =
  /** There is a file, or nothing yet; `mode` holds the rights of the file that is there. */
  | { readonly kind: 'file'; readonly path: string; readonly mode: number | null }
  | { readonly kind: 'folder'; readonly path: string }
  /** Is a pipe, a device or a socket. */
  | { readonly kind: 'special'; readonly path: string }
  | { readonly kind: 'descriptor'; readonly path: string; readonly descriptor: number }

/** Linux gives up after as many links. */
const MOST_LINKS = 40
const DESCRIPTOR = /^\/(?:dev|proc\/(?:self|thread-self|\d+))\/fd\/(\d+)$/

/** @param path absolute. Throws `FileError` where links lead in a circle, or a part of the path is no folder. */
export async function outputTarget(path: string): Promise<OutputTarget> {
  const place = namedPlace(path)
  // An object is written whole, whatever lies beside it.
  if (place.kind === 'object') return { kind: 'file', path: place.address, mode: null }
  if (place.kind === 'web') throw new FileError('not-writable', readOnlyWeb(path))
  try {
    return await follow(place.path)
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

async function follow(path: string): Promise<OutputTarget> {
  let at = path
  for (let links = 0; links <= MOST_LINKS; links++) {
    const descriptor = DESCRIPTOR.exec(at)?.[1]
    if (descriptor !== undefined && isOwn(at)) {
      return { kind: 'descriptor', path, descriptor: Number(descriptor) }
    }
    // What is above a link may be a link too, and `..` in a link starts from where it really lies.
    const folder = await realpath(dirname(at)).catch(absent)
    const here = folder === null ? at : join(folder, basename(at))
    const found = folder === null ? null : await lstat(here).catch(absent)
    if (found === null) return { kind: 'file', path: here, mode: null }
    if (found.isFile()) return { kind: 'file', path: here, mode: found.mode & 0o7777 }
    if (found.isDirectory()) return { kind: 'folder', path: here }
    if (!found.isSymbolicLink()) return { kind: 'special', path: here }
    at = resolve(dirname(here), await readlink(here))
  }
  throw Object.assign(new Error('its links lead in a circle'), { code: 'ELOOP' })
}

/** `/proc/7/fd/1` is another process's business, unless that is this one. */
function isOwn(path: string): boolean {
  const [, process_] = /^\/proc\/(\d+)\//.exec(path) ?? []
  return process_ === undefined || Number(process_) === process.pid
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

/** Gives the file of this machine that may be replaced by a whole new one. Throws `FileError` `not-writable` for all else, objects of buckets among it, and for a file that is protected. */
export async function replaceableFile(path: string): Promise<OutputTarget & { readonly kind: 'file' }> {
  if (OBJECT.test(path))
    throw new FileError(
      'not-writable',
      `${path} could not be written (a bucket takes no files of this kind). Choose a path, and copy it there.`,
    )
  const target = await outputTarget(path)
  if (target.kind !== 'file') {
    const what = target.kind === 'folder' ? 'a folder' : 'a pipe or a device'
    throw new FileError(
      'not-writable',
      `${path} could not be written (it is ${what}, which is not replaced by a file). Choose another place.`,
    )
  }
  if (target.mode !== null) {
    await access(target.path, constants.W_OK).catch((error: unknown) => {
      throw explainWriteError(error, path)
    })
  }
  return target
}
