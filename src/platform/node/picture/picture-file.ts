/** Turns pictures into files, and tells pictures of this library from other people's files. */
import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { RgbImage } from '../../../image/image.js'
import { explainWriteError, FileError } from '../files/file-error.js'
import { replaceableFile } from '../files/output-target.js'
import { PlacedFiles } from '../files/placed-files.js'
import { loadSharp } from '../sharp-decoder.js'
import { OBJECT } from '../storage/object-path.js'
import type { PictureFormat } from './picture-formats.js'

/** Stands in each file that is written, and says whose it is. */
export const PICTURE_MARK = 'plumage picture'

/** Longer files are none of this library's pictures. */
const MOST_BYTES = 2 ** 28

/** Gives the bytes of a file. @param told is kept in it where there is a text: what made it, and of what */
export async function encodePicture(
  { height, width, data }: RgbImage,
  format: PictureFormat,
  told = '',
): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const description: Record<string, string> = told === '' ? {} : { ImageDescription: told }
  const image = sharp(data, { raw: { height, width, channels: 3 } }).withExif({
    IFD0: { Software: PICTURE_MARK, ...description },
  })
  switch (format) {
    case 'png':
      return await image.png().toBuffer()
    case 'jpeg':
      return await image.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer()
    case 'webp':
      return await image.webp({ quality: 92 }).toBuffer()
  }
}

/**
 * Finds out before anything is computed whether a picture may lie at an absolute path, or an address in a bucket. Throws `FileError` where the system refuses it, and `exists` for a
 * file that is there and is no picture of this library, unless it is to be replaced.
 */
export async function assertTakesPicture(
  path: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  if (OBJECT.test(path)) {
    if (replace || (await isFreeObject(path))) return
    throw taken(path)
  }
  const target = await replaceableFile(path)
  await access(dirname(target.path), constants.W_OK).catch((error: unknown) => {
    throw explainWriteError(error, path)
  })
  if (target.mode === null || replace || (await isOwnPicture(target.path))) return
  throw taken(path)
}

function taken(path: string): FileError {
  return new FileError(
    'exists',
    `${path} is there already, and is no picture that plumage has made. Choose another name, or replace it with --restart.`,
  )
}

async function isFreeObject(address: string): Promise<boolean> {
  const files = new PlacedFiles('/')
  const found = await files.look(address)
  if (found?.kind !== 'file') return true
  if (found.size > MOST_BYTES) return false
  await using there = await files.open(address)
  const bytes = Buffer.alloc(there.size)
  await there.read(bytes, 0)
  return bytes.includes(PICTURE_MARK)
}

async function isOwnPicture(path: string): Promise<boolean> {
  const { size } = await stat(path)
  return size <= MOST_BYTES && (await readFile(path)).includes(PICTURE_MARK)
}
