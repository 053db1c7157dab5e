/** What runs inside the page: each function is called by name from a test, with plain values going in and coming out. */
import * as library from 'plumage/browser'
import { CheckpointError } from '../../../src/checkpoint/checkpoint-error.js'
import type { Engine } from '../../../src/engine/engine.js'
import { elementCount } from '../../../src/tensor/shape.js'
import type { Comparison, GoldenCase, OpenSource } from '../../../src/verify/case.js'
import { runVitCase } from '../../../src/verify/vit-case.js'
import { type Case, casesFor } from '../../conformance/cases.js'
import { planOf, pseudoRandom, relativeError, weights } from '../../conformance/one-step.js'

const { createReferenceEngine, createWasmEngine, createWebgpuEngine, decodeImage, loadEncoder } = library
const BATCH = 2

async function runOn(engine: Engine, { make }: Case): Promise<Float32Array> {
  const { plan, output } = make()
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(BATCH * elementCount(plan.slots.get('x') ?? []), 7)
  return (await program.run(pixels, { batch: BATCH })).get(output) ?? new Float32Array()
}

export interface Outcome {
  readonly engine: string
  readonly cases: number
  /** Those that are not within their tolerance, a line each. */
  readonly failures: readonly string[]
}

/** The conformance cases on a browser's engine, against the reference engine on the same page. */
async function conformance(options: library.WasmOptions | 'webgpu'): Promise<Outcome> {
  using engine = options === 'webgpu' ? await createWebgpuEngine() : await createWasmEngine(options)
  const reference = createReferenceEngine()
  const failures: string[] = []
  const cases = casesFor(engine.name)
  for (const row of cases) {
    const error = relativeError(await runOn(engine, row), await runOn(reference, row))
    if (!(error <= row.tolerance)) failures.push(`${row.name}: ${error} > ${row.tolerance}`)
  }
  return { engine: engine.description, cases: cases.length, failures }
}

/** Golden cases of a folder of the site, on a browser's engine: how many comparisons were made, and those that failed. */
async function goldens(wanted: {
  readonly folder: string
  readonly cases: readonly GoldenCase[]
  readonly engine: library.WasmOptions | 'webgpu'
}): Promise<{ engine: string; count: number; failures: Comparison[] }> {
  using engine =
    wanted.engine === 'webgpu' ? await createWebgpuEngine() : await createWasmEngine(wanted.engine)
  const open = (path: string) => fetched(`${wanted.folder}/${path}`)
  const failures: Comparison[] = []
  let count = 0
  for (const golden of wanted.cases) {
    for await (const comparison of runVitCase(golden, { engine, open })) {
      count++
      if (!comparison.passed) failures.push(comparison)
    }
  }
  return { engine: engine.description, count, failures }
}

async function fetched(url: string): Promise<OpenSource> {
  const answer = await fetch(url)
  if (!answer.ok) throw new CheckpointError('not-found', `${url}: ${answer.status}`)
  const bytes = new Uint8Array(await answer.arrayBuffer())
  return {
    label: url,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The code of the error that an engine with these options is refused with, or how it was made. */
async function refusal(options: library.WasmOptions): Promise<string> {
  try {
    using engine = await createWasmEngine(options)
    return engine.description
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

interface LossReport {
  /** The code of the error that the run during the loss had; null where it was done before. */
  readonly during: string | null
  /** Devices asked for in all. */
  readonly devices: number
  /** Whether the run after the loss gave the same bits as the one before. */
  readonly same: boolean
}

/** Computes on a GPU that goes away in between. */
async function lostDevice(): Promise<LossReport> {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<{ requestDevice: unknown }> } }
  const devices: { destroy(): void; lost: Promise<unknown> }[] = []
  const adapter = Object.getPrototypeOf(await gpu.requestAdapter())
  const requestDevice = adapter.requestDevice
  adapter.requestDevice = async function (...given: unknown[]) {
    const device = await requestDevice.apply(this, given)
    devices.push(device)
    return device
  }
  try {
    using engine = await createWebgpuEngine()
    const { plan, output } = planOf(
      [400, 256],
      [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null }],
      { y: [400, 256] },
      { w: [256, 256] },
    )
    using model = await engine.load(plan, weights)
    using program = model.compile(plan, [output])
    const pixels = pseudoRandom(400 * 256, 1)
    const before = (await program.run(pixels)).get(output)
    const running = program.run(pixels).then(
      () => null,
      (error) => error.code,
    )
    devices[0].destroy()
    await devices[0].lost
    const during = await running
    const after = (await program.run(pixels)).get(output)
    const same = before?.every((value, i) => value === after?.[i]) ?? false
    return { during, devices: devices.length, same }
  } finally {
    adapter.requestDevice = requestDevice
  }
}

/** What asking for a GPU gives, and what `auto` takes. */
async function chosenEngine(settings: library.EngineOptions): Promise<string> {
  try {
    using encoder = await loadEncoder('mini', settings)
    return `${encoder.identity.engine}, ${encoder.identity.precision}`
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** Runs something, and tells the longest time that the page could not do anything else meanwhile, milliseconds. */
async function watched<T>(action: () => Promise<T>): Promise<{ value: T; longest: number; whole: number }> {
  let longest = 0
  const started = performance.now()
  let last = started
  const look = () => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  const channel = new MessageChannel()
  channel.port1.onmessage = () => {
    look()
    channel.port2.postMessage(null)
  }
  channel.port2.postMessage(null)
  const value = await action()
  look()
  channel.port1.close()
  return { value, longest, whole: performance.now() - started }
}

/** The longest task of the page while a network-sized program ran on one thread. */
async function engineTask(): Promise<{ longest: number; whole: number }> {
  using engine = await createWasmEngine({ threads: 1 })
  const count = 40
  const { plan, output } = planOf(
    [400, 512],
    Array.from({ length: count }, (_, i) => ({
      op: 'linear' as const,
      input: i === 0 ? 'x' : `y${i - 1}`,
      output: `y${i}`,
      weight: `w${i % 4}`,
      bias: null,
    })),
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`y${i}`, [400, 512]])),
    Object.fromEntries([0, 1, 2, 3].map((i) => [`w${i}`, [512, 512]])),
  )
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(400 * 512, 1)
  const { longest, whole } = await watched(() => program.run(pixels))
  return { longest, whole }
}

