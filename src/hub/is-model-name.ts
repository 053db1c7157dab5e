/** Tells names from paths and addresses, where a text may be either. */

const SEPARATOR = /[/\\:]/
/** Files of checkpoints end so, and what says what lies in them. */
const ENDING = /\.(safetensors|pt|pth|bin|json)$/i

/**
 * A text is a name unless it has a separator or ends as files do. Where there are files, one of just this
 * name comes first.
 */
export function isModelName(text: string): boolean {
  return !SEPARATOR.test(text) && !endsAsFile(text)
}

export function endsAsFile(text: string): boolean {
  return ENDING.test(text)
}
