/** Tells films by the endings of their names, where nothing has been opened yet. */

const VIDEO_NAME =
  /\.(mp4|m4v|mov|qt|3gp|3g2|mkv|webm|avi|divx|ts|m2ts|mts|mpg|mpeg|mpe|vob|flv|f4v|wmv|asf|ogv|ogm)$/i
/** Lists of other files have such endings, and so has what describes streams. */
const PLAYLIST_NAME = /\.(m3u8?|pls|xspf|mpd|ffconcat|concat|sdp|asx|wpl|ism|f4m|cue|edl)$/i

/** Goes by the ending of the name alone. A list of films counts as one, and is refused where it is read. */
export function isVideoName(name: string): boolean {
  return VIDEO_NAME.test(name) || isPlaylistName(name)
}

export function isPlaylistName(name: string): boolean {
  return PLAYLIST_NAME.test(name)
}

/** Programs have such endings too (TypeScript). */
export function isSourceName(name: string): boolean {
  return /\.m?ts$/i.test(name)
}

/** Tells by the ending alone what nothing but a film has. */
export function isFilmName(name: string): boolean {
  return isVideoName(name) && !isPlaylistName(name) && !isSourceName(name)
}

/** Are the endings of films that can be written, with the name by which ffmpeg knows each kind. */
export const MUXERS: Readonly<Record<string, string>> = {
  '.mp4': 'mp4',
  '.m4v': 'mp4',
  '.mov': 'mov',
  '.mkv': 'matroska',
}

/** Tells by the ending of a name how a film of that name is written; null where none can be. */
export function muxerOrNull(name: string): string | null {
  return MUXERS[/\.[^./\\]+$/.exec(name)?.[0].toLowerCase() ?? ''] ?? null
}
