/** Finds what lies beside a published model for people to read: its card, and its licence. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TextFile } from '../../../convert/plan-conversion.js'
import { USUAL_NAMES } from '../../../hub/parse-model-name.js'

const TO_READ = /^(README|LICEN[CS]E|NOTICE|MODEL_CARD)(\.(md|txt))?$/i

/** Gives nothing for a file whose name is not that of a repository's, since what lies beside it may be about anything. */
export async function carriedFiles(checkpoint: string): Promise<readonly TextFile[]> {
  if (!USUAL_NAMES.some((name) => name === basename(checkpoint))) return []
  const folder = dirname(checkpoint)
  const carried: TextFile[] = []
  for (const name of (await readdir(folder)).filter((one) => TO_READ.test(one)).sort()) {
    const path = join(folder, name)
    // A repository may have a folder of that name, and a cache has links, of which one may lead nowhere.
    const found = await stat(path).catch(() => null)
    if (found?.isFile()) carried.push({ name, text: await readFile(path, 'utf8') })
  }
  return carried
}
