/** Refuses an address where only a path of this machine can be taken, by the name of what was said. */
import { namedPlace, shownName } from '../platform/node/storage/named-place.js'
import type { Files } from '../work/files.js'
import { UsageError } from './cli-error.js'

/**
 * Gives the whole path. Throws `UsageError` for an address of a bucket or a web server, `StorageError` for one of a kind that nobody knows.
 *
 * @param what is the option or the argument that it was given as
 * @param advice says in a sentence why it is none, and what to do
 */
export function localPath(files: Pick<Files, 'resolve'>, what: string, name: string, advice: string): string {
  const path = files.resolve(name)
  if (namedPlace(path).kind === 'path') return path
  throw new UsageError(`${what} takes no address, and ${shownName(name)} is one. ${advice}`)
}
