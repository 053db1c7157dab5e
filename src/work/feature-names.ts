/** Gives each image the name of its file in a folder of features: `<folder>/<name>.npy`, after the image's own folder and name. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { isAddress } from './input-of-address.js'

/** File systems take as many bytes. */
const MOST_BYTES = 255
/** Is the longest that is added to a name while its file is written. */
const TEMPORARY = '.tmp'
const HASH_DIGITS = 12

export class FeatureNames {
  readonly #ending: string
  /** Tells which image each file belongs to. */
  readonly #owners = new Map<string, string>()

  /** @param format ends each name */
  constructor(format: string) {
    this.#ending = `.${format}`
  }

  /** Notes that a file is an image's. */
  take(file: string, path: string): void {
    this.#owners.set(file, path)
  }

  /** The same image always has the same file, and no two images have one. Of two that would, the later one's has a hash in its name. */
  nameFor(path: string): string {
    const plain = fitting(partsInside(path), this.#ending, null)
    const owner = this.#owners.get(plain)
    const file =
      owner === undefined || owner === path ? plain : fitting(partsInside(path), this.#ending, hashOf(path))
    this.take(file, path)
    return file
  }
}

/** `/photos/../a.jpg` -> `a.jpg`, `../b/c.jpg` -> `b/c.jpg`: no path leads out of the folder. */
function partsInside(path: string): readonly string[] {
  if (/^data:/i.test(path)) return [`data~${hashOf(path)}`]
  const inside: string[] = []
  // Ports and queries of addresses have letters that not every file system takes.
  const named = isAddress(path) ? path.replaceAll(/[:?*"<>|]/g, '_').replace('_//', '/') : path
  for (const part of named.split(/[\\/]+/)) {
    if (part === '..') inside.pop()
    else if (part !== '' && part !== '.') inside.push(part.replace(/:$/, ''))
  }
  return inside
}

/** Shortens names that would not fit; a hash keeps them apart. */
function fitting(parts: readonly string[], ending: string, hash: string | null): string {
  const folders = parts.slice(0, -1).map((folder) => short(folder, '', MOST_BYTES, null))
  const room = MOST_BYTES - TEMPORARY.length
  return [...folders, short(parts.at(-1) ?? 'image', ending, room, hash)].join('/')
}

function short(name: string, ending: string, room: number, hash: string | null): string {
  const bytes = new TextEncoder().encode(name)
  if (hash === null && bytes.length + ending.length <= room) return name + ending
  const mark = `~${hash ?? hashOf(name)}${ending}`
  const kept = bytes.subarray(0, room - mark.length)
  // A letter that is cut in two is left out.
  return `${new TextDecoder().decode(kept).replace(/\ufffd+$/, '')}${mark}`
}

function hashOf(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text))).slice(0, HASH_DIGITS)
}
