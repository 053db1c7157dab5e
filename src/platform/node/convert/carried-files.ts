/** Finds what lies beside a published model for people to read: its card, and its licence. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TextFile } from '../../../convert/plan-conversion.js'
import { USUAL_NAMES } from '../../../hub/parse-model-name.js'

const TO_READ = /^(README|LICEN[CS]E|NOTICE|MODEL_CARD)(\.(md|txt))?$/i

/** Gives nothing for a file whose name is not that of a repository's, since what lies beside it may be about anything. */
export async function carriedFiles(checkpoint: string): Promise<readonly TextFile[]> {
  if (!USUAL_NAMES.some((name) => name === basename(checkpoint))) return []
  const folder = dirname(checkpoint)
  const names = (await readdir(folder)).filter((name) => TO_READ.test(name)).sort()
  return await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
  )
}
