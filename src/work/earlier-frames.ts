/** Knows which frames of films the work of earlier runs begins with, so that a film need not be decoded from its start again. */
import { filmOfNameOrNull } from './work-input.js'

interface Entry {
  readonly path: string
  readonly frame?: number
}

export class EarlierFrames {
  /** Holds the names of each film's frames by their numbers. */
  readonly #names = new Map<string, string[]>()

  /** @param entries may have the same frame twice; the later one counts */
  constructor(entries: Iterable<Entry>) {
    for (const { path, frame } of entries) {
      const film = filmOfNameOrNull(path)
      if (film === null || frame === undefined) continue
      const names = this.#names.get(film) ?? []
      names[frame] = path
      this.#names.set(film, names)
    }
  }

  /** Names the frames of a film from its first one on, up to one that is not there or is not done. */
  async of(film: string, isDone: (path: string) => boolean | Promise<boolean>): Promise<readonly string[]> {
    const found: string[] = []
    for (const name of this.#names.get(film) ?? []) {
      if (name === undefined || !(await isDone(name))) break
      found.push(name)
    }
    return found
  }
}
