/** Tells a page, an XML error or a JSON error from a file of weights by its first bytes: servers send such texts as if they were the file. */

const WEIGHTS = /\.(safetensors|pt|pth|bin)$/i
/** Weights have bytes that are no text among so many: a length, a zip's mark, a pickle's. */
const LOOKED_AT = 16
const LONGEST_LINE = 120

/** Gives the first line of a text that stands where weights were expected, null for what may be weights. */
export function firstLineOfText(url: URL, bytes: Uint8Array): string | null {
  if (!WEIGHTS.test(url.pathname) || bytes.length < LOOKED_AT) return null
  const isText = bytes.subarray(0, LOOKED_AT).every((byte) => byte >= 0x20 || [9, 10, 13].includes(byte))
  const text = new TextDecoder()
    .decode(bytes.subarray(0, 1024))
    .replace(/^\ufeff/, '')
    .trimStart()
  if (!isText || !/^(<\?xml|<!doctype|<html|<error|\{\s*")/i.test(text)) return null
  const [line = ''] = text.split(/\r?\n/)
  return line.slice(0, LONGEST_LINE).trimEnd()
}
