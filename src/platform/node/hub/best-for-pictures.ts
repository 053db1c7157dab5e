/** Finds the model on this machine whose patches show most; nothing is fetched. */
import { rankedForPictures } from '../../../hub/picture-models.js'
import { findModel } from '../find-model.js'
import { listCache } from './cache-contents.js'

/** Gives a name or path that loads without the network; null where only the package's own model is here. */
export async function bestForPicturesOrNull(signal: AbortSignal): Promise<string | null> {
  const cached = await listCache()
  const pathOf = new Map(cached.map(({ name, kind, path }) => [name, kind === 'file' ? path : name]))
  for (const name of rankedForPictures([...pathOf.keys()])) {
    const model = pathOf.get(name) ?? name
    if (await isWhole(model, signal)) return model
  }
  return null
}

/** Of a repository there may be a config without weights, which Python's libraries leave behind. */
async function isWhole(model: string, signal: AbortSignal): Promise<boolean> {
  try {
    await findModel(model, { offline: true, signal, onWarning: () => {} })
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}
