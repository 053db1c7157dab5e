/**
 * Finds Birder's published weights by name and lists what there is, without reading a file or opening a
 * connection.
 */
import { fnmatch } from './fnmatch.js'
import type { PretrainedEntry } from './pretrained-entry.js'
import { BIRDER_WEIGHTS } from './weights-data.js'

export type { PretrainedEntry, PublishedFile, WeightsFormat } from './pretrained-entry.js'
export { WEIGHTS_RELEASE } from './weights-data.js'

/** Birder keeps the files of entries that name no address of their own here. */
export const BIRDER_WEIGHTS_URL = 'https://f000.backblazeb2.com/file/birder/models'

/**
 * Lists the names of the published weights, as Birder's `list_pretrained_models` orders them: by the part
 * before the first `_`. `filter` is a pattern of Python's fnmatch that the whole name must match
 * (`*dino-v2*`).
 */
export function listPretrainedModels(filter = '*'): readonly string[] {
  return Object.keys(BIRDER_WEIGHTS)
    .filter((name) => fnmatch(name, filter))
    .sort((a, b) => compare(family(a), family(b)))
}

/** Names are matched to the letter, as Birder does. */
export function findPretrainedOrNull(name: string): PretrainedEntry | null {
  // Every object also has names, such as `constructor`, that are nobody's weights.
  if (!Object.hasOwn(BIRDER_WEIGHTS, name)) return null
  return BIRDER_WEIGHTS[name] ?? null
}

function family(name: string): string {
  return name.replace(/_.*/s, '')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
