/**
 * Brings a model from a bucket or a web server into the cache: its checkpoint, in one file or in several, and the files beside it that say how it is read. What is there
 * already is fetched again only where its address has another version.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../../../checkpoint/checkpoint-error.js'
import { CONFIG_FILES } from '../../../encoder/parse-config-files.js'
import type { Advice } from '../../../hub/advice.js'
import { download } from '../../../hub/download.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { HubError } from '../../../hub/hub-error.js'
import { checkpointsAmong } from '../../../hub/name-of-file.js'
import { USUAL_NAMES } from '../../../hub/parse-model-name.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { cacheFolder, type Environment, isOffline } from '../hub/hub-settings.js'
import { shownName } from '../storage/named-place.js'
import { TellingOpener } from './address-opener.js'
import { forgetKept, KeptFile, readNote } from './kept-file.js'
import { type ModelFolder, openModelFolder } from './model-folder.js'

/** Says how a model is fetched from its address. */
export interface ResolveAddressOptions {
  readonly offline?: boolean | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly onWarning: (message: string) => void
  readonly signal?: AbortSignal | undefined
  /** Holds the variables that say where the cache is, and how servers are reached; default: those of the process. */
  readonly env?: Environment
}

const ADVICE: Advice = {
  again: 'Run again',
  notFound: 'Check the address.',
  forbidden: 'Check the rights of the credentials, or the signature of the address.',
  busy: 'Try again later; what has arrived is kept.',
  wrongHash: 'It was changed on the way: run once more.',
}

const LOCK = { waitMs: 6 * 3600_000, staleMs: 20_000 } as const

/**
 * Gives the path of the checkpoint in the cache. Throws `HubError` as downloads do, `offline` where it is not here and the network may not be used; `CheckpointError` `not-found` for an address
 * that leads to no checkpoint; `StorageError`; the signal's reason.
 *
 * @param address begins with s3:, https: or http:; it is that of a file, or of a folder of files with the names that libraries give them
 */
export async function resolveAddress(address: string, options: ResolveAddressOptions): Promise<string> {
  const { env = process.env, offline = isOffline(env), signal } = options
  await using folder = await openModelFolder(address, env)
  const cache = cacheFolder(env)
  const kept = join(cache, 'addresses', placeName(folder.name))
  if (offline) return await keptOrThrow(folder, kept, cache)
  const checkpoint = folder.file ?? (await checkpointOf(folder, signal))
  const fetching = new Fetching(folder, kept, cache, options)
  const path = await fetching.bring(checkpoint)
  for (const part of await partsOf(path)) await fetching.bring(part)
  if (folder.showsOthers) {
    for (const name of CONFIG_FILES) if (fetching.isAnswered) await fetching.bringIfThere(name)
    return path
  }
  options.onWarning(
    `${shownName(address)} has a query, which holds for it alone: files beside it (${CONFIG_FILES.join(', ')}) are not looked for. Say by options what they would.`,
  )
  return path
}

/** Is another folder for each folder of addresses, with a name that people know again. */
function placeName(name: string): string {
  const host = name.replace(/^[a-z0-9+.-]+:\/\//i, '').split('/')[0] ?? ''
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return `${host.replaceAll(/[^a-z0-9.-]/gi, '_')}-${digest}`
}

/** Throws `HubError` `offline`. */
async function keptOrThrow(folder: ModelFolder, kept: string, cache: string): Promise<string> {
  const { address, file } = folder
  const names = file === null ? [...USUAL_NAMES] : [file]
  for (const name of names) {
    const found = await keptFile(folder, name, kept, cache).findStored()
    if (found !== null) return found.kept
  }
  throw new HubError(
    'offline',
    `${shownName(address)} has not been fetched, and the network may not be used (offline, HF_HUB_OFFLINE). Allow it, or give a path.`,
  )
}

function keptFile(folder: ModelFolder, name: string, kept: string, cache: string): KeptFile {
  return new KeptFile(join(kept, name), folder.urlOf(name), `${folder.name}/${name}`, cache, LOCK)
}

async function checkpointOf(folder: ModelFolder, signal: AbortSignal | undefined): Promise<string> {
  const shown = shownName(folder.address)
  const names = await folder.names(signal)
  const [first, ...others] = checkpointsAmong(names.toSorted())
  if (first !== undefined && others.length === 0) return first
  if (first === undefined)
    throw new CheckpointError(
      'not-found',
      `${shown} leads to no checkpoint: expected a file that ends in .safetensors, .pt, .pth or .bin, or a folder with ${USUAL_NAMES.join(', ')}.`,
    )
  throw new CheckpointError(
    'contradiction',
    `${shown} holds ${1 + others.length} checkpoints, and none of them is called ${USUAL_NAMES[0]}. Name one: ${[first, ...others].join(', ')}.`,
  )
}

/** Names the files that an index says the checkpoint lies in. None of them may lead out of its folder. */
async function partsOf(path: string): Promise<readonly string[]> {
  if (!/\.index\.json$/i.test(path)) return []
  const index = parseJsonOrNull(await readFile(path, 'utf8'))
  const map = isRecord(index) && isRecord(index.weight_map) ? index.weight_map : {}
  return [...new Set(Object.values(map))].filter(
    (name): name is string => typeof name === 'string' && /^[^/\\]+$/.test(name) && !/^\.+$/.test(name),
  )
}

class Fetching {
  readonly #folder: ModelFolder
  readonly #kept: string
  readonly #cache: string
  readonly #options: ResolveAddressOptions
  /** Says whether its server has answered so far: one that does not is asked no more. */
  isAnswered = true

  constructor(folder: ModelFolder, kept: string, cache: string, options: ResolveAddressOptions) {
    this.#folder = folder
    this.#kept = kept
    this.#cache = cache
    this.#options = options
  }

  async bring(name: string): Promise<string> {
    const { onProgress, onWarning, signal } = this.#options
    const url = this.#folder.urlOf(name)
    const place = keptFile(this.#folder, name, this.#kept, this.#cache)
    const opener = new TellingOpener(this.#folder.openerOf(name), (why) => {
      this.isAnswered = false
      onWarning(
        `It could not be asked whether ${shownName(this.#folder.address)} has changed (${name}: ${why}). What was fetched before is used.`,
      )
    })
    const { kept } = await download({ url, onProgress, signal }, { place, opener, advice: ADVICE })
    return kept
  }

  /** A file that is not there, or not any more, says nothing; one that cannot be looked for is told. */
  async bringIfThere(name: string): Promise<void> {
    const found = await this.#folder.has(name, this.#options.signal)
    if (found === 'there') await this.bring(name)
    else if (found === 'absent') await forgetKept(join(this.#kept, name))
    else if ((await readNote(join(this.#kept, name))) === null)
      this.#options.onWarning(
        `${name} cannot be looked for beside ${shownName(this.#folder.address)} (${found.why}), and is taken not to be there.`,
      )
  }
}
