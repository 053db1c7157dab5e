/** Tries a contact sheet in a real Chromium, from the disk: it asks nothing of anybody, shows names as they are, and can be read by all. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { reducePhoto } from '../../src/platform/node/reduce-photo.js'
import { runInTest } from '../cli/run-in-test.js'
import { chromiumPath, sharedChromium } from '../support/chromium.js'
import { ownFolder } from '../support/made-once.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { openWatched } from '../support/watched-page.js'

const folder = ownFolder('test-contact-sheet')
const axe = readFileSync(join(packageRoot, 'node_modules/axe-core/axe.min.js'), 'utf8')
/** Would run, were it taken for anything but a name. */
const HOSTILE = '"><img src=x onerror=document.title=1>\u202e<script>document.title=2<!--.jpg'
const NAMES = ['hat-1.jpg', 'hat-2.jpg', 'pants-1.jpg', 'shoes-2.jpg', HOSTILE]

describe.skipIf(chromiumPath === null)('a contact sheet', () => {
  const pages: Page[] = []
  beforeAll(async () => {
    mkdirSync(join(folder, 'photos'), { recursive: true })
    for (const name of NAMES)
      copyFileSync(
        join(packageRoot, 'examples/photos', name === HOSTILE ? 'shoes-1.jpg' : name),
        join(folder, 'photos', name),
      )
    const run = async (...args: string[]) => {
      const { code, stderr } = await runInTest(args, { cwd: folder, loadEncoder, reducePhoto })
      expect([code, stderr]).toEqual([0, expect.any(String)])
    }
    await run('index', 'photos', '-m', MINI, '--size', '112')
    await run('search', 'photos/hat-1.jpg', '-o', 'found.html')
    await run('search', 'photos/hat-1.jpg', '--box', '25%,25%,75%,75%', '-o', 'places.html')
  })
  afterAll(async () => {
    for (const page of pages) await page.close()
  })

  async function open(name: string) {
    const browser = await sharedChromium({ gpu: false })
    const { page, asked, wrong } = await openWatched(browser, pathToFileURL(join(folder, name)).href)
    pages.push(page)
    return { page, wrong: [asked, wrong] }
  }

  test('shows each photo and its name as it is, and asks nothing of anybody', async () => {
    const { page, wrong } = await open('found.html')
    const widths = await page
      .locator('li img')
      .evaluateAll((all) => all.map((img) => (img as HTMLImageElement).naturalWidth))
    expect([widths.length, widths.every((width) => width > 99)]).toEqual([4, true])
    expect(await page.locator('figcaption bdi').allTextContents()).toContain(`photos/${HOSTILE}`)
    expect(await page.title()).toBe('Plumage: photos found')
    expect(wrong).toEqual([[], []])
  })

  test('marks the place within the photo', async () => {
    const { page } = await open('places.html')
    const frame = page.locator('.frame').first()
    const [outer, inner] = [
      await frame.locator('img').boundingBox(),
      await frame.locator('rect').boundingBox(),
    ]
    if (outer === null || inner === null) throw new Error('there is no marked photo')
    expect(inner.x).toBeGreaterThanOrEqual(outer.x - 2)
    expect(inner.y).toBeGreaterThanOrEqual(outer.y - 2)
    expect(inner.x + inner.width).toBeLessThanOrEqual(outer.x + outer.width + 2)
    expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + outer.height + 2)
  })

  test.each(['found.html', 'places.html'])(
    '%s is accessible and never wider than the window, light, dark and on a phone',
    async (name) => {
      const { page } = await open(name)
      await page.evaluate(axe)
      for (const [dark, width] of [
        [false, 1280],
        [true, 1280],
        [false, 390],
      ] as const) {
        await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
        await page.setViewportSize({ width, height: 900 })
        const [inside, outside] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          innerWidth,
        ])
        expect(inside, `width of ${width}`).toBeLessThanOrEqual(outside)
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
          }
          const found = await axe.run()
          return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        })
        expect(violations, `${width} wide, dark: ${dark}`).toEqual([])
        const shot = process.env.PLUMAGE_SHOTS
        if (shot !== undefined) await page.screenshot({ path: join(shot, `${name}-${width}-${dark}.png`) })
      }
    },
  )
})
