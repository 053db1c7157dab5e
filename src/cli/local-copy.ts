/** Has a file on this machine for as long as it is read by what reads from disks alone: one of an address is fetched into a folder of its own, and removed afterwards. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { lastNameOf, namedPlace, shownName } from '../platform/node/storage/named-place.js'
import type { OpenedFile } from '../work/files.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'

export interface LocalCopy extends AsyncDisposable {
  /** Is the path on this machine. */
  readonly path: string
  /** Puts the name that was given in place of the path, in a message. */
  told(message: string): string
}

/** So many bytes are asked for at once. */
const PIECE = 2 ** 23

/**
 * Throws `UsageError` for an address that nothing lies at, `StorageError`; the signal's reason.
 *
 * @param beside give the names of other files from that of this one, which are fetched where they are there
 */
export async function localCopyOf(
  { files, signal }: Pick<CommandContext, 'files' | 'signal'>,
  name: string,
  beside: readonly ((name: string) => string)[] = [],
): Promise<LocalCopy> {
  const place = files.resolve(name)
  if (namedPlace(place).kind === 'path')
    return { path: place, told: (message) => message, [Symbol.asyncDispose]: async () => {} }
  const shown = shownName(place)
  if ((await files.look(place))?.kind !== 'file') throw new UsageError(`There is no file ${shown}.`)
  const folder = await mkdtemp(join(tmpdir(), 'plumage-copy-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    for (const named of [(own: string) => own, ...beside]) {
      const address = renamed(place, named)
      if (address !== place && (await files.look(address))?.kind !== 'file') continue
      await using file = await files.open(address)
      const target = createWriteStream(join(folder, nameIn(address)))
      await pipeline(Readable.from(piecesOf(file)), target, { signal })
    }
  } catch (error) {
    await remove()
    throw error
  }
  const path = join(folder, nameIn(place))
  return { path, told: (message) => message.replaceAll(path, shown), [Symbol.asyncDispose]: remove }
}

async function* piecesOf(file: OpenedFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; ) {
    const into = new Uint8Array(Math.min(PIECE, file.size - at))
    const count = await file.read(into, at)
    if (count === 0) throw new Error(`it ends ${file.size - at} bytes before it should`)
    yield into.subarray(0, count)
    at += count
  }
}

/** Gives the address of a file beside another; the query of a web server's goes with it. */
function renamed(address: string, named: (name: string) => string): string {
  if (namedPlace(address).kind === 'object') {
    const at = address.lastIndexOf('/') + 1
    return address.slice(0, at) + named(address.slice(at))
  }
  const url = new URL(address)
  const { folder, name } = lastNameOf(url)
  const other = named(name)
  if (other === name) return address
  url.pathname = folder + encodeURIComponent(other)
  return url.href
}

function nameIn(address: string): string {
  if (namedPlace(address).kind === 'object') return basename(address)
  return lastNameOf(new URL(address)).name
}
