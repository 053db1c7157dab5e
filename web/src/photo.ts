/** Describes what the page knows of a photo. */
import type { Features, PatchMap } from 'plumage/browser'

export interface Photo {
  readonly id: number
  readonly name: string
  readonly file: Blob
  /** Is small, for showing; it is null until the file is decoded. */
  readonly preview: ImageBitmap | null
  readonly features: Features | null
  /** Says why there are no features. */
  readonly problem: string | null
}

/** Gives the index of a block two thirds of the way up, whose patches tell things and their parts from their surroundings. */
export function thingsBlock(depth: number): number {
  return Math.min(depth - 1, Math.ceil((depth * 2) / 3))
}

/** Gives the patches of that block, which colours are made of; what is alike is looked for in the last ones, which say most of what a thing is. */
export function thingsMap(features: Features): PatchMap {
  const [tokens] = features.layers.values()
  if (tokens === undefined) throw new Error('The features have no patches of an inner block.')
  const special = tokens.length - features.patches.length
  return { patches: tokens.subarray(special), grid: features.grid }
}

/** Names a patch of one of the photos. */
export interface PatchPlace {
  readonly photo: number
  readonly row: number
  readonly column: number
}

export function isSamePlace(a: PatchPlace, b: PatchPlace): boolean {
  return a.photo === b.photo && a.row === b.row && a.column === b.column
}

/** A preview's longest side has so many pixels, which are enough for a card on a dense screen and take little memory for a thousand photos. */
const PREVIEW_SIDE = 640

/** Decodes a file to a small image. Throws where the browser cannot decode it. */
export async function makePreview(file: Blob): Promise<ImageBitmap> {
  const whole = await createImageBitmap(file)
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(whole.width, whole.height))
  if (scale === 1) return whole
  try {
    return await createImageBitmap(whole, {
      resizeWidth: Math.max(1, Math.round(whole.width * scale)),
      resizeHeight: Math.max(1, Math.round(whole.height * scale)),
      resizeQuality: 'medium',
    })
  } finally {
    whole.close()
  }
}

/** Names a place as people count, with rows and columns from 1. */
export function describePatch({ row, column }: PatchPlace): string {
  return `row ${row + 1}, column ${column + 1}`
}
