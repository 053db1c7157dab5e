/** Takes an address where work expects a path: that of a file is its path; any other is a failure that says what to do. */
import type { Failure, Files } from './files.js'

export function isAddress(input: string): boolean {
  return /^(file:\/|https?:\/\/|data:[a-z])/i.test(input)
}

/** Work compares a file's size and time to know whether it is done already, which an address does not tell. */
export function inputOfAddress(input: string, { separator }: Pick<Files, 'separator'>): string | Failure {
  if (/^file:/i.test(input)) return pathOfFile(input, separator)
  const path = input.length > MOST_SHOWN ? `${input.slice(0, MOST_SHOWN)}…` : input
  const reason =
    'addresses are not fetched here: pipe the image in (curl ADDRESS | plumage embed -), or save it and give the file'
  return { path, reason }
}

const MOST_SHOWN = 200

function pathOfFile(input: string, separator: string): string | Failure {
  try {
    const { hostname, pathname } = new URL(input)
    if (hostname !== '' && hostname !== 'localhost')
      return { path: input, reason: 'it leads to another machine' }
    const path = decodeURIComponent(pathname)
    return separator === '/' ? path : path.replace(/^\/(?=[a-z]:)/i, '').replaceAll('/', separator)
  } catch {
    return { path: input, reason: 'it is no address of a file' }
  }
}
