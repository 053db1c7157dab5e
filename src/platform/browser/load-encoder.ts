/**
 * Holds the one call that most pages need: it takes a model's name, address or file and gives an encoder, which works in a worker while the page
 * stays free.
 */
import { given } from '../../encoder/choose-recipe.js'
import type { FeatureData, StoppedData, TiledData, WantedFeatures } from '../../encoder/features.js'
import { checkLoadOptions, type LoadOptions } from '../../encoder/load-options.js'
import { type EncoderStages, StagedEncoder } from '../../encoder/staged-encoder.js'
import type { Encoder, EncoderDescription, TileChoice } from '../../encoder/types.js'
import { disposed } from '../../engine/engine-error.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { isModelName } from '../../hub/is-model-name.js'
import { repositoryOrNull } from '../../hub/repository-name.js'
import { isOfTorchHub } from '../../hub/torch-hub.js'
import { BROWSER } from './engine-choices.js'
import { type AskOptions, HostClient } from './host/host-client.js'
import type {
  HostAnswer,
  HostLoadOptions,
  HostRequest,
  LoadedEncoder,
  ModelAddress,
  RemoteItem,
  SentImage,
} from './host/protocol.js'
import { type ImageSource, type ReadSourceOptions, readSource } from './image-source.js'

/**
 * A model is given by a name (`small`, which lies beside the package's code, or one of Birder's published weights), an address, a file, or all files
 * where it consists of several.
 */
export type ModelSource = string | URL | Blob | readonly File[]

/**
 * Downloads what is not here yet (into the origin's private file system, resumed where an earlier visit stopped), packs the weights and makes an
 * encoder of them. `await using encoder = await loadEncoder(…)` gives threads, GPU and memory back and waits for it, `using` only starts to; what is
 * under way then fails with `disposed`.
 *
 * @throws `HubError` where the weights cannot be had, `CheckpointError` where the file cannot be used, `EngineError` where nothing can run it
 *   (`HubErrorCode`, `CheckpointErrorCode` and `EngineErrorCode` say of each code what to do); RangeError for options that make no sense or that a
 *   browser lacks; TypeError for what is no model; the signal's reason
 */
export async function loadEncoder(
  model: ModelSource = DEFAULT_MODEL.name,
  options: LoadOptions = {},
): Promise<Encoder<ImageSource>> {
  const address = addressOf(model)
  checkLoadOptions(options, BROWSER)
  checkSha256(options.sha256, address)
  const { signal, onProgress, onWarning = (message) => console.warn(message) } = options
  const client = HostClient.take()
  try {
    const loaded = await client.ask<LoadedEncoder>(
      { kind: 'load', model: address, options: plainOptions(options) },
      { signal, onProgress, onWarning },
    )
    const { maxFileBytes, fetchTimeoutMs } = options
    return new StagedEncoder(new RemoteStages(client, loaded, { maxFileBytes, fetchTimeoutMs }))
  } catch (error) {
    client.release()
    throw error
  }
}

/** A text is a name unless it has a separator or an ending; `owner/name` is a repository of Hugging Face. */
function addressOf(model: ModelSource): ModelAddress {
  if (model instanceof URL) return { kind: 'url', url: fetchable(model).href }
  if (model instanceof Blob) return { kind: 'files', files: [model] }
  if (Array.isArray(model) && model.every((file) => file instanceof Blob))
    return { kind: 'files', files: model }
  if (typeof model !== 'string' || model === '') {
    throw new TypeError(
      `A model is named by a text (${DEFAULT_MODEL.name}, a name of published weights, or an address), a URL, a File or several, got ${String(model)}. ` +
        'Options come second.',
    )
  }
  if (isModelName(model) || isOfTorchHub(model) || repositoryOrNull(model) !== null)
    return { kind: 'name', name: model }
  return { kind: 'url', url: hrefOf(model) }
}

/** Takes an address as the page does. */
function hrefOf(address: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location.href
  if (URL.canParse(address, base)) return fetchable(new URL(address, base)).href
  throw new TypeError(`${JSON.stringify(address)} is no address that a model could be fetched from.`)
}

function fetchable(url: URL): URL {
  if (['http:', 'https:', 'blob:', 'data:'].includes(url.protocol)) return url
  throw new TypeError(
    `A page fetches models over https, http, blob or data, not over ${url.protocol.slice(0, -1)} (${url.href}). A file on disk is given as a File, chosen or dropped.`,
  )
}

function checkSha256(sha256: string | undefined, { kind }: ModelAddress): void {
  if (sha256 === undefined) return
  if (kind !== 'url') {
    throw new TypeError(
      'A sha256 belongs to the file of an address; published weights are checked by their own.',
    )
  }
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new TypeError(`The sha256 of a file has 64 hexadecimal digits, got ${JSON.stringify(sha256)}.`)
  }
}

/** Leaves out what cannot be sent, and writes out the address of a head, since the worker has another base. */
function plainOptions({ onProgress, onWarning, signal, head, ...plain }: LoadOptions): HostLoadOptions {
  return head === undefined ? plain : { ...plain, head: hrefOf(head) }
}

/** Asks the worker for each stage; prepared pixels stay there. */
class RemoteStages implements EncoderStages<ImageSource, RemoteItem> {
  readonly description: EncoderDescription
  readonly #encoder: number
  readonly #reading: ReadSourceOptions
  #client: HostClient | null

  constructor(client: HostClient, { encoder, description }: LoadedEncoder, reading: ReadSourceOptions) {
    this.description = description
    this.#encoder = encoder
    this.#reading = reading
    this.#client = client
  }

  async prepare(
    source: ImageSource,
    signal?: AbortSignal,
    onRead?: () => unknown,
    tiles?: TileChoice,
  ): Promise<RemoteItem> {
    const [sent, transfer] = ownCopy(await readSource(source, { ...this.#reading, signal }))
    await onRead?.()
    const encoder = this.#encoder
    return await this.#ask({ kind: 'prepare', encoder, source: sent, tiles }, { signal, transfer })
  }

  compute(
    batch: readonly RemoteItem[],
    choice: WantedFeatures,
    signal?: AbortSignal,
  ): Promise<readonly (FeatureData | StoppedData | TiledData)[]> {
    const items = batch.map(({ item }) => item)
    return this.#ask({ kind: 'compute', encoder: this.#encoder, items, choice }, { signal })
  }

  discard({ item }: RemoteItem): void {
    this.#client?.tell({ kind: 'discard', item })
  }

  async #ask<Answer extends HostAnswer>(request: HostRequest, options: AskOptions): Promise<Answer> {
    if (this.#client !== null) return await this.#client.ask<Answer>(request, options)
    throw disposed('encoder')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client
    this.#client = null
    // Where the worker has ended, everything has been given back.
    await client?.ask({ kind: 'dispose', encoder: this.#encoder }).catch(() => {})
    client?.release()
  }
}

/** Copies what changes hands: a view would take the whole of its buffer along, and the caller keeps what is theirs. */
function ownCopy(source: SentImage): [SentImage, Transferable[]] {
  if (source instanceof Uint8Array) {
    const bytes = source.slice()
    return [bytes, [bytes.buffer]]
  }
  if (source instanceof Blob) return [source, []]
  if (source instanceof ImageBitmap) return [source, [source]]
  // What ImageData says of itself is no field of its own, and would be lost with the rest of it.
  const { height, width, channels, format, orientation, upright, transparentColour } = source
  const data = source.data.slice()
  const about = given({ channels, format, orientation, upright, transparentColour })
  return [{ height, width, data, ...about }, [data.buffer]]
}
