/** Tries the library in a real Chromium, as a bundler builds it into a page. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  buildPage,
  callIn,
  chromiumPath,
  openPages,
  type Pages,
  serveSite,
  sharedChromium,
  type TestSite,
} from '../support/chromium.js'
import { openGoldens } from '../support/goldens.js'

const ATTEMPTS = 15
const goldens = openGoldens()

if (chromiumPath === null)
  console.warn('not run: the browser tests (no Chromium found; PLUMAGE_CHROMIUM names one)')

describe.skipIf(chromiumPath === null)('the WebAssembly engine in Chromium', () => {
  let site: TestSite
  let pages: Pages
  beforeAll(async () => {
    site = await serveSite(await buildPage(), { goldens: goldens.root })
    pages = await openPages(await sharedChromium(), site)
  })
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
  })

  const PATHS = [
    ['isolated', { threads: 2, relaxed: true }, 'relaxed SIMD, 2 threads'],
    ['isolated', { threads: 2, relaxed: false }, 'SIMD, 2 threads'],
    ['plain', { relaxed: true }, 'relaxed SIMD, 1 thread'],
    ['plain', { relaxed: false }, 'SIMD, 1 thread'],
  ] as const

  test.each(PATHS)(
    'every network has the activations of its library, %s page, %o',
    async (kind, options, name) => {
      const cases = ['vit', 'dialect'].flatMap((kind) => goldens.cases(kind))
      const found = await callIn(pages[kind], 'goldens', { folder: '/goldens', cases, engine: options })
      expect(found.engine).toBe(name)
      expect(found.failures).toEqual([])
      expect(found.count).toBeGreaterThan(10 * cases.length)
    },
    300_000,
  )

  test.each(PATHS)('every op agrees with the reference, %s page, %o', async (kind, options, name) => {
    const { engine, cases, failures } = await callIn(pages[kind], 'conformance', { engine: options })
    expect(engine).toBe(name)
    expect(failures).toEqual([])
    expect(cases).toBeGreaterThan(40)
  })

  test('threads are refused by name on a page that is not isolated, and one is taken by default', async () => {
    expect(await callIn(pages.plain, 'refusal', { threads: 2 })).toBe('unavailable')
    expect(await callIn(pages.plain, 'refusal', {})).toMatch(/1 thread$/)
    expect(await callIn(pages.isolated, 'refusal', { threads: 65 })).toBe('unsupported')
  })

  test('what does not fit is refused by name, and the next run works', async () => {
    for (const kind of ['isolated', 'plain'] as const) {
      expect(await callIn(pages[kind], 'outOfMemory')).toEqual({
        load: 'out-of-memory',
        read: false,
        run: 'out-of-memory',
        after: true,
      })
    }
  })

  test('the page stays free while the engine computes, with one thread as well', async () => {
    const tasks: number[] = []
    // Other work on the machine can only make a task look longer.
    while (tasks.length < ATTEMPTS && !(Math.min(...tasks) < 50)) {
      const { longest, whole } = await callIn(pages.plain, 'engineTask')
      expect(whole).toBeGreaterThan(60)
      tasks.push(longest)
    }
    expect(Math.min(...tasks)).toBeLessThan(50)
  })
})
