/**
 * Digests the pixels of photos anew that were indexed when another rule held: of files that hold more than their pixels show, the digest is a digest of the file as well. Nothing is
 * embedded for it. How far it is stands in a small file, so that a later run goes on, and photos whose disk is not connected wait there.
 */
import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { atOnce } from '../../../at-once.js'
import type { Collection } from '../../../collection/collection.js'
import { filmOfNameOrNull } from '../../../collection/frame-name.js'
import type { MeasuredAnew } from '../../../collection/index-photos.js'
import { type Row, rowsOf } from '../../../collection/row-block.js'
import { DEFAULT_MAX_PIXELS } from '../../../image/decodable.js'
import { ImageError } from '../../../image/image-error.js'
import { fileKindOrNull, KIND_BYTES } from '../../../image/image-format.js'
import type { Transparency } from '../../../image/preparation.js'
import { isAddress } from '../../../is-address.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { decodeFile } from '../decode-image.js'
import { fastestMeasure } from '../measure-pixels.js'
import { DIGEST_RULE, digestOfOwn } from '../pixel-digest.js'
import { beyondPixels } from './beyond-pixels.js'
import { fullPath } from './find-duplicates.js'
import { openPhoto } from './open-photo.js'
import { isPassing, photoBytes } from './photo-bytes.js'

export interface MeasureAnewOptions {
  readonly transparency: Transparency
  readonly maxPixels?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Says how far the work is. */
interface Progress {
  /** Is the id up to which photos are done, in the order of ids. */
  readonly after: string
  /** Are the ids of those before it that could not be read. */
  readonly left: readonly string[]
}

const FILE = 'measuring.json'
/** So many photos are looked at between two notes of how far it is. */
const BATCH_PHOTOS = 256
const AT_ONCE = 4

/** Gives null where the digests are by the rule of now. Throws what the store throws; the signal's reason. */
export async function measureAnew(
  collection: Collection,
  options: MeasureAnewOptions,
): Promise<MeasuredAnew | null> {
  const { store } = collection
  if (store.about.digests === DIGEST_RULE) return null
  const before = await progressOf(collection)
  const again = new Set(before.left)
  const rows = (await digested(collection, options.signal)).filter(
    ({ id }) => String(id) > before.after || again.has(String(id)),
  )
  const left: string[] = []
  let photos = 0
  for (let at = 0; at < rows.length; at += BATCH_PHOTOS) {
    const batch = rows.slice(at, at + BATCH_PHOTOS)
    const found = await atOnce(batch, AT_ONCE, (row) => digestOrNull(collection, row, options))
    options.signal?.throwIfAborted()
    const changes: { id: string; values: Row }[] = []
    for (const [i, { id, pixels }] of batch.entries()) {
      const digest = found[i] ?? null
      if (digest === null) left.push(String(id))
      else if (digest !== pixels) changes.push({ id: String(id), values: { pixels: digest } })
    }
    if (changes.length > 0) await collection.change(changes)
    photos += changes.length
    const last = String(batch.at(-1)?.id)
    const after = last > before.after ? last : before.after
    const waiting = rows.slice(at + BATCH_PHOTOS).filter(({ id }) => String(id) <= after)
    await noteProgress(collection, { after, left: [...left, ...waiting.map(({ id }) => String(id))] })
  }
  if (photos > 0) await collection.fold(options.signal === undefined ? {} : { signal: options.signal })
  if (left.length > 0) return { photos, left: left.length }
  await store.setAbout({ ...store.about, digests: DIGEST_RULE })
  await store.writeFile(FILE, null)
  return { photos, left: 0 }
}

/** Gives photos with a digest, in the order of their ids. Frames of films and previews are pictures of one kind under both rules. */
async function digested(collection: Collection, signal: AbortSignal | undefined): Promise<readonly Row[]> {
  const rows: Row[] = []
  const columns = ['id', 'root', 'path', 'state', 'content', 'pixels', 'preview']
  for await (const block of collection.scan({ columns, signal }))
    for (const row of rowsOf(block)) {
      const isPhoto = row.state === 'embedded' && typeof row.pixels === 'string' && row.preview !== true
      if (isPhoto && filmOfNameOrNull(String(row.path)) === null) rows.push(row)
    }
  return rows.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
}

/** Gives null for a photo that cannot be read just now. One that has changed keeps its digest until it is indexed again. */
async function digestOrNull(
  collection: Collection,
  { root, path, content, pixels }: Row,
  { transparency, maxPixels = DEFAULT_MAX_PIXELS, signal }: MeasureAnewOptions,
): Promise<string | null> {
  const before = String(pixels)
  const full = fullPath(collection, { root: String(root), path: String(path) })
  try {
    if (!isAddress(full) && (await isPlainKind(full))) return before
    const bytes = await photoBytes(full, signal)
    if (hash('sha256', bytes) !== content) return before
    const opened = openPhoto(bytes, String(path), { maxPixels, transparency })
    if ((await beyondPixels(opened)) === null) return before
    const decoded = await decodeFile(opened, { transparency, maxPixels, orientation: 'ignore' })
    const { digest } = await fastestMeasure()(decoded)
    return digestOfOwn(digest, String(content))
  } catch (error) {
    signal?.throwIfAborted()
    if (isPassing(error)) throw error
    if (error instanceof ImageError && !['not-found', 'unreadable'].includes(error.code)) return before
    return null
  }
}

/** JPEG and HEIC are one opaque picture each: most photos need not be read any further. */
async function isPlainKind(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(KIND_BYTES), 0, KIND_BYTES, 0)
    const kind = fileKindOrNull(buffer.subarray(0, bytesRead))
    return kind?.format === 'jpeg' || kind?.format === 'heic'
  } finally {
    await file.close()
  }
}

async function progressOf({ store }: Collection): Promise<Progress> {
  const bytes = await store.readFile(FILE)
  const told = bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
  const isOfNow = isRecord(told) && told.rule === DIGEST_RULE && typeof told.after === 'string'
  if (!isOfNow || !Array.isArray(told.left)) return { after: '', left: [] }
  return { after: String(told.after), left: told.left.map(String) }
}

async function noteProgress({ store }: Collection, progress: Progress): Promise<void> {
  await store.writeFile(FILE, new TextEncoder().encode(JSON.stringify({ rule: DIGEST_RULE, ...progress })))
}
