/**
 * Remembers the digests of weights from one process to the next, so that a gigabyte is not digested at every start. A note is found by what the system
 * says of each file (device, inode, size, times), not by its name: a file that was changed in any way has none.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sortedJson } from '../../encoder/identity.js'
import type { DigestNote } from '../../encoder/load-digested.js'
import { DIGEST_VERSION } from '../../encoder/weight-digest.js'
import { cacheFolder } from './hub/hub-settings.js'
import type { FileStamp } from './open-file.js'

/** File systems tell times as coarsely as this: what changed just now could change once more and have the same times. */
const COARSEST_MS = 2000

/**
 * @param layout names the layout in which the files hold the weights, which are made of the same bytes in another way in another one
 * @param stampsOf gives what the system says of the files now
 * @param folder default: one in the cache folder
 */
export async function noteOfFiles(
  layout: string,
  stampsOf: () => Promise<readonly FileStamp[]>,
  folder: string = join(cacheFolder(), 'weight-digests'),
): Promise<DigestNote> {
  const before = await stampsOf()
  const isSettled = before.every(({ changedMs }) => Date.now() - changedMs > COARSEST_MS)
  const texts = before.map(({ text }) => text)
  const pathFor = (config: object) => {
    const key = sortedJson([DIGEST_VERSION, layout, config, texts])
    return join(folder, createHash('sha256').update(key).digest('hex'))
  }
  return {
    async read(config) {
      const text = await readFile(pathFor(config), 'utf8').catch(() => '')
      return /^[0-9a-f]{64}$/.test(text) ? text : null
    },
    async write(config, digest) {
      // A digest of files that were changed while they were read is nobody's.
      if (!isSettled || !(await isSame(texts, stampsOf))) return
      await writeNote(folder, pathFor(config), digest)
    },
  }
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
