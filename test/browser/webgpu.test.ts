/** Tries the WebGPU engine in a real Chromium, on an emulated GPU, which compiles each shader for a second: tests share an engine where they can. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { largestDifference } from '../../src/numerics/largest-difference.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import {
  buildPage,
  call,
  callIn,
  chromiumPath,
  openPage,
  serveSite,
  sharedChromium,
  type TestSite,
} from '../support/chromium.js'
import { openGoldens } from '../support/goldens.js'
import { LONG } from '../support/long.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const folder = join(packageRoot, 'examples/photos')
const goldens = openGoldens()
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .slice(0, 3)

describe.skipIf(chromiumPath === null)('the WebGPU engine in Chromium', () => {
  let browser: Browser
  let site: TestSite
  /** Holds one engine. */
  let page: Page
  beforeAll(async () => {
    site = await serveSite(await buildPage(), { photos: folder, goldens: goldens.root })
    browser = await sharedChromium()
    page = await openPage(browser, site.plain)
  })
  afterAll(async () => {
    await page?.close()
    await site?.[Symbol.asyncDispose]()
  })

  // Node runs all cases on the same emulation.
  test('every kind of operation agrees with the reference', async () => {
    const options = { engine: 'webgpu', few: !LONG } as const
    const { engine, cases, failures } = await callIn(page, 'conformance', options)
    expect(engine).not.toBe('')
    expect(failures).toEqual([])
    expect(cases).toBeGreaterThan(LONG ? 40 : 12)
  })

  // An emulation compiles and computes for minutes; Node runs the same shaders.
  test.runIf(LONG)(
    'every network has the activations of its library',
    async () => {
      const cases = ['vit', 'dialect'].flatMap((kind) => goldens.cases(kind))
      const options = { folder: '/goldens', cases, engine: 'webgpu' } as const
      const { count, failures } = await callIn(page, 'goldens', options)
      expect(failures).toEqual([])
      expect(count).toBeGreaterThan(10 * cases.length)
    },
    900_000,
  )

  test('a lost device is replaced at the next call', async () => {
    const { during, devices, same } = await callIn(page, 'lostDevice')
    expect({ devices, same }).toEqual({ devices: 2, same: true })
    expect([null, 'device-lost']).toContain(during)
  })

  // In float32 they have them in test/runtimes/packed-package.test.ts: each page's GPU compiles for half a minute.
  test('photos have the embeddings that Node gives, float16', async () => {
    const photos = names.map((name) => `/photos/${name}`)
    // Small ones are as good, and an emulation computes for seconds on large ones.
    const size = 56
    const precision = 'float16'
    const load = { engine: 'webgpu', precision, size } as const
    const found = await call(browser, site.plain, 'embeddings', { photos, load })
    expect(found.identity).toMatchObject({ precision, engine: expect.stringMatching(/^webgpu /) })
    using encoder = await loadEncoder(MINI, { engine: 'wasm', size })
    for (const [index, name] of names.entries()) {
      const { embedding } = await encoder.encode(join(folder, name))
      const largest = Math.max(...embedding.map(Math.abs))
      const difference = Math.max(
        ...embedding.map((value, i) => Math.abs(value - (found.embeddings[index]?.[i] ?? Number.NaN))),
      )
      expect(difference / largest, name).toBeLessThan(1e-3)
    }
  })

  test.runIf(LONG)('a photo in tiles has the map that WebAssembly gives', async () => {
    const [tiles, longest] = [{ size: 56, overlap: 14 }, 84] as const
    const load = { engine: 'webgpu', precision: 'float16', longest } as const
    const found = await call(browser, site.plain, 'tiled', `/photos/${names[0]}`, load, tiles)
    using encoder = await loadEncoder(MINI, { engine: 'wasm', longest })
    const { patches: kept, grid } = await encoder.encode(join(folder, names[0] ?? ''), { tiles })
    expect(found.grid).toEqual(grid)
    const patches = Float32Array.from(kept)
    const largest = patches.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const off = largestDifference(Float32Array.from(found.patches), patches)
    expect(off / largest).toBeLessThan(2e-2)
  })

  test('an emulated GPU is not what auto takes', async () => {
    expect(await call(browser, site.plain, 'chosenEngine', {})).toMatch(/^wasm .*float32$/)
  })

  test('without any GPU, the engine asked for by name is refused and auto works', async () => {
    const without = await sharedChromium({ gpu: false })
    expect(await call(without, site.plain, 'chosenEngine', { engine: 'webgpu' })).toBe('unavailable')
    expect(await call(without, site.plain, 'chosenEngine', {})).toMatch(/^wasm .*float32$/)
    const halves = { precision: 'float16' } as const
    expect(await call(without, site.plain, 'chosenEngine', halves)).toMatch(/^wasm .*float16$/)
  })
})
