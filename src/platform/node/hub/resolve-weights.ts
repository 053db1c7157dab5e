/** Finds the file of weights by their name, or downloads it. The rest of the house asks in this way alone. */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { findPretrained, publishedFile } from '../../../hub/find-pretrained.js'
import { HubError } from '../../../hub/hub-error.js'
import { type PretrainedEntry, WEIGHTS_RELEASE, type WeightsFormat } from '../../../hub/weights.js'
import { birderModels } from './birder-models.js'
import { DOWNLOAD_OPTIONS, type DownloadOptions, downloadFile } from './download-file.js'
import { errorCode, fileTrouble } from './file-trouble.js'
import { applyEndpoint, cacheFolder, isOffline } from './hub-settings.js'
import { rememberedHash } from './verified-files.js'

/** Says which file of published weights is wanted, and how it is fetched. */
export interface ResolveOptions extends Omit<DownloadOptions, 'sha256' | 'size' | 'atMost'> {
  /** Names the format; default `pt`, which all weights are published in. */
  readonly format?: WeightsFormat | undefined
  /**
   * This file is used and no other place looked at: it is downloaded when it is not there, never replaced
   * when it is. Default: the places are looked at.
   */
  readonly destination?: string | undefined
  /** Says what is known of the weights; default: what the published list says. */
  readonly entry?: PretrainedEntry | undefined
  /** Birder's folder for weights is looked for from here, as `MODELS_DIR`, `birder.toml` or the name `models` say; default: from the process's own. */
  readonly workingFolder?: string | undefined
}

const { sha256: _sha256, size: _size, atMost: _atMost, ...FETCH_OPTIONS } = DOWNLOAD_OPTIONS
const RESOLVE_OPTIONS = {
  ...FETCH_OPTIONS,
  format: true,
  destination: true,
  entry: true,
  workingFolder: true,
} satisfies OptionNames<ResolveOptions>

/** Is the file of published weights. */
export interface ResolvedWeights {
  /** The path is absolute, and the file's sha256 the published one. */
  readonly path: string
  /** Is the name that they were asked for by. */
  readonly name: string
  /** Holds what is known of them. */
  readonly entry: PretrainedEntry
  /** It is false when the file was here already. */
  readonly downloaded: boolean
}

/**
 * Finds the file of published weights: in Birder's own place (`MODELS_DIR`, what `birder.toml` says, or `models/` of the working folder), then in the
 * cache folder, and else downloads it into the cache. A file is hashed the first time it is met. One of the
 * user's own with another hash is an error and left alone; one in the cache is downloaded again. Throws
 * `HubError` (`HubErrorCode` says of each code what to do); RangeError for an unknown option; the signal's reason.
 */
export async function resolveWeights(name: string, options: ResolveOptions = {}): Promise<ResolvedWeights> {
  checkOptionNames(options, RESOLVE_OPTIONS)
  const { format = 'pt', destination, entry: known, workingFolder, ...fetching } = options
  const env = options.env ?? process.env
  const entry = known ?? findPretrained(name)
  const published = publishedFile(name, entry, format)
  const cache = cacheFolder(env)
  const own = destination
    ? resolve(destination)
    : join(birderModels(env, workingFolder ?? process.cwd()), published.fileName)
  const target = destination ? own : join(cache, 'models', published.fileName)
  const hashOf = (path: string, known?: string | null) =>
    rememberedHash(path, cache, {
      signal: options.signal,
      known: known ?? null,
      onBytes: (received, total) =>
        options.onProgress?.({ kind: 'verify', received, total, url: published.url }),
    })

  options.signal?.throwIfAborted()
  if (await isFile(own)) {
    const found = await hashOf(own)
    if (found !== published.sha256)
      throw wrongHash(own, name, found, published.sha256, 'Move it away, and it will be downloaded')
    return { path: own, name, entry, downloaded: false }
  }
  const cached = own !== target && (await isFile(target)) ? await hashOf(target) : null
  if (cached === published.sha256) return { path: target, name, entry, downloaded: false }

  if (options.offline || isOffline(env)) {
    if (cached !== null)
      throw wrongHash(
        target,
        name,
        cached,
        published.sha256,
        'Allow the network, and it will be downloaded again',
      )
    throw offline(name, [...new Set([own, target])], applyEndpoint(published.url, env))
  }
  const file = await downloadFile(published.url, target, {
    ...fetching,
    env,
    sha256: published.sha256,
    atMost: published.atMost,
  })
  await hashOf(file.path, file.sha256)
  return { path: file.path, name, entry, downloaded: file.downloaded }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false
    throw fileTrouble(error, path)
  }
}

function wrongHash(path: string, name: string, found: string, expected: string, next: string): HubError {
  return new HubError(
    'wrong-hash',
    `${path} has sha256 ${found}, expected ${expected} for ${name} of Birder ${WEIGHTS_RELEASE}. Birder has published ` +
      `some files again under the same name, so it may be of another release, or damaged. ${next}; to use it as it is, ` +
      'give its path in place of the name.',
  )
}

function offline(name: string, places: readonly string[], url: string): HubError {
  return new HubError(
    'offline',
    `${name} is neither at ${places.join(' nor at ')}, and the network may not be used (offline, HF_HUB_OFFLINE). ` +
      `Fetch ${url} on another machine and put it there, or allow the network.`,
  )
}
