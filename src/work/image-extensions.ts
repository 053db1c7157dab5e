/** Decides which files of a folder are taken for images. A file named by itself is always tried, whatever it is called. */

/** The decoder reads all of these; SVG is left out, for it has no pixels of its own. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.png',
  '.webp',
  '.avif',
  '.tif',
  '.tiff',
  '.gif',
]

/** Goes by the ending of the name alone: nothing is opened. */
export function isImageName(name: string): boolean {
  const dot = name.lastIndexOf('.')
  return dot > 0 && IMAGE_EXTENSIONS.includes(name.slice(dot).toLowerCase())
}
