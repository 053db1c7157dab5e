/** Finds published weights by name, or throws an error that says what there is. */
import { HubError } from './hub-error.js'
import { suggestModels } from './suggest-models.js'
import {
  BIRDER_WEIGHTS_URL,
  findPretrainedOrNull,
  listPretrainedModels,
  type PretrainedEntry,
  type PublishedFile,
  type WeightsFormat,
} from './weights.js'

/** Throws `unknown-model` with the nearest names. */
export function findPretrained(name: string): PretrainedEntry {
  const entry = findPretrainedOrNull(name)
  if (entry) return entry
  const near = suggestModels(name, listPretrainedModels()).join(', ')
  throw new HubError(
    'unknown-model',
    `No published weights are named "${name}". The nearest names are ${near}; listPretrainedModels() gives all. ` +
      'For a file of your own, give its path.',
  )
}

/** Describes one file of published weights, and where it lies. */
export interface PublishedAddress extends PublishedFile {
  readonly url: string
  readonly fileName: string
  /** The file is hardly longer than this, in bytes: the limit stops a server that never ends. */
  readonly atMost: number
}

/** Finds what is published in this format, and where. Throws `no-address` when nothing is. */
export function publishedFile(name: string, entry: PretrainedEntry, format: WeightsFormat): PublishedAddress {
  const file = entry.formats[format]
  if (!file) {
    const formats = Object.keys(entry.formats).join(', ') || 'no format'
    throw new HubError(
      'no-address',
      `${name} is published as ${formats}, not as ${format}: no address is known. Ask for another format.`,
    )
  }
  // This is Birder's own rule. An epoch, where there is one, is already the end of the weights' name.
  const fileName = `${name}.${format}`
  const url = `${(entry.url ?? BIRDER_WEIGHTS_URL).replace(/\/+$/, '')}/${fileName}`
  // The list gives MiB to one decimal.
  return { ...file, fileName, url, atMost: Math.ceil((file.file_size * 1.01 + 1) * 2 ** 20) }
}
