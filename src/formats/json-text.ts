/**
 * Writes JSON that stays one line for every reader. Python's `splitlines` and some readers of Node end a line at more characters than a line
 * break, and terminals turn the direction of a line at some; JSON escapes those below a space by itself, and the others may be escaped.
 */
const SEPARATORS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    SEPARATORS,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
