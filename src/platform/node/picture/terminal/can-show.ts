/** Tells whether pictures can be shown where a stream leads, without asking; it is known before anything is loaded. */
import type { Writable } from 'node:stream'

export function canShow(
  stdout: Writable & { readonly isTTY?: boolean },
  { TERM }: { readonly TERM?: string | undefined },
): boolean {
  return stdout.isTTY === true && TERM !== 'dumb'
}
