/** Reads what people and cameras have said of photos, within them and in sidecars beside them, and writes what a kept copy lacks to its sidecar. */
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Collection } from '../../../collection/collection.js'
import type { Copy } from '../../../collection/duplicates/copy.js'
import type { DuplicateGroup } from '../../../collection/duplicates/duplicate-group.js'
import {
  type LackingFacts,
  lackingFacts,
  type PhotoFacts,
  xmpWith,
} from '../../../collection/duplicates/lacking.js'
import { isAddress } from '../../../is-address.js'
import { writeWhole } from '../files/write-whole.js'
import { fullPath } from './find-duplicates.js'

/** Gives what the copies of a group that may go tell and the kept one does not. Files that cannot be read tell nothing. Throws `CollectionError` `root-missing` for a root that the collection does not know. */
export async function lackingMetadata(
  collection: Collection,
  { kept, members }: DuplicateGroup,
): Promise<LackingFacts> {
  const going = members.filter(({ proposed }) => proposed)
  const copies = await Promise.all(going.map(({ copy }) => factsOf(collection, copy)))
  return lackingFacts(await factsOf(collection, kept), copies)
}

/**
 * Writes facts to the sidecar of a photo (`a.jpg.xmp`, or `a.xmp` where that is there), whole or not at all; what stands in it stays. Gives its path. Throws `FileError`; Error
 * for a sidecar that is no XMP.
 */
export async function writeMetadata(
  collection: Collection,
  kept: Copy,
  facts: LackingFacts,
): Promise<string> {
  const full = fullPath(collection, kept)
  if (isAddress(full))
    throw new Error(`${full} lies on no disk of this machine, and nothing is written beside it.`)
  const beside = full.replace(/\.[^./\\]+$/, '.xmp')
  const other = await textOrNull(beside)
  const path = other === null ? `${full}.xmp` : beside
  const text = xmpWith(facts, other ?? (await textOrNull(path)))
  if (text === null) throw new Error(`${path} is no XMP that could take more: it has no end of rdf:RDF.`)
  await writeWhole(path, [text])
  return path
}

async function factsOf(collection: Collection, copy: Copy): Promise<PhotoFacts> {
  const full = fullPath(collection, copy)
  const tags = [await tagsOf(full), ...(await Promise.all(sidecarsOf(full).map(tagsOf)))]
  const told = (name: string) =>
    tags.map((one) => one[name]).find((value) => value !== undefined && value !== null)
  const { taken, latitude, longitude } = copy
  const position = latitude === null || longitude === null ? positionOf(told) : { latitude, longitude }
  const rating = Number(told('Rating'))
  const words = told('subject') ?? told('Keywords') ?? []
  return {
    taken: taken ?? timeOf(told('DateTimeOriginal')),
    position,
    rating: rating >= 1 && rating <= 5 ? rating : null,
    caption: textOf(told('description') ?? told('ImageDescription') ?? told('Caption')),
    keywords: (Array.isArray(words) ? words : [words])
      .filter((word) => typeof word === 'string')
      .map(unescaped),
    folder: basename(dirname(full)),
  }
}

function sidecarsOf(full: string): readonly string[] {
  return [`${full}.xmp`, full.replace(/\.[^./\\]+$/, '.xmp')]
}

type Tags = Readonly<Record<string, unknown>>

/** Of a sidecar the tags of all namespaces are given together. */
async function tagsOf(path: string): Promise<Tags> {
  const exifr = await import('exifr')
  try {
    const bytes = await readFile(path)
    if (!path.toLowerCase().endsWith('.xmp'))
      return recordOf(
        await exifr.default.parse(bytes, {
          xmp: true,
          iptc: true,
          reviveValues: false,
          translateValues: false,
        }),
      )
    // Which of the two has it depends on how the package is loaded.
    const sidecar = exifr.sidecar ?? (exifr.default as unknown as typeof exifr).sidecar
    const spaces = Object.values(recordOf(await sidecar(bytes, {}, 'xmp')))
    return Object.assign({}, ...spaces.map(recordOf))
  } catch {
    return {}
  }
}

function recordOf(value: unknown): Tags {
  return typeof value === 'object' && value !== null ? (value as Tags) : {}
}

function positionOf(told: (name: string) => unknown): PhotoFacts['position'] {
  const latitude = numberOf(told('latitude')) ?? degreesOf(told('GPSLatitude'), 90)
  const longitude = numberOf(told('longitude')) ?? degreesOf(told('GPSLongitude'), 180)
  return latitude === null || longitude === null ? null : { latitude, longitude }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Reads `52,30.5N` and `52,30,30N` of XMP. */
function degreesOf(value: unknown, most: number): number | null {
  const found = /^(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])$/.exec(
    typeof value === 'string' ? value : '',
  )
  if (found === null) return null
  const [, degrees, minutes, seconds = '0', side] = found
  const sum = Number(degrees) + Number(minutes) / 60 + Number(seconds) / 3600
  return sum > most ? null : side === 'S' || side === 'W' ? -sum : sum
}

/** Reads `2021:05:06 07:08:09` of EXIF and `2021-05-06T07:08:09` of XMP. */
function timeOf(value: unknown): number | null {
  const found = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(
    typeof value === 'string' ? value : '',
  )
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number)
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  return year > 0 && Number.isFinite(time) ? time : null
}

/** XMP gives a text with its language as an object. */
function textOf(value: unknown): string | null {
  if (typeof value === 'object' && value !== null && 'value' in value) return textOf(value.value)
  return typeof value === 'string' && value.trim() !== '' ? unescaped(value.trim()) : null
}

/** What reads XMP leaves the entities of XML as they are. */
function unescaped(text: string): string {
  const named = text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
  return named.replaceAll('&amp;', '&')
}

async function textOrNull(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  })
}
