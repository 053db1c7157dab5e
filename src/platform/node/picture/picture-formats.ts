/** Names the formats of pictures, and tells them by the endings of files. */

export const PICTURE_FORMATS = ['png', 'jpeg', 'webp'] as const
export type PictureFormat = (typeof PICTURE_FORMATS)[number]

const ENDINGS: readonly (readonly [RegExp, PictureFormat])[] = [
  [/\.png$/i, 'png'],
  [/\.jpe?g$/i, 'jpeg'],
  [/\.webp$/i, 'webp'],
]

/** Gives null for a name that ends in none of them. */
export function formatOfNameOrNull(name: string): PictureFormat | null {
  return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? null
}
