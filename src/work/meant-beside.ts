/** Finds what was likely meant by a path that leads nowhere: what lies in the same folder under nearly the same name. */
import { nearestNames } from '../nearest-names.js'
import type { Files, FolderEntry } from './files.js'

/** So many letters are mistyped at a time. */
const SLIPS = 2

/** Gives ` Did you mean photos?`, with the rest of the path as it was typed; nothing where there is nothing like it. */
export async function meantBeside(
  files: Pick<Files, 'list' | 'resolve'>,
  path: string,
  isWanted: (entry: FolderEntry) => boolean | Promise<boolean> = () => true,
): Promise<string> {
  const typed = path.replace(/[/\\]+$/, '')
  const name = typed.slice(Math.max(typed.lastIndexOf('/'), typed.lastIndexOf('\\')) + 1)
  const folder = typed.slice(0, typed.length - name.length)
  const entries = await files.list(files.resolve(folder || '.')).catch(() => [])
  const slips = Math.min(SLIPS, Math.floor(name.length / 2))
  const names = entries.filter(({ garbled }) => !garbled).map((entry) => entry.name)
  // Names in another case are no slip.
  const key = (one: string) => one.toLowerCase()
  const near = nearestNames(key(name), [...new Set(names.map(key))], names.length, slips)
  for (const one of near)
    for (const entry of entries)
      if (key(entry.name) === one && (await isWanted(entry))) return ` Did you mean ${folder}${entry.name}?`
  return ''
}
