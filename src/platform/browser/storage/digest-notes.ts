/**
 * Remembers the digests of downloaded weights beside their bytes, so that they are digested at the first visit only. A note is found by the SHA-256 of
 * each file, which was found while it was downloaded.
 */
import { sortedJson } from '../../../encoder/identity.js'
import { DIGEST_VERSION, type DigestNote, digestOfText } from '../../../encoder/weight-digest.js'
import { modelFolderOrNull } from './model-folder.js'

const ENDING = '.weights'

/**
 * @param layout names the layout in which the files hold the weights
 * @param hashes are the SHA-256 of each file; null stands for one that is not known, and then nothing is noted
 */
export function noteOfDownloads(layout: string, hashes: readonly (string | null)[]): DigestNote {
  const isKnown = hashes.every((hash) => hash !== null)
  const fileOf = async (config: object, create: boolean) => {
    const folder = isKnown ? await modelFolderOrNull(() => {}) : null
    const key = digestOfText(sortedJson([DIGEST_VERSION, layout, config, hashes]))
    return folder?.getFileHandle(`${key}${ENDING}`, { create })
  }
  return {
    async read(config) {
      try {
        const text = await (await (await fileOf(config, false))?.getFile())?.text()
        return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : null
      } catch {
        // Nothing is noted yet, or it cannot be read: the weights are digested.
        return null
      }
    },
    async write(config, digest) {
      try {
        const file = await (await fileOf(config, true))?.createSyncAccessHandle()
        if (file === undefined) return
        file.truncate(0)
        file.write(new TextEncoder().encode(digest), { at: 0 })
        file.close()
      } catch {
        // A note that cannot be written costs time at the next visit and nothing else.
      }
    },
  }
}
