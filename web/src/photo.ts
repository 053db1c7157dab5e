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

/**
 * Says which features are looked at: `objects`, a block two thirds of the way up, tells things from their surroundings; `meaning`, the last one
 * after its norm, says most of the photo as a whole.
 */
export type Level = 'objects' | 'meaning'

/** Gives the index of the block that `objects` stands for. */
export function objectsBlock(depth: number): number {
  return Math.max(0, Math.ceil((depth * 2) / 3))
}

export function patchMapOf(features: Features, level: Level): PatchMap {
  const [tokens] = features.layers.values()
  if (level === 'meaning' || tokens === undefined) return features
  const special = tokens.length - features.patches.length
  return { patches: tokens.subarray(special), grid: features.grid }
}

/** Names a patch of one of the photos. */
export interface PatchPlace {
  readonly photo: number
  readonly row: number
  readonly column: number
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

/** Names a patch as people count, with rows and columns from 1. */
export function describePatch({ row, column }: PatchPlace): string {
  return `row ${row + 1}, column ${column + 1}`
}
