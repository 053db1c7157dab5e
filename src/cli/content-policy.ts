/** Says what a page that is one file may do: show the pictures within it, and run its own script. It may fetch nothing and run no other. */
import type { BuiltPage } from '../platform/node/built-page.js'
import { hashOf } from './document-text.js'

export function contentPolicy({ script, style }: BuiltPage): string {
  return `default-src 'none'; img-src data:; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`
}
