/** Tells films among files: a name by its ending, and what a name leaves open by the beginning of the file. */
import type { FileKind } from '../image/image-format.js'
import { isFilmName, isPlaylistName, isSourceName, isVideoName } from '../platform/node/video/video-name.js'
import type { Files } from '../work/files.js'
import { isImageName } from '../work/image-extensions.js'

/** Judges what somebody names as an input: what is called a film is taken for one, and fails by itself where it is none. */
export async function leadsToFilm(files: Files, path: string): Promise<boolean> {
  if (isImageName(path)) return false
  return isVideoName(path) || (await beginsAsFilm(files, path))
}

/** Sounds lie in the boxes of films: in a folder they are no films. */
const SOUND_NAME = /\.(m4[abpr]|mka|weba|aax)$/i

/** Judges a file that a folder holds. @param kind is what its first bytes tell; undefined where they have not been read */
export async function isFilmOfFolder(files: Files, path: string, kind?: FileKind | null): Promise<boolean> {
  if (isImageName(path)) return false
  if (isFilmName(path)) return true
  if (SOUND_NAME.test(path) || isPlaylistName(path)) return false
  const isOpen = isSourceName(path) || kind === undefined || kind?.format === 'a film'
  return isOpen && (await beginsAsFilm(files, path))
}

async function beginsAsFilm(files: Files, path: string): Promise<boolean> {
  const { demuxerFor } = await import('../platform/node/video/video-kind.js')
  return demuxerFor(files.resolve(path)).then(
    () => true,
    () => false,
  )
}
