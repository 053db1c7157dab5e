/**
 * Reads one vector from a file's bytes: NumPy's .npy (float16, float32, float64, in one row), a JSON list of numbers, or numbers in text, apart by commas,
 * blanks or line breaks. Told by its first bytes, not by its name.
 */
import { float16ToFloat32 } from '../tensor/float16.js'

/** Says why bytes are no vector. */
export class VectorError extends Error {
  override readonly name = 'VectorError'
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** No network gives more; a header that says so lies. */
const MOST = 2 ** 26

/** Gives float32. Throws `VectorError`, whose message ends a sentence that names the file. */
export function readVector(bytes: Uint8Array): Float32Array {
  const values = MAGIC.every((byte, at) => bytes[at] === byte) ? readNpy(bytes) : readText(bytes)
  if (values.length === 0) throw new VectorError('it holds no numbers')
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw new VectorError(`its number ${wrong} is ${values[wrong]}`)
  return values
}

function readNpy(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const major = bytes[6] ?? 0
  const lengthBytes = major === 1 ? 2 : 4
  if (bytes.length < 8 + lengthBytes) throw new VectorError('its header is cut off')
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = 8 + lengthBytes + length
  const header = new TextDecoder('latin1').decode(bytes.subarray(8 + lengthBytes, start))
  const [, type] = /'descr': *'([^']*)'/.exec(header) ?? []
  const [, shape] = /'shape': *\(([^)]*)\)/.exec(header) ?? []
  if (type === undefined || shape === undefined) throw new VectorError('its header is not that of an array')
  const sizes = shape
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number)
  const count = sizes.reduce((product, size) => product * size, 1)
  if (sizes.filter((size) => size !== 1).length > 1)
    throw new VectorError(`it is an array of (${sizes.join(', ')}), expected one vector: save one row of it`)
  const size = { '<f2': 2, '<f4': 4, '<f8': 8 }[type]
  if (size === undefined)
    throw new VectorError(`its numbers are ${type}, expected float16, float32 or float64`)
  if (!(count <= MOST && start + size * count <= bytes.length))
    throw new VectorError(`it says ${count} numbers and holds ${Math.floor((bytes.length - start) / size)}`)
  const out = new Float32Array(count)
  if (size === 2) {
    float16ToFloat32(
      Uint16Array.from(out, (_, i) => view.getUint16(start + 2 * i, true)),
      out,
    )
    return out
  }
  return out.map((_, i) =>
    size === 4 ? view.getFloat32(start + 4 * i, true) : view.getFloat64(start + 8 * i, true),
  )
}

function readText(bytes: Uint8Array): Float32Array {
  const text = new TextDecoder().decode(bytes).trim()
  const parts = text
    .replace(/^\[+|\]+$/g, '')
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
  const wrong = parts.find((part) => !Number.isFinite(Number(part)))
  if (wrong !== undefined)
    throw new VectorError(
      `${JSON.stringify(wrong.slice(0, 20))} in it is no number, expected .npy, a JSON list or numbers`,
    )
  return Float32Array.from(parts, Number)
}
