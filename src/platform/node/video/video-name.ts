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
