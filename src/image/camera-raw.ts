/**
 * Knows raw photos of cameras. Most of them are TIFF, whose first image is a small preview: a reader of TIFF would take that for the photo. Their content
 * tells them, and where it does not, their name.
 */
import {
  numbersOrNull,
  type TiffDirectory,
  tiffDirectoryAtOrNull,
  tiffDirectoryOrNull,
} from './tiff/directory.js'

/** So many bytes of a file's beginning hold the directories of most. */
export const RAW_BYTES = 65_536

const ENDINGS: ReadonlySet<string> = new Set(
  (
    '.3fr .ari .arw .cr2 .cr3 .crw .dcr .dng .eip .erf .fff .gpr .iiq .k25 .kc2 .kdc .mef .mos .mrw .nef .nrw .orf .ori .pef .raf ' +
    '.raw .rw2 .rwl .rwz .sr2 .srf .srw .x3f'
  ).split(' '),
)

/** Goes by the ending of a name or an address. */
export function isRawName(name: string): boolean {
  const [ending] = /\.[a-z0-9]{2,3}$/i.exec(name) ?? []
  return ending !== undefined && ENDINGS.has(ending.toLowerCase())
}

const COMPRESSION = 259
const PHOTOMETRIC = 262
const SUB_DIRECTORIES = 330
const DNG_VERSION = 50706

/** A filter of colours lies on the sensor, or each place has all of them already. */
const OF_SENSORS = [32803, 34892]
/** Sony's, Samsung's, Nikon's, Kodak's and Pentax' own. */
const OF_CAMERAS = [32767, 32769, 32770, 32772, 34713, 32867, 65000, 65535]

/** Looks into the first directory of a TIFF and into those below it, as far as these bytes go. */
export function isRawTiff(bytes: Uint8Array): boolean {
  const first = tiffDirectoryOrNull(bytes)
  if (first === null) return false
  if (first.entries.has(DNG_VERSION)) return true
  const below = numbersOf(bytes, first, SUB_DIRECTORIES).map((at) => tiffDirectoryAtOrNull(bytes, at, first))
  return [first, ...below].some(
    (directory) =>
      directory !== null &&
      (OF_SENSORS.includes(numbersOf(bytes, directory, PHOTOMETRIC)[0] ?? 0) ||
        OF_CAMERAS.includes(numbersOf(bytes, directory, COMPRESSION)[0] ?? 0)),
  )
}

/** No camera has more directories below one. */
const MOST_NUMBERS = 16

function numbersOf(bytes: Uint8Array, directory: TiffDirectory, tag: number): readonly number[] {
  const entry = directory.entries.get(tag)
  if (entry === undefined || entry.count > MOST_NUMBERS) return []
  return numbersOrNull(bytes, directory, entry) ?? []
}
