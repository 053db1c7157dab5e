/**
 * Knows what photos are called: the one list of endings, with who decodes what is called so. A file named by itself is always tried, whatever it is called, and one in
 * a folder is looked into where its name says nothing.
 */
import type { FileKind } from '../image/image-format.js'

export const JPEG_EXTENSIONS = ['.jpg', '.jpeg', '.jpe', '.jfif', '.jif', '.pjpeg', '.pjp'] as const

/** What is called so is decoded here; SVG is not among them, for it has no pixels of its own. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  ...JPEG_EXTENSIONS,
  '.png',
  '.apng',
  '.webp',
  '.avif',
  '.tif',
  '.tiff',
  '.gif',
  '.bmp',
  '.dib',
]

/** An optional package decodes these. */
export const HEIC_EXTENSIONS: readonly string[] = ['.heic', '.heif', '.hif']

/** Photos and drawings are called so that are not decoded: they are counted and named. Raw photos of cameras have a list of their own (camera-raw.ts). */
export const UNDECODED_EXTENSIONS: readonly string[] = (
  '.jxl .jp2 .j2k .j2c .jpc .jpf .jpx .jxr .wdp .hdp .psd .psb .ico .cur .icns .svg .ppm .pgm .pbm .pnm .pam .pfm .qoi .exr .hdr .tga ' +
  '.pcx .dds .xcf'
).split(' ')

/** What begins with its only dot has no ending. */
export function endingOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot).toLowerCase() : ''
}

/** Goes by the ending of the name alone: nothing is opened. */
export function isImageName(name: string): boolean {
  return IMAGE_EXTENSIONS.includes(endingOf(name))
}

/** Judges what is not looked into before its turn, as in buckets and tars, as a folder's files are judged by their content. @param name is the last of a path */
export function isDecodedName(name: string, decodes: (kind: FileKind) => boolean): boolean {
  if (isImageName(name)) return true
  return HEIC_EXTENSIONS.includes(endingOf(name)) && decodes({ decoder: 'optional', format: 'heic' })
}
