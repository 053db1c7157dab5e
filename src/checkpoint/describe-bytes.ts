/** Says what a file that is no checkpoint seems to be by its first bytes, which saves a person a search. */

/** Well-known files begin like this. In the text each character stands for one byte. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  [
    'version https://git-lfs',
    'a git LFS pointer: the repository was cloned without its large files (git lfs pull fetches them)',
  ],
  ['\x1f\x8b', 'gzip data: unpack it first'],
  ['\x28\xb5\x2f\xfd', 'zstd data: unpack it first'],
  ['BZh', 'bzip2 data: unpack it first'],
  ['\xfd7zXZ', 'xz data: unpack it first'],
  ['7z\xbc\xaf', 'a 7z archive: unpack it first'],
  ['GGUF', 'a GGUF file (llama.cpp)'],
  ['\xff\xd8\xff', 'a JPEG image'],
  ['\x89PNG', 'a PNG image'],
  ['GIF8', 'a GIF image'],
  ['RIFF', 'a RIFF file, such as a WebP image'],
  ['\x89HDF', 'an HDF5 file (Keras)'],
  ['\x93NUMPY', 'a NumPy array'],
  ['PAR1', 'a Parquet file'],
  ['%PDF', 'a PDF document'],
  ['\x7fELF', 'a program (ELF)'],
  ['\x80', 'a bare pickle, not one of torch.save'],
]

/** `first` are the first 512 bytes or fewer. There is always an answer, at worst the bytes themselves. */
export function describeBytes(first: Uint8Array): string {
  const text = Array.from(first, (byte) => String.fromCharCode(byte)).join('')
  for (const [beginning, what] of BEGINNINGS) if (text.startsWith(beginning)) return what
  if (text.slice(257, 262) === 'ustar') return 'a tar archive: unpack it first'
  if (text.slice(4, 8) === 'TFL3') return 'a TensorFlow Lite model'
  if (looksLikeOnnx(text)) return 'an ONNX model'
  const start = text.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (/^<(!doctype|html|head|body|\?xml)/i.test(start)) {
    return 'an HTML or XML page: the server answered with a page instead of the file'
  }
  if (/^[\t\n\r -~]+$/.test(text)) return `text (${JSON.stringify(text.slice(0, 40))})`
  const shown = Array.from(first.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `nothing known (its first bytes are ${shown})`
}

/** ONNX begins as a protocol buffer of the format's version (field 1) and the producer's name (field 2); both are short. */
function looksLikeOnnx(text: string): boolean {
  return text[0] === '\x08' && text.charCodeAt(1) < 32 && text[2] === '\x12' && text.charCodeAt(3) < 64
}
