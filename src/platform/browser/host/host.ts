/** Runs in the worker that a page's encoders live in: loading, decoding, resizing and handing to the engine happen here, off the page's thread. */
import { given } from '../../../encoder/choose-recipe.js'
import type { FeatureData, StoppedData, TiledData, WantedFeatures } from '../../../encoder/features.js'
import { type ImageItem, VitStages } from '../../../encoder/vit-stages.js'
import { disposed } from '../../../engine/engine-error.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { type ChosenEngine, chooseEngine } from '../choose-engine.js'
import { decodeSent } from '../decode-image.js'
import { Shared } from '../shared.js'
import { lazyWasmDigest } from '../wasm/wasm-digest.js'
import { openModel } from './open-model.js'
import { plainError } from './plain-error.js'
import type {
  FromHost,
  HostAnswer,
  HostLoadOptions,
  HostRequest,
  ModelAddress,
  SentImage,
  ToHost,
} from './protocol.js'

class Host {
  readonly #send: (message: FromHost, transfer: Transferable[]) => void
  /** Encoders with the same settings share one engine, its threads and its memory. */
  readonly #engines = new Shared<ChosenEngine>()
  readonly #digestWords = lazyWasmDigest()
  readonly #encoders = new Map<number, VitStages<SentImage>>()
  /** Each prepared image waits here with the number of its encoder. */
  readonly #items = new Map<number, { readonly encoder: number; readonly prepared: ImageItem }>()
  readonly #underWay = new Map<number, AbortController>()
  #next = 0

  constructor(send: (message: FromHost, transfer: Transferable[]) => void) {
    this.#send = send
  }

  async receive(message: ToHost): Promise<void> {
    const { id } = message
    if ('cancel' in message) {
      this.#underWay.get(id)?.abort()
      return
    }
    const abort = new AbortController()
    this.#underWay.set(id, abort)
    try {
      const answer = await this.#handle(message.request, id, abort.signal)
      this.#send({ id, answer }, buffersOf(answer))
    } catch (error) {
      this.#send({ id, failure: plainError(error) }, [])
    } finally {
      this.#underWay.delete(id)
    }
  }

  async #handle(request: HostRequest, id: number, signal: AbortSignal): Promise<HostAnswer> {
    switch (request.kind) {
      case 'load':
        return await this.#load(request.model, request.options, id, signal)
      case 'prepare': {
        const { encoder, source, tiles } = request
        const prepared = await this.#stages(encoder).prepare(source, signal, undefined, tiles)
        // Nobody takes what was given up meanwhile.
        signal.throwIfAborted()
        this.#stages(encoder)
        const item = this.#next++
        this.#items.set(item, { encoder, prepared })
        const { shape, byteLength, batchSize } = prepared
        return { item, shape, byteLength, batchSize }
      }
      case 'compute':
        return await this.#compute(request.encoder, request.items, request.choice, signal)
      case 'discard':
        this.#items.delete(request.item)
        return null
      case 'dispose': {
        const stages = this.#encoders.get(request.encoder)
        this.#encoders.delete(request.encoder)
        for (const [item, { encoder }] of this.#items)
          if (encoder === request.encoder) this.#items.delete(item)
        await stages?.[Symbol.asyncDispose]()
        return null
      }
    }
  }

  async #load(
    model: ModelAddress,
    options: HostLoadOptions,
    id: number,
    signal: AbortSignal,
  ): Promise<HostAnswer> {
    const onWarning = (warning: string) => this.#send({ id, warning }, [])
    const onProgress = (progress: DownloadProgress) => this.#send({ id, progress }, [])
    const { engine, precision, threads } = options
    const settings = given({ engine, precision, threads })
    const { value, release } = await this.#engines.take(JSON.stringify(settings), () =>
      chooseEngine(settings, onWarning),
    )
    const owned = { [Symbol.asyncDispose]: release }
    const parts = { engine: value, decode: decodeSent, digestWords: this.#digestWords, owned }
    const open = async () => {
      const opened = await openModel(model, options, { signal, onWarning, onProgress })
      for (const assumption of opened.vit.assumptions) onWarning(assumption)
      return opened
    }
    const stages = await VitStages.load({ ...parts, model: open() }, { ...options, signal })
    const encoder = this.#next++
    this.#encoders.set(encoder, stages)
    return { encoder, description: stages.description }
  }

  async #compute(
    encoder: number,
    items: readonly number[],
    choice: WantedFeatures,
    signal: AbortSignal,
  ): Promise<readonly (FeatureData | StoppedData | TiledData)[]> {
    const stages = this.#stages(encoder)
    const batch = items.map((item) => {
      const prepared = this.#items.get(item)?.prepared
      this.#items.delete(item)
      if (prepared === undefined) throw new Error('an image was computed twice')
      return prepared
    })
    return await stages.compute(batch, choice, signal)
  }

  #stages(encoder: number): VitStages<SentImage> {
    const stages = this.#encoders.get(encoder)
    if (stages !== undefined) return stages
    throw disposed('encoder')
  }
}

/** Lists the buffers that only the answer holds, each once: they change hands. */
function buffersOf(answer: HostAnswer): ArrayBuffer[] {
  if (!Array.isArray(answer)) return []
  const arrays = (
    answer as readonly (Partial<Omit<FeatureData, 'patches' | 'preNorm'> & TiledData> & StoppedData)[]
  ).flatMap((features) => [
    features.embedding,
    features.patches,
    features.registers,
    ...features.layers.values(),
    features.preNorm,
    features.logits,
    ...(features.attention ?? []).flatMap(({ toPatches, toClass, toRegisters }) => [
      toPatches,
      toClass,
      toRegisters,
    ]),
    ...(features.facets ?? []).flatMap(({ patches, classToken, registers }) => [
      patches,
      classToken,
      registers,
    ]),
  ])
  const present = arrays.filter((array) => array !== undefined)
  return [...new Set(present.map(({ buffer }) => buffer as ArrayBuffer))]
}

const scope = self as unknown as DedicatedWorkerGlobalScope
const host = new Host((message, transfer) => scope.postMessage(message, transfer))
scope.onmessage = ({ data }: MessageEvent<ToHost>) => void host.receive(data)