/** What is refused where memory ends: weights that no memory holds, unread, and a run whose activations do not fit; then a run that does. */
async function outOfMemory(): Promise<{ load: string; read: boolean; run: string; after: boolean }> {
  using engine = await createWasmEngine()
  const codeOf = (error: { code?: string }) => error.code ?? String(error)
  const linear = { op: 'linear', input: 'x', output: 'y', weight: 'w', bias: null } as const
  const huge = planOf([1, 40_000], [linear], { y: [1, 40_000] }, { w: [40_000, 40_000] })
  let read = false
  const unread = {
    read: async () => {
      read = true
      return new Float32Array()
    },
  }
  const load = await engine.load(huge.plan, unread).then(() => 'loaded', codeOf)
  // 64 numbers become a million.
  const wide = planOf([1, 64], [linear], { y: [1, 1_000_000] }, { w: [1_000_000, 64] })
  using model = await engine.load(wide.plan, weights)
  using program = model.compile(wide.plan, [wide.output])
  const run = await program.run(new Float32Array(64 * 1000), { batch: 1000 }).then(() => 'run', codeOf)
  const values = (await program.run(pseudoRandom(64, 1))).get(wide.output)
  return { load, read, run, after: values?.some((value) => value !== 0) ?? false }
}

async function blobOf(url: string): Promise<File> {
  const answer = await fetch(url)
  return new File([await answer.blob()], url.split('/').pop() ?? 'photo')
}

/** Every photo's embedding, by `encodeAll`, with the longest task of the page. */
async function embeddings(options: {
  readonly model?: string
  readonly photos: readonly string[]
  readonly load?: library.LoadOptions
}): Promise<{ embeddings: number[][]; identity: library.Identity; longest: number; box: library.Box }> {
  const photos = await Promise.all(options.photos.map(blobOf))
  using encoder = await loadEncoder(options.model ?? 'mini', options.load)
  const { value, longest } = await watched(async () => {
    const found: library.Features[] = []
    for await (const { features, error } of encoder.encodeAll(photos)) {
      if (features === undefined) throw error
      found.push(features)
    }
    return found
  })
  return {
    embeddings: value.map(({ embedding }) => [...embedding]),
    identity: encoder.identity,
    longest,
    box: value[0].patchBox(0, 1),
  }
}

async function bytesOf(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer())
}

/** The code of the error that a file is refused with. */
async function decodeError(url: string): Promise<string | null> {
  try {
    await decodeImage(await bytesOf(url))
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** A decoded image, its pixels in base64. */
async function pixelsOf(
  url: string,
): Promise<Omit<library.DecodedImage, 'data'> & { readonly data: string }> {
  const { data, ...found } = await decodeImage(await bytesOf(url))
  let text = ''
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
  return { ...found, data: btoa(text) }
}

interface LoadReport {
  readonly error: { readonly name: string; readonly code?: string; readonly message: string } | null
  readonly progress: readonly library.DownloadProgress[]
  readonly embedding: readonly number[] | null
}

/** Loads a model from an address and encodes a plain picture; never throws. `stopAt`: gives up when so many bytes are here. */
async function load(options: {
  url: string
  load?: library.LoadOptions
  stopAt?: number
}): Promise<LoadReport> {
  const progress: library.DownloadProgress[] = []
  const abort = new AbortController()
  try {
    using encoder = await loadEncoder(options.url, {
      ...options.load,
      signal: abort.signal,
      onProgress: (report) => {
        progress.push(report)
        if (report.kind === 'bytes' && report.received >= (options.stopAt ?? Number.POSITIVE_INFINITY))
          abort.abort()
      },
    })
    const side = 112
    const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7) % 256)
    const { embedding } = await encoder.encode({ height: side, width: side, data })
    return { error: null, progress, embedding: [...embedding] }
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string }
    return { error: { name, message, ...(code === undefined ? {} : { code }) }, progress, embedding: null }
  }
}

