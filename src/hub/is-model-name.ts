/** Tells names from paths and addresses, where a text may be either. */

const SEPARATOR = /[/\\:]/
const ENDING = /\.(safetensors|pt|pth|bin|json)$/i

/**
 * A text is a name unless it has a separator or ends as files do. Where there are files, one of just this
 * name comes first.
 */
export function isModelName(text: string): boolean {
  return !SEPARATOR.test(text) && !ENDING.test(text)
}
