/** These functions run inside the page: each is called by name from a test, with plain values going in and coming out. */
import * as library from 'plumage/browser'
import { conformance, engineTask, goldens, lostDevice, outOfMemory, refusal } from './engines.js'
import { watched } from './watched.js'

const { decodeImage, loadEncoder } = library

/** The quick model of the tests lies on the site. */
const MINI = '/mini/deit3_reg4_t14_tiny-imagenet.safetensors'

/** Returns what asking for a GPU gives, and what `auto` takes. */
async function chosenEngine(settings: library.LoadOptions): Promise<string> {
  try {
    using encoder = await loadEncoder(MINI, settings)
    return `${encoder.identity.engine}, ${encoder.identity.precision}`
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

async function blobOf(url: string): Promise<File> {
  const answer = await fetch(url)
  return new File([await answer.blob()], url.split('/').pop() ?? 'photo')
}

/** Computes every photo's embedding, by `encodeAll`, with the longest task of the page. */
async function embeddings(options: {
  /** Is an address, or those of all files of a checkpoint, which are given as files. */
  readonly model?: string | readonly string[]
  readonly photos: readonly string[]
  readonly load?: library.LoadOptions
}): Promise<{ embeddings: number[][]; identity: library.Identity; longest: number; box: library.Box }> {
  const photos = await Promise.all(options.photos.map(blobOf))
  const { model = MINI } = options
  using encoder = await loadEncoder(
    typeof model === 'string' ? model : await Promise.all(model.map(blobOf)),
    options.load,
  )
  const { value, longest } = await watched(async () => {
    const found: library.Features[] = []
    for await (const { features, error } of encoder.encodeAll(photos)) {
      if (features === undefined) throw error
      found.push(features)
    }
    return found
  })
  const [first] = value
  if (first === undefined) throw new Error('there are no photos')
  return {
    embeddings: value.map(({ embedding }) => [...embedding]),
    identity: encoder.identity,
    longest,
    box: first.patchBox(0, 1),
  }
}

async function bytesOf(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer())
}

/** Returns the code of the error that a file is refused with. */
async function decodeError(url: string): Promise<string | null> {
  try {
    await decodeImage(await bytesOf(url))
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** Returns a decoded image, its pixels in base64. */
async function pixelsOf(
  url: string,
  options: library.DecodeOptions = {},
): Promise<Omit<library.DecodedImage, 'data'> & { readonly data: string }> {
  const { data, ...found } = await decodeImage(await bytesOf(url), options)
  let text = ''
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
  return { ...found, data: btoa(text) }
}

function pixelsOnWhite(url: string): ReturnType<typeof pixelsOf> {
  return pixelsOf(url, { transparency: 'white' })
}

/** Decodes a file given in each way that a page may have it, and names those whose pixels or size differ from the file's. */
async function waysThatDiffer(url: string): Promise<string[]> {
  const bytes = await bytesOf(url)
  const expected = await decodeImage(bytes)
  const { width, height, data } = expected
  const around = new Uint8Array(bytes.length + 16)
  around.set(bytes, 8)
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i)
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>])
  const address = URL.createObjectURL(blob)
  const ways: Record<string, library.ImageSource> = {
    address: url,
    URL: new URL(url, document.baseURI),
    'data: address': `data:;base64,${btoa(String.fromCharCode(...bytes))}`,
    'blob: address': address,
    Blob: blob,
    File: new File([blob], 'wren.png'),
    ArrayBuffer: bytes.slice().buffer,
    DataView: new DataView(around.buffer, 8, bytes.length),
    stream: blob.stream(),
    ImageData: new ImageData(rgba, width, height),
    'grey pixels': { width, height, data: data.filter((_, i) => i % 3 === 0), channels: 1 },
  }
  const differing: string[] = []
  for (const [name, source] of Object.entries(ways)) {
    const image = await decodeImage(source)
    const isSame = image.data.every(
      (level, i) => level === (name === 'grey pixels' ? data[i - (i % 3)] : data[i]),
    )
    if (image.width !== width || image.height !== height || !isSame) differing.push(name)
  }
  URL.revokeObjectURL(address)
  return differing
}

