/** Reads the blocks of 512 bytes that stand before the members of a tar: ustar, GNU's, pax's (POSIX 1003.1-2001, pax; GNU tar's manual, Basic Tar Format). */

export const BLOCK = 512

/** Is what a header says by itself, before pax or GNU say it better. */
export interface TarHeader {
  readonly name: string
  /** Counts the bytes behind the header. */
  readonly size: number
  /** Is one letter: `0` a file, `5` a folder, `x` what pax says of the next member … */
  readonly type: string
  /** Says that more blocks of a sparse file's map follow. */
  readonly isExtended: boolean
}

/** Throws Error where the block is no header. */
export function parseTarHeader(block: Uint8Array): TarHeader {
  if (!isChecked(block)) throw new Error('no header of a member is there (its checksum is wrong)')
  const type = String.fromCharCode(block[156] || 0x30)
  const isUstar = textIn(block, 257, 6) === 'ustar' && block[262] === 0
  const prefix = isUstar ? textIn(block, 345, 155) : ''
  const name = textIn(block, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberIn(block, 124, 12),
    type,
    isExtended: type === 'S' && block[482] === 1,
  }
}

export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0)
}

/** Gives what pax says of the next member, or of all that follow. Throws Error where it cannot be read. */
export function parsePax(bytes: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(decoder.decode(bytes.subarray(at, Math.max(at, Math.min(space, at + 12)))))
    const end = at + length
    const isWhole = Number.isInteger(length) && space >= 0 && end > space && end <= bytes.length
    const equals = bytes.indexOf(0x3d, space)
    if (!isWhole || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw new Error('a record of its pax header cannot be read')
    found.set(
      decoder.decode(bytes.subarray(space + 1, equals)),
      decoder.decode(bytes.subarray(equals + 1, end - 1)),
    )
    at = end
  }
  return found
}

/** Ends at the first NUL. */
export function textIn(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return decoder.decode(end < 0 ? field : field.subarray(0, end))
}

const decoder = new TextDecoder()

/** Is written as octal digits, or, where those do not suffice, as bytes behind a set bit. */
function numberIn(block: Uint8Array, start: number, length: number): number {
  const first = block[start] ?? 0
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f
    for (const byte of block.subarray(start + 1, start + length)) value = value * 256 + byte
    if (first === 0xff || !Number.isSafeInteger(value))
      throw new Error('a header says that its member has a length that cannot be')
    return value
  }
  const text = textIn(block, start, length).trim()
  if (!/^[0-7]*$/.test(text))
    throw new Error(`a header says that its member has ${JSON.stringify(text)} bytes`)
  return text === '' ? 0 : Number.parseInt(text, 8)
}

/** Old programs summed bytes with their signs. */
function isChecked(block: Uint8Array): boolean {
  const text = textIn(block, 148, 8).trim()
  if (!/^[0-7]+$/.test(text)) return false
  let unsigned = 0
  let signed = 0
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0)
    unsigned += byte
    signed += byte < 0x80 ? byte : byte - 0x100
  }
  const told = Number.parseInt(text, 8)
  return told === unsigned || told === signed
}
