/** Tries the encoder in a real Chromium: it gives the numbers that Node gives, off the page's thread, several at a time. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Features } from '../../src/index.js'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import {
  buildPage,
  call,
  callIn,
  chromiumPath,
  openPages,
  type Pages,
  serveSite,
  sharedChromium,
  type TestSite,
} from '../support/chromium.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { asZip, TORCH_INDEX, writeTorchShards } from '../support/torch-shards.js'

const folder = join(packageRoot, 'examples/photos')
const names = readdirSync(folder).filter((name) => name.endsWith('.jpg'))

const dinotxt = join(packageRoot, 'test/golden/families/more/meta/dinotxt')
const dinov2 = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')

const ATTEMPTS = 15

let known: ReturnType<typeof encodeHere> | undefined
/** Gives what the photos have in Node, computed once for all pages. */
function inNode() {
  known ??= encodeHere()
  return known
}

async function encodeHere() {
  using encoder = await loadEncoder(MINI, { engine: 'wasm' })
  const features: Features[] = []
  for (const name of names) features.push(await encoder.encode(join(folder, name)))
  return { features, identity: encoder.identity }
}

describe.skipIf(chromiumPath === null)('the encoder in Chromium', () => {
  let browser: Browser
  let site: TestSite
  let pages: Pages
  /** Holds a checkpoint in several files of PyTorch's. */
  let parts: string
  /** Are the longest tasks that the plain page has had, a run each. */
  const tasks: number[] = []
  beforeAll(async () => {
    parts = mkdtempSync(join(tmpdir(), 'plumage-parts-'))
    writeTorchShards(join(packageRoot, 'test/field/01-identity-of-shards/model-a'), parts, asZip)
    site = await serveSite(await buildPage(), { photos: folder, parts, dinotxt })
    browser = await sharedChromium()
    pages = await openPages(browser, site)
  })
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
    rmSync(parts, { recursive: true, force: true })
  })

  test.each(['isolated', 'plain'] as const)(
    'photos have the embeddings that Node gives, %s page',
    async (kind) => {
      const photos = names.map((name) => `/photos/${name}`)
      const found = await callIn(pages[kind], 'embeddings', { photos, load: { engine: 'wasm' } })
      if (kind === 'plain') tasks.push(found.longest)
      const ours = await inNode()
      for (const [index, name] of names.entries()) {
        const expected = ours.features[index]
        if (expected === undefined) throw new Error(`Node has not encoded ${name}`)
        const largest = Math.max(...expected.embedding.map(Math.abs))
        const difference = Math.max(
          ...expected.embedding.map((value, i) =>
            Math.abs(value - (found.embeddings[index]?.[i] ?? Number.NaN)),
          ),
        )
        expect(difference / largest, name).toBeLessThan(1e-4)
        if (index === 0) expect(found.box).toEqual(expected.patchBox(0, 1))
      }
      const { engine, ...identity } = found.identity
      const { engine: own, ...expected } = ours.identity
      expect(own).toMatch(/^wasm /)
      expect(identity).toEqual(expected)
      expect(engine).toMatch(kind === 'plain' ? /^wasm .*SIMD, 1 thread$/ : /^wasm .*SIMD, \d+ threads$/)
    },
  )

  test("a checkpoint in PyTorch's shards is that of Node, from an address and from files", async () => {
    using here = await loadEncoder(join(parts, TORCH_INDEX), { engine: 'wasm' })
    const { engine: _, ...expected } = here.identity
    const files = readdirSync(parts).map((name) => `/parts/${name}`)
    for (const model of [`/parts/${TORCH_INDEX}`, files]) {
      const { identity } = await callIn(pages.plain, 'embeddings', {
        model,
        photos: [`/photos/${names[0]}`],
        load: { engine: 'wasm' },
      })
      expect(identity).toMatchObject(expected)
    }
  })

  test('a file with matrices in bytes says all by itself, as in Node, from an address', async () => {
    const model = join(parts, 'model.int8.safetensors')
    await convertModel(join(dinov2, 'hugging-face'), model, { int8: true })
    const options = { engine: 'wasm', precision: 'int8' } as const
    using here = await loadEncoder(model, options)
    const { engine: _, ...expected } = here.identity
    expect(expected.origin).toMatch(/^int8 of model, weights [0-9a-f]{64}$/)
    const { identity, embeddings } = await callIn(pages.plain, 'embeddings', {
      model: '/parts/model.int8.safetensors',
      photos: [`/photos/${names[0]}`],
      load: options,
    })
    expect(identity).toMatchObject(expected)
    const { embedding } = await here.encode(join(folder, names[0] ?? ''))
    expect(largestDifference(Float32Array.from(embeddings[0] ?? []), embedding)).toBeLessThan(1e-4)
  })

  test("a head that is a file of its own is put on as in Node, from the page's address", async () => {
    const options = { engine: 'wasm', heads: 2, size: 28 } as const
    using here = await loadEncoder(join(dinotxt, 'backbone.pth'), {
      ...options,
      head: join(dinotxt, 'vision_head.pth'),
      onWarning: () => {},
    })
    const { engine: _, ...expected } = here.identity
    const { identity } = await callIn(pages.plain, 'embeddings', {
      model: '/dinotxt/backbone.pth',
      photos: [`/photos/${names[0]}`],
      load: { ...options, head: '/dinotxt/vision_head.pth' },
    })
    expect(identity).toMatchObject(expected)
  })

  test('a photo in tiles has the map that it has in Node, kept in halves too', async () => {
    const load = { engine: 'wasm', longest: 210 } as const
    using here = await loadEncoder(MINI, load)
    for (const keep of ['float32', 'float16'] as const) {
      const tiles = { size: 112, overlap: 28, keep } as const
      const own = await here.encode(join(folder, names[0] ?? ''), { tiles })
      const found = await callIn(pages.plain, 'tiled', `/photos/${names[0]}`, load, tiles)
      const { engine: _own, ...expected } = own.identity
      expect(found.identity).toMatchObject(expected)
      expect(found.grid).toEqual(own.grid)
      const { columns } = own.grid
      const width = here.width
      expect(found.patches.length).toBe(own.grid.rows * columns * width)
      const band = own.band(1, 2).patches
      const largest = band.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(largestDifference(Float32Array.from(found.band), band) / largest).toBeLessThan(
        keep === 'float32' ? 1e-4 : 2e-3,
      )
      expect(found.patches.every(Number.isInteger)).toBe(keep === 'float16')
    }
  })

  test('the page stays free while photos are encoded', async () => {
    const photos = names.map((name) => `/photos/${name}`)
    // Other work on the machine can only make a task look longer.
    while (tasks.length < ATTEMPTS && !(Math.min(...tasks) < 50)) {
      tasks.push((await callIn(pages.plain, 'embeddings', { photos })).longest)
    }
    expect(Math.min(...tasks)).toBeLessThan(50)
  })

  test('several encoders share a worker, and one may go before the other', async () => {
    expect(await callIn(pages.isolated, 'several', `/photos/${names[0]}`)).toEqual({
      same: true,
      after: 'disposed',
      again: true,
    })
  })

  test('a run that is given up says why, and the next one works', async () => {
    expect(await callIn(pages.isolated, 'aborted', `/photos/${names[0]}`)).toEqual({
      reason: 'Error: enough',
      goesOn: true,
    })
  })

  test('what a page holds of a photo has the embedding of its file', async () => {
    const { bitmapWidth, ...differences } = await callIn(pages.plain, 'fromPage', `/photos/${names[0]}`)
    // The photos are opaque and have no profile, so that the pixels are the same.
    expect(differences).toEqual({ image: 0, canvas: 0, data: 0, bitmap: 0 })
    expect(bitmapWidth).toBeGreaterThan(0)
  })

  test('what is no image, or no address, is refused in words', async () => {
    const said = await callIn(pages.plain, 'complaints')
    expect(said).toEqual({
      nothing: expect.stringMatching(/^TypeError: An image is a Blob.* got Null\.$/),
      element: expect.stringMatching(/^TypeError: An image is a Blob.* got HTMLBodyElement\.$/),
      empty: expect.stringMatching(/^ImageError: The HTMLImageElement cannot be read: /),
      brackets: 'TypeError: "http://[" is no address that a model could be fetched from.',
      ftp: expect.stringMatching(/^TypeError: A page fetches models over https.* not over ftp .*File/),
      escapes: expect.stringMatching(/^HubError: .*%zz\.safetensors.*404/),
    })
  })

  test('a run whose encoder is disposed of ends with an error that says so', async () => {
    expect(await call(browser, site.isolated, 'disposedMidway', `/photos/${names[0]}`)).toBe('disposed')
  })
})