/** Lists the names and codes of what is wrong with images that cannot be had. */
async function refusedSources(url: string): Promise<Record<string, string>> {
  const said = (source: library.ImageSource, options: library.DecodeOptions = {}) =>
    decodeImage(source, options).then(
      () => 'nothing',
      (error) => `${error.name} ${error.code ?? error.message}`,
    )
  const silent = new ReadableStream<Uint8Array>()
  const abort = new AbortController()
  setTimeout(() => abort.abort(new Error('enough')), 20)
  return {
    missing: await said('/no-such-picture.png'),
    scheme: await said('file:///wren.png'),
    long: await said(url, { maxFileBytes: 10 }),
    longBlob: await said(new Blob([new Uint8Array(20)]), { maxFileBytes: 10 }),
    aborted: await said(silent, { signal: abort.signal }),
    floats: await said({ width: 1, height: 1, data: new Float32Array(3) as never }),
    shape: await said({ width: 2, height: 2, data: new Uint8Array(5) }),
  }
}

interface LoadReport {
  readonly error: { readonly name: string; readonly code?: string; readonly message: string } | null
  readonly progress: readonly library.DownloadProgress[]
  readonly embedding: readonly number[] | null
}

/** Holds what the page's downloads have reported so far. */
const reports: library.DownloadProgress[] = []

/** Lists the kinds of reports that there were, while a load is under way as well. */
async function heard(): Promise<string[]> {
  return [...new Set(reports.map(({ kind }) => kind))]
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
        reports.push(report)
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

/** Runs two encoders of different precision at once on the same threads; disposes of one while the other goes on, then of both, and makes a new one. */
async function several(photo: string): Promise<{ same: boolean; after: string; again: boolean }> {
  const file = await blobOf(photo)
  const first = await loadEncoder(MINI, { threads: 1 })
  const second = await loadEncoder(MINI, { threads: 1, size: 56, precision: 'int8' })
  const [a, b] = await Promise.all([first.encode(file), second.encode(file)])
  second[Symbol.dispose]()
  const after = await second.encode(file).catch((error) => error.code)
  const c = await first.encode(file)
  first[Symbol.dispose]()
  using third = await loadEncoder(MINI, { threads: 1 })
  const d = await third.encode(file)
  const equal = (x: Float32Array, y: Float32Array) => x.every((value, i) => value === y[i])
  return {
    same: equal(a.embedding, c.embedding) && b.grid.rows === 4,
    after,
    again: equal(a.embedding, d.embedding),
  }
}

/** Gives a run up midway, and makes another one after it. */
async function aborted(photo: string): Promise<{ reason: string; goesOn: boolean }> {
  const file = await blobOf(photo)
  using encoder = await loadEncoder(MINI)
  const abort = new AbortController()
  const first = encoder.encode(file, { signal: abort.signal }).catch((error) => String(error))
  abort.abort(new Error('enough'))
  const reason = await first
  return { reason: String(reason), goesOn: (await encoder.encode(file)).embedding.length > 0 }
}

/** Returns the code of the error of a run whose encoder is disposed of meanwhile, alone in its worker. */
async function disposedMidway(photo: string): Promise<string> {
  const file = await blobOf(photo)
  const encoder = await loadEncoder(MINI)
  const running = encoder.encode(file).then(
    () => 'encoded',
    (error) => error.code ?? String(error),
  )
  encoder[Symbol.dispose]()
  return await running
}

/** Measures the largest difference of an embedding from that of the photo as a file, for each way in which a page may hold the photo. */
async function fromPage(photo: string): Promise<Record<string, number>> {
  const file = await blobOf(photo)
  using encoder = await loadEncoder(MINI, { orientation: 'ignore' })
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
    found[name] = Math.max(
      ...again.embedding.map((value, i) => Math.abs(value - (embedding[i] ?? Number.NaN))),
    )
  }
  // What was given stays the page's.
  found.bitmapWidth = sources.bitmap.width
  return found
}

/** Computes the patch map of a photo in tiles. */
async function tiled(
  photo: string,
  load: library.LoadOptions,
  tiles: library.TileChoice,
): Promise<{ patches: number[]; band: number[]; identity: library.Identity; grid: library.PatchGrid }> {
  using encoder = await loadEncoder(MINI, load)
  const { patches, band, identity, grid } = await encoder.encode(await blobOf(photo), { tiles })
  return { patches: [...patches], band: [...band(1, 2).patches], identity, grid }
}

/** Lists what is said of something that is no image, or no address. */
async function complaints(): Promise<Record<string, string>> {
  using encoder = await loadEncoder(MINI)
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
  heard,
  listStoredModels: library.listStoredModels,
  load,
  lostDevice,
  outOfMemory,
  pixelsOf,
  pixelsOnWhite,
  refusal,
  refusedSources,
  removeStoredModels: library.removeStoredModels,
  several,
  tiled,
  waysThatDiffer,
}
export type Suite = typeof suite
Object.assign(globalThis, { suite })