/** Two encoders of different precision at once on the same threads, one of them disposed of while the other goes on; then both gone, and a new one. */
async function several(photo: string): Promise<{ same: boolean; after: string; again: boolean }> {
  const file = await blobOf(photo)
  const first = await loadEncoder('mini', { threads: 1 })
  const second = await loadEncoder('mini', { threads: 1, size: 56, precision: 'int8' })
  const [a, b] = await Promise.all([first.encode(file), second.encode(file)])
  second[Symbol.dispose]()
  const after = await second.encode(file).catch((error) => error.code)
  const c = await first.encode(file)
  first[Symbol.dispose]()
  using third = await loadEncoder('mini', { threads: 1 })
  const d = await third.encode(file)
  const equal = (x: Float32Array, y: Float32Array) => x.every((value, i) => value === y[i])
  return {
    same: equal(a.embedding, c.embedding) && b.grid.rows === 4,
    after,
    again: equal(a.embedding, d.embedding),
  }
}

/** A run that is given up midway, and one after it. */
async function aborted(photo: string): Promise<{ reason: string; goesOn: boolean }> {
  const file = await blobOf(photo)
  using encoder = await loadEncoder('mini')
  const abort = new AbortController()
  const first = encoder.encode(file, { signal: abort.signal }).catch((error) => String(error))
  abort.abort(new Error('enough'))
  const reason = await first
  return { reason: String(reason), goesOn: (await encoder.encode(file)).embedding.length > 0 }
}

/** The code of the error of a run whose encoder is disposed of meanwhile, alone in its worker. */
async function disposedMidway(photo: string): Promise<string> {
  const file = await blobOf(photo)
  const encoder = await loadEncoder('mini')
  const running = encoder.encode(file).then(
    () => 'encoded',
    (error) => error.code ?? String(error),
  )
  encoder[Symbol.dispose]()
  return await running
}

/** The largest difference of an embedding from that of the photo as a file, for each way in which a page may hold the photo. */
async function fromPage(photo: string): Promise<Record<string, number>> {
  const file = await blobOf(photo)
  using encoder = await loadEncoder('mini', { orientation: 'ignore' })
  const { embedding } = await encoder.encode(file)
  const image = new Image()
  image.src = photo
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.naturalWidth
  canvas.height = image.naturalHeight
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('no canvas')
  context.drawImage(image, 0, 0)
  const sources = {
    image,
    canvas,
    data: context.getImageData(0, 0, canvas.width, canvas.height),
    bitmap: await createImageBitmap(image),
  }
  const found: Record<string, number> = {}
  for (const [name, source] of Object.entries(sources)) {
    const again = await encoder.encode(source)
    found[name] = Math.max(...again.embedding.map((value, i) => Math.abs(value - embedding[i])))
  }
  // What was given stays the page's.
  found.bitmapWidth = sources.bitmap.width
  return found
}

/** What is said of something that is no image, or no address. */
async function complaints(): Promise<Record<string, string>> {
  using encoder = await loadEncoder('mini')
  const said = (promise: Promise<unknown>) =>
    promise.then(
      () => 'nothing',
      (error) => `${error.name}: ${error.message}`,
    )
  return {
    nothing: await said(encoder.encode(null as never)),
    element: await said(encoder.encode(document.body as never)),
    empty: await said(encoder.encode(new Image())),
    brackets: await said(loadEncoder('http://[')),
    ftp: await said(loadEncoder('ftp://localhost/model.pt')),
    escapes: await said(loadEncoder('/%zz.safetensors')),
  }
}

const suite = {
  aborted,
  chosenEngine,
  complaints,
  conformance,
  decodeError,
  disposedMidway,
  embeddings,
  engineTask,
  fromPage,
  goldens,
  listStoredModels: library.listStoredModels,
  load,
  lostDevice,
  outOfMemory,
  pixelsOf,
  refusal,
  removeStoredModels: library.removeStoredModels,
  several,
}
export type Suite = typeof suite
Object.assign(globalThis, { suite })
