/** Tries a report in a real Chromium, from the disk: without a word to anybody, by mouse and by keys, light, dark and on a phone. */
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { reducePhoto } from '../../src/platform/node/reduce-photo.js'
import { runInTest } from '../cli/run-in-test.js'
import { chromiumPath, sharedChromium } from '../support/chromium.js'
import { ownFolder } from '../support/made-once.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { openWatched, type WatchedPage } from '../support/watched-page.js'

const folder = ownFolder('test-report')
const axe = readFileSync(join(packageRoot, 'node_modules/axe-core/axe.min.js'), 'utf8')
/** Would run, were it taken for anything but a name. */
const HOSTILE = '"><img src=x onerror=document.title=1>\u202e<script>document.title=2<!--.jpg'
const NAMES = ['hat-1.jpg', 'hat-2.jpg', 'pants-1.jpg', 'pants-2.jpg', HOSTILE]

describe.skipIf(chromiumPath === null)('a report', () => {
  let browser: Browser
  beforeAll(async () => {
    mkdirSync(join(folder, 'photos'), { recursive: true })
    for (const name of NAMES)
      copyFileSync(
        join(packageRoot, 'examples/photos', name === HOSTILE ? 'shoes-1.jpg' : name),
        join(folder, 'photos', name),
      )
    writeFileSync(join(folder, 'photos/torn.jpg'), Buffer.from('ffd8ffe0ffff', 'hex'))
    const { code, stderr } = await runInTest(
      ['report', 'photos', '-m', MINI, '--size', '112', '-o', 'report.html'],
      {
        cwd: folder,
        loadEncoder,
        reducePhoto,
      },
    )
    expect([code, stderr]).toEqual([1, expect.stringMatching(/1 of 6 images failed/)])
    browser = await sharedChromium({ gpu: false })
  })
  const pages: Page[] = []
  afterAll(async () => {
    for (const page of pages) await page.close()
  })

  async function open(): Promise<WatchedPage> {
    const opened = await openWatched(browser, pathToFileURL(join(folder, 'report.html')).href)
    pages.push(opened.page)
    await opened.page.getByText(/^Choose a place/).waitFor()
    return opened
  }

  const frame = (page: Page, name: string) => page.getByRole('application', { name: new RegExp(`^${name}`) })
  const names = (page: Page) => page.locator('.name').allTextContents()

  test('a clicked place is marked, what is like it in all photos too, and nothing is asked of anybody', async () => {
    const { page, asked, wrong } = await open()
    expect(
      await page
        .locator('.frame img')
        .evaluateAll((all) => all.every((img) => (img as HTMLImageElement).naturalWidth > 99)),
    ).toBe(true)
    const chooser = frame(page, 'pants-1')
    const { width = 0, height = 0 } = (await chooser.boundingBox()) ?? {}
    await chooser.click({ position: { x: (width * 4.5) / 8, y: (height * 4.5) / 8 } })
    const status = page.getByRole('status')
    await expect.poll(() => status.textContent()).toMatch(/^pants-1\.jpg, row 5, column 5, chosen/)
    expect(await status.textContent()).toMatch(/Most alike: pants-2\.jpg, row \d, column \d, 0\.\d\d\.$/)
    expect((await names(page)).slice(0, 2)).toEqual(['pants-1.jpg', 'pants-2.jpg'])
    expect(await page.locator('.best:visible').count()).toBe(NAMES.length)
    expect(await page.locator('.chosen:visible').count()).toBe(1)
    const marked = (await page.locator('.chosen:visible').boundingBox()) ?? { x: 0, y: 0 }
    const there = (await chooser.boundingBox()) ?? { x: 0, y: 0 }
    expect(Math.abs(marked.x - there.x - width / 2)).toBeLessThan(3)
    expect(Math.abs(marked.y - there.y - height / 2)).toBeLessThan(3)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('.mark:visible').count()).toBe(0)
    expect(await names(page)).toEqual([HOSTILE, ...NAMES.slice(0, 4)])
    expect([asked, wrong]).toEqual([[], []])
  })

  test('colours, groups and the photo itself can be shown, and groups say in how many photos they are', async () => {
    const { page } = await open()
    const layer = page.locator('.seen canvas').first()
    const pixels = () => layer.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())
    const colors = await pixels()
    await page.getByRole('radio', { name: 'Groups' }).check()
    expect(await pixels()).not.toBe(colors)
    const told = await page.locator('.groups li').allTextContents()
    const counts = told.map((text) => Number(/^in (\d) photos?$/.exec(text)?.[1]))
    expect(counts.every((count) => count >= 1 && count <= NAMES.length)).toBe(true)
    expect(counts).toEqual(counts.toSorted((a, b) => b - a))
    await page.getByRole('radio', { name: 'Photo' }).check()
    expect(await layer.isVisible()).toBe(false)
    await page.getByRole('radio', { name: 'Colours' }).check()
    expect(await pixels()).toBe(colors)
  })

  test('its policy lets nothing be fetched and no other script run', async () => {
    const { page, asked } = await open()
    const tried = await page.evaluate(async () => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "run"'
      document.body.append(script)
      const fetched = await fetch('https://example.org/').then(
        () => 'fetched',
        () => 'refused',
      )
      return [fetched, document.title]
    })
    expect(tried).toEqual(['refused', `Plumage: ${NAMES.length} photos`])
    expect(asked).toEqual([])
  })

  test('names are shown as they are, and what could not be used with its reason', async () => {
    const { page } = await open()
    expect(await page.title()).toBe(`Plumage: ${NAMES.length} photos`)
    expect(await names(page)).toContain(HOSTILE)
    expect(await page.locator('.failed li').allTextContents()).toEqual([
      expect.stringMatching(/^photos\/torn\.jpg: .{20}/),
    ])
    await page.getByText('How was this made?').click()
    expect(await page.locator('dl').textContent()).toMatch(
      /of the 10 patches nearest to one, \d+ % are the same/,
    )
  })

  test('by keys alone: to a photo, across its places, to what is alike and back', async () => {
    const { page } = await open()
    await page.getByRole('slider', { name: 'Strength' }).focus()
    // Behind the slider stands the first photo.
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')
    expect(await focused()).toContain(HOSTILE)
    await frame(page, 'hat-1').focus()
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowLeft', 'Enter']) await page.keyboard.press(key)
    await expect
      .poll(() => page.getByRole('status').textContent())
      .toMatch(/^hat-1\.jpg, row 4, column 3, chosen/)
    expect((await names(page))[0]).toBe('hat-1.jpg')
    // The photo has moved to the front, and keys go on in it.
    expect(await focused()).toMatch(/^hat-1\.jpg, 8 by 8 places/)
    await page.keyboard.press('ArrowRight')
    const spoken = page.locator('.card', { hasText: 'hat-1.jpg' }).first().locator('[aria-live]')
    await expect.poll(() => spoken.textContent()).toMatch(/^row 4, column 4, similarity -?[01]\.\d\d$/)
    await page.keyboard.press('Escape')
    await expect.poll(async () => (await names(page))[0]).toBe(HOSTILE)
  })

  test('accessible and never wider than the window, light, dark and on a phone, with a place chosen and without', async () => {
    const { page } = await open()
    await page.evaluate(axe)
    const look = async (dark: boolean, width: number) => {
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await page.setViewportSize({ width, height: 900 })
      const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      expect(inside, `width of ${width}`).toBeLessThanOrEqual(outside)
      const found = await page.evaluate(() =>
        (
          globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
          }
        ).axe.run(),
      )
      const violations = found.violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
      )
      expect(violations, `${width} wide, dark: ${dark}`).toEqual([])
    }
    for (const shown of ['colors', 'groups', 'found']) {
      if (shown === 'groups') await page.getByRole('radio', { name: 'Groups' }).check()
      if (shown === 'found') await frame(page, 'hat-2').click()
      for (const [dark, width] of [
        [false, 1280],
        [true, 1280],
        [false, 390],
      ] as const)
        await look(dark, width)
    }
  })

  test('a hundred photos would take 25 MB at most', () => {
    const { size } = statSync(join(folder, 'report.html'))
    expect(size / NAMES.length).toBeLessThan(250e3)
  })
})
