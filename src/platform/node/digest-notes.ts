/**
 * Remembers the digests of weights from one process to the next, so that a gigabyte is not digested at every start. A note is found by what the system
 * says of each file (device, inode, size, times), not by its name: a file that was changed in any way has none.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sortedJson } from '../../encoder/identity.js'
import { DIGEST_VERSION, type DigestNote, digestOfText } from '../../encoder/weight-digest.js'
import type { VitConfig } from '../../model/vit-config.js'
import { cacheFolder } from './hub/hub-settings.js'
import type { FileStamp } from './open-file.js'

/** File systems tell times as coarsely as this: what changed just now could change once more and have the same times. */
const COARSEST_MS = 2000

/** Knows where the note of some files lies. Whoever has opened them reads it. */
export interface FileNotes extends Pick<DigestNote, 'write'> {
  pathFor(config: VitConfig): string
}

/**
 * @param layout names the layout in which the files hold the weights, which are made of the same bytes in another way in another one
 * @param stampsOf gives what the system says of the files now
 * @param folder default: one in the cache folder
 */
export async function notesOfFiles(
  layout: string,
  stampsOf: () => Promise<readonly FileStamp[]>,
  folder: string = join(cacheFolder(), 'weight-digests'),
): Promise<FileNotes> {
  const before = await stampsOf()
  const isSettled = before.every(({ changedMs }) => Date.now() - changedMs > COARSEST_MS)
  const texts = before.map(({ text }) => text)
  const pathFor = (config: VitConfig) =>
    join(folder, digestOfText(sortedJson([DIGEST_VERSION, layout, config, texts])))
  return {
    pathFor,
    async write(config, digest) {
      // A digest of files that were changed while they were read is nobody's.
      if (isSettled && (await isSame(texts, stampsOf))) await writeNote(folder, pathFor(config), digest)
    },
  }
}

/** Gives null where there is no note, or half of one. */
export function digestInNote(text: string | undefined): string | null {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : null
}

async function isSame(
  texts: readonly string[],
  stampsOf: () => Promise<readonly FileStamp[]>,
): Promise<boolean> {
  const now = await stampsOf().catch(() => [])
  return now.length === texts.length && now.every(({ text }, index) => text === texts[index])
}

/** A cache that cannot be written costs time at the next start and nothing else. */
async function writeNote(folder: string, path: string, digest: string): Promise<void> {
  const fresh = `${path}.${process.pid}`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(fresh, digest)
    await rename(fresh, path)
  } catch {
    await rm(fresh, { force: true }).catch(() => {})
  }
}
