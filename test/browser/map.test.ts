/** Makes groups and a map of a real collection by the command line, and tries the page in a real Chromium, from the disk: without a word to anybody, by mouse and by keys, light, dark and on a phone. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { reducePhoto } from '../../src/platform/node/reduce-photo.js'
import { runInTest } from '../cli/run-in-test.js'
import { chromiumPath, sharedChromium } from '../support/chromium.js'
import { ownFolder } from '../support/made-once.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { openWatched, type WatchedPage } from '../support/watched-page.js'

const folder = ownFolder('test-map')
const axe = readFileSync(join(packageRoot, 'node_modules/axe-core/axe.min.js'), 'utf8')
/** Would run, were it taken for anything but a name. */
const HOSTILE = '"><img src=x onerror=document.title=1>\u202e<script>document.title=2<!--.jpg'
const KINDS = { hats: ['hat-1', 'hat-2'], pants: ['pants-1', 'pants-2'], shoes: ['shoes-1'] }
const COUNT = 6

const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder, reducePhoto })

beforeAll(async () => {
  for (const [kind, names] of Object.entries(KINDS)) {
    mkdirSync(join(folder, 'photos', kind), { recursive: true })
    for (const name of names)
      copyFileSync(
        join(packageRoot, `examples/photos/${name}.jpg`),
        join(folder, 'photos', kind, `${name}.jpg`),
      )
  }
  copyFileSync(join(packageRoot, 'examples/photos/hat-1.jpg'), join(folder, 'photos', HOSTILE))
  const { code, stderr } = await run('index', 'photos', '-m', MINI)
  expect([code, stderr]).toEqual([0, ''])
})

test('groups are a table, JSON lines, and a column that the next command sees', async () => {
  const table = await run('clusters', '-k', '3')
  expect([table.code, table.stdout.trim().split('\n').length]).toEqual([0, 3])
  expect(table.stderr).toContain('6 photos in 3 groups by k-means')
  const json = await run('clusters', '-k', '3', '--json', '--exemplars', '2')
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { count: number; exemplars: { path: string }[] })
  expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(COUNT)
  expect(lines[0]?.exemplars[0]?.path).toMatch(/^photos\//)
  const found = await run('search', 'photos/hats/hat-2.jpg', '-n', '1', '--json')
  expect(JSON.parse(found.stdout.split('\n')[0] ?? '')).toMatchObject({
    cluster: expect.any(Number) as number,
  })
  const dense = await run('clusters', '--method', 'hdbscan', '--min-photos', '2', '--no-save')
  expect(dense.code).toBe(0)
  expect(dense.stderr).toMatch(/by hdbscan.*agree by [\d.]+ \(adjusted Rand index, 6 photos\)/)
  const wrong = await run('clusters', '--names', 'lable')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/no column "lable"/)])
})

test('a map is a picture and SVG too, other files are not written over, and photos that come later are placed', async () => {
  const made = await run('map', '-o', 'map.png')
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toMatch(/^map\.png: 6 photos; made of all of them; trustworthiness [\d.]+\n$/)
  expect(await sharp(join(folder, 'map.png')).metadata()).toMatchObject({ format: 'png', height: 1200 })
  expect((await run('map', '-o', 'map.svg')).stdout).toMatch(/0 placed now/)
  const svg = readFileSync(join(folder, 'map.svg'), 'utf8')
  expect(svg).toContain('&lt;script&gt;document.title=2')
  expect(svg).not.toContain('<script')
  expect(await sharp(Buffer.from(svg)).metadata()).toMatchObject({ format: 'svg' })
  writeFileSync(join(folder, 'mine.svg'), '<svg/>')
  expect((await run('map', '-o', 'mine.svg')).stderr).toContain('--restart')
  expect((await run('map', '-o', 'mine.gif')).stderr).toContain('.html, .svg')
  copyFileSync(join(packageRoot, 'examples/photos/shoes-1.jpg'), join(folder, 'later.jpg'))
  mkdirSync(join(folder, 'more'))
  copyFileSync(join(packageRoot, 'examples/photos/hat-2.jpg'), join(folder, 'more/later.jpg'))
  await run('index', 'more')
  expect((await run('map', '-o', 'map.png')).stdout).toMatch(/7 photos; 1 placed now/)
  expect((await run('map', '-o', 'map.png', '--rebuild')).stdout).toMatch(/7 photos; made of all/)
})

describe.skipIf(chromiumPath === null)('the page of a map', () => {
  let browser: Browser
  const pages: Page[] = []
  beforeAll(async () => {
    const { code, stderr } = await run('map', '-o', 'map.html')
    expect([code, stderr]).toEqual([0, ''])
    browser = await sharedChromium({ gpu: false })
  })
  afterAll(async () => {
    for (const page of pages) await page.close()
  })

  async function open(): Promise<WatchedPage> {
    const opened = await openWatched(browser, pathToFileURL(join(folder, 'map.html')).href)
    pages.push(opened.page)
    await opened.page.getByText(/^Point at a dot/).waitFor()
    return opened
  }

  const status = (page: Page) => page.locator('#status').textContent()
  const picked = async (page: Page) => {
    const text = await page.locator('#picked').inputValue()
    return text === '' ? [] : text.split('\n')
  }

  test('a line drawn around the map lists all photos, a dot that is clicked leaves, and nothing is asked of anybody', async () => {
    const { page, asked, wrong } = await open()
    const box = (await page.locator('#map').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.getByRole('button', { name: 'Draw a line' }).click()
    await page.mouse.move(box.x + 4, box.y + 4)
    await page.mouse.down()
    for (const [x, y] of [
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const)
      await page.mouse.move(box.x + 4 + x * (box.width - 8), box.y + 4 + y * (box.height - 8), { steps: 4 })
    await page.mouse.up()
    await expect.poll(() => picked(page)).toHaveLength(COUNT + 1)
    expect(await picked(page)).toContain(join(folder, 'photos', HOSTILE.replace('\u202e', '\ufffd')))
    expect(await page.locator('#count').textContent()).toBe('7 photos chosen')
    await page.getByRole('button', { name: 'Choose none' }).click()
    expect(await picked(page)).toEqual([])
    await page.locator('.group').first().click()
    const chosen = await picked(page)
    expect(await page.locator('.group span').first().textContent()).toBe(String(chosen.length))
    expect([asked, wrong]).toEqual([[], []])
  })

  test('by keys alone: from photo to photo, each shown with its name, chosen, enlarged and back', async () => {
    const { page, asked, wrong } = await open()
    await page.locator('#map').focus()
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => status(page)).toMatch(/\.jpg/)
    expect(
      await page.locator('#preview img').evaluate((img) => (img as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(50)
    await page.keyboard.press('Enter')
    await expect.poll(() => picked(page)).toHaveLength(1)
    const seen = new Set<string>()
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'ArrowLeft', 'ArrowUp'])
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press(key)
        seen.add((await page.locator('#preview').textContent()) ?? '')
      }
    expect(seen.size).toBeGreaterThan(2)
    const pixels = () => page.locator('#map').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())
    const whole = await pixels()
    await page.keyboard.press('+')
    expect(await pixels()).not.toBe(whole)
    await page.keyboard.press('0')
    await page.keyboard.press('Escape')
    expect(await picked(page)).toEqual([])
    expect([asked, wrong]).toEqual([[], []])
  })

  test('its policy lets nothing be fetched and no name run', async () => {
    const { page } = await open()
    const fetched = await page.evaluate(() =>
      fetch('https://example.org/').then(
        () => 'fetched',
        () => 'refused',
      ),
    )
    expect([fetched, await page.title()]).toEqual(['refused', 'Plumage: map of 7 photos'])
  })

  test('accessible and never wider than the window, light, dark and on a phone, with photos chosen and without', async () => {
    const { page } = await open()
    await page.evaluate(axe)
    const look = async (dark: boolean, width: number, name: string) => {
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await page.setViewportSize({ width, height: 900 })
      const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      expect(inside, `width of ${width}`).toBeLessThanOrEqual(outside ?? 0)
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
      const shots = process.env.PLUMAGE_SHOTS
      if (shots !== undefined)
        await page.screenshot({ path: join(shots, `map-${name}-${dark ? 'dark' : 'light'}-${width}.png`) })
    }
    for (const shown of ['plain', 'chosen']) {
      if (shown === 'chosen') {
        await page.locator('.group').first().click()
        await page.locator('#map').focus()
        await page.keyboard.press('ArrowRight')
      }
      for (const [dark, width] of [
        [false, 1280],
        [true, 1280],
        [false, 390],
      ] as const)
        await look(dark, width, shown)
    }
  })
})
