/** Tries the page in a real Chromium: photos in, maps out, by mouse and by keys, without a word to anybody. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { saveCollection } from '../../src/collection/saved-collection.js'
import { aboutFor } from '../collection/made-collection.js'
import { chromiumPath, serveSite, sharedChromium, type TestSite } from '../support/chromium.js'
import { ownFolder } from '../support/made-once.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const outDir = ownFolder('test-web')
const axe = readFileSync(join(packageRoot, 'node_modules/axe-core/axe.min.js'), 'utf8')
const photo = (name: string) => join(packageRoot, 'examples/photos', name)
/** Are as many as stand in two rows: what all twelve examples would show takes twice as long. */
const SEVERAL = ['hat-1', 'hat-2', 'hat-3', 'pants-1', 'pants-2', 'pants-3'].map((name) =>
  photo(`${name}.jpg`),
)

describe.skipIf(chromiumPath === null)('the page', () => {
  let browser: Browser
  let site: TestSite
  beforeAll(async () => {
    await build({
      configFile: join(packageRoot, 'web/vite.config.ts'),
      logLevel: 'warn',
      build: { outDir, emptyOutDir: true },
    })
    browser = await sharedChromium({ gpu: false })
    site = await serveSite(outDir, {})
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
  })

  /**
   * @param quick gives the page a model of the visitor's own that is ten times smaller, for what no model's numbers matter to. It does not wait for the
   *   page's own model, which nobody needs any more
   */
  async function open({ quick = false } = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.goto(site.isolated)
    if (quick) {
      await page.getByLabel('Use a model of your own').setInputFiles(MINI)
      await page.locator('.how dd', { hasText: 'deit3_reg4_t14' }).waitFor({ state: 'attached' })
    }
    await page.getByText('Ready', { exact: true }).waitFor()
    return page
  }

  /** Counts the colours that the canvas of a photo has on a coarse grid. */
  const colorsOf = (page: Page, index: number) =>
    page.evaluate((index) => {
      const canvas = document.querySelectorAll('canvas')[index]
      const context = canvas?.getContext('2d') ?? null
      if (canvas === undefined || context === null) throw new Error(`there is no canvas ${index}`)
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
      const found = new Set<string>()
      for (let i = 0; i < data.length; i += 4 * 97) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`)
      return found.size
    }, index)

  /** Lists what axe, which is on the page already, finds against its rules. */
  async function violationsOn(page: Page): Promise<readonly string[]> {
    const { violations } = await page.evaluate(() =>
      (
        globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
      ).axe.run(),
    )
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }

  test('photos get maps, a clicked patch is found in all of them, and nothing leaves the origin', async () => {
    const page = await open()
    const elsewhere: string[] = []
    const sent: string[] = []
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (!['blob:', 'data:'].includes(url.protocol) && url.origin !== new URL(site.isolated).origin)
        elsewhere.push(url.href)
      if (request.method() !== 'GET') sent.push(request.method())
    })
    await page.getByRole('button', { name: 'Add the examples' }).click()
    await page.getByText(/^12 done/).waitFor({ timeout: 120_000 })
    const how = page.locator('.how')
    await how.getByText('How?').click()
    expect(await how.textContent()).toMatch(/wasm.*2 threads.*photos a second/)
    await how.getByText('How?').click()

    // The colours of things differ, and the photo's own are gone under them.
    const slide = page.getByRole('slider', { name: 'How much of the colours is seen' })
    const plain = () => slide.fill('0').then(() => colorsOf(page, 0))
    const photoColors = await plain()
    await slide.fill('1')
    await expect.poll(() => colorsOf(page, 0)).not.toBe(photoColors)

    const chooser = page.getByRole('application', { name: /^pants-1\.jpg, 16 by 16 places/ })
    // The first patch right of and below the middle is clicked.
    const { width = 0, height = 0 } = (await chooser.boundingBox()) ?? {}
    await chooser.click({ position: { x: (width * 8.5) / 16, y: (height * 8.5) / 16 } })
    await expect.poll(() => page.getByRole('status').textContent()).toMatch(/^pants-1\.jpg, row 9, column 9/)
    // The middle of trousers is like other trousers.
    expect(await page.getByRole('status').textContent()).toMatch(/Most alike: pants-[23]\.jpg/)
    expect(await page.locator('.score').count()).toBe(12)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('.score').count()).toBe(0)

    expect(elsewhere).toEqual([])
    expect(sent).toEqual([])
    await page.close()
  })

  test('by keys alone: to a photo, across its patches, to what is similar and back', async () => {
    const page = await open({ quick: true })
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([photo('hat-1.jpg'), photo('hat-2.jpg')])
    await page.getByText(/^2 done/).waitFor()
    await page.getByRole('button', { name: 'Remove all' }).focus()
    await page.keyboard.press('Tab')
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    expect(await focused()).toMatch(/^hat-1\.jpg, 8 by 8 places/)
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowLeft', 'Enter']) await page.keyboard.press(key)
    await expect.poll(() => page.getByRole('status').textContent()).toMatch(/^hat-1\.jpg, row 4, column 3,/)
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('status').textContent()).toMatch(/row 1, column 3,/)
    await page.keyboard.press('ArrowRight')
    const spoken = page.locator('.picture [aria-live=polite]').first()
    await expect.poll(() => spoken.textContent()).toMatch(/^row 1, column 4, similarity -?[01]\.\d\d$/)
    // Behind the place stand: find, save, remove.
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.card').count()).toBe(1)
    // Keys go on where the photo was.
    expect(await focused()).toBe('Remove hat-2.jpg')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.card').count()).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('file')
    await page.close()
  })

  test('photos like one of them come first, a place is explained by a legend, and both go away again', async () => {
    const page = await open()
    const names = ['hat-1.jpg', 'pants-1.jpg', 'shoes-2.jpg', 'pants-2.jpg']
    await page.locator('input[type=file]').first().setInputFiles(names.map(photo))
    await page.getByText(/^4 done/).waitFor()
    const shown = () => page.locator('.card .name').allTextContents()
    await page.getByRole('button', { name: 'Find photos like pants-1.jpg' }).click()
    await expect.poll(async () => (await shown()).slice(0, 2)).toEqual(['pants-1.jpg', 'pants-2.jpg'])
    expect(await page.locator('.legend').count()).toBe(0)
    await page.getByRole('application', { name: /^shoes-2\.jpg/ }).click()
    await expect.poll(async () => (await shown())[0]).toBe('shoes-2.jpg')
    expect(await page.locator('.legend').textContent()).toMatch(/unlike -?\d\.\d\d.*alike \d\.\d\d/)
    await page.keyboard.press('Escape')
    await expect.poll(shown).toEqual(names)

    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save the picture of hat-1.jpg' }).click()
    const saved = await download
    expect(saved.suggestedFilename()).toBe('hat-1-plumage.png')
    expect(
      readFileSync(await saved.path())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')

    // Photos stay after a reload, but for those that were removed.
    await page.getByRole('button', { name: 'Remove hat-1.jpg' }).click()
    await expect.poll(() => page.evaluate(countKeptPhotos)).toBe(3)
    await page.reload()
    await page.getByText(/^3 done/).waitFor()
    expect(await shown()).toEqual(names.slice(1))
    await page.close()
  })

  test('one bad file says what is wrong with it; the others go on; another size computes them again', async () => {
    const page = await open({ quick: true })
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([
        { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('ffd8ffe0ffff', 'hex') },
        { name: 'letter.png', mimeType: 'image/png', buffer: Buffer.from('Dear Sir or Madam') },
        { name: 'hat.jpg', mimeType: 'image/jpeg', buffer: readFileSync(photo('hat-3.jpg')) },
      ])
    await page.getByText(/^1 done, 2 failed/).waitFor()
    expect(await page.getByRole('status').textContent()).toBe('Photos: 1 done, 2 failed.')
    expect(await page.locator('.problem').count()).toBe(2)
    expect(await page.locator('.card').count()).toBe(1)
    for (const text of await page.locator('.problem').allTextContents())
      expect(text.length).toBeGreaterThan(20)
    await page.getByRole('combobox', { name: 'Detail' }).selectOption('12')
    await page.getByRole('application', { name: /^hat\.jpg, 12 by 12 places/ }).waitFor()
    await page.close()
  })

  test('another size while photos are computed: all are computed for it, and none is lost', async () => {
    const page = await open({ quick: true })
    await page.locator('input[type=file]').first().setInputFiles(SEVERAL)
    await page
      .getByRole('application', { name: /8 by 8/ })
      .first()
      .waitFor()
    await page.getByRole('combobox', { name: 'Detail' }).selectOption('12')
    await page.getByRole('combobox', { name: 'Detail' }).selectOption('24')
    await expect.poll(() => page.getByRole('application', { name: /24 by 24/ }).count()).toBe(SEVERAL.length)
    expect(await page.locator('.problem').count()).toBe(0)
    await page.close()
  })

  test('photos dropped and removed while others are computed', async () => {
    const page = await open({ quick: true })
    const names = ['hat-1.jpg', 'hat-2.jpg', 'hat-3.jpg', 'pants-1.jpg', 'pants-2.jpg', 'pants-3.jpg']
    const drop = (names: readonly string[]) =>
      page.evaluate(
        (files) => {
          const data = new DataTransfer()
          for (const [name, base64] of files) {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
            data.items.add(new File([bytes], name, { type: 'image/jpeg' }))
          }
          document.body.dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }),
          )
        },
        names.map((name) => [name, readFileSync(photo(name), 'base64')] as const),
      )
    await drop(names.slice(0, 4))
    await drop(names.slice(4))
    await page.getByRole('button', { name: 'Remove pants-3.jpg' }).click()
    await expect.poll(() => page.locator('.card').count()).toBe(5)
    // Those that come later are compared as well.
    await page
      .getByRole('application', { name: /8 by 8/ })
      .first()
      .click()
    await expect.poll(() => page.getByRole('application', { name: /8 by 8/ }).count()).toBe(5)
    await drop(['shoes-1.jpg'])
    await expect.poll(() => page.locator('.score').count()).toBe(6)
    await page.close()
  })

  test('a dropped folder gives its photos, those of inner folders too, without hidden files', async () => {
    const page = await open({ quick: true })
    const jpeg = readFileSync(photo('hat-1.jpg'), 'base64')
    await page.evaluate((base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const file = (name: string) => ({
        isFile: true,
        name,
        file: (give: (file: File) => void) => give(new File([bytes], name, { type: 'image/jpeg' })),
      })
      const folder = (name: string, inner: { name: string }[]) => ({
        isFile: false,
        name,
        createReader: () => {
          const pieces = [inner.slice(0, 2), inner.slice(2), []]
          return { readEntries: (give: (entries: unknown[]) => void) => give(pieces.shift() ?? []) }
        },
      })
      const entry = folder('holiday', [
        file('b.jpg'),
        file('a.jpg'),
        folder('day 2', [file('c.jpg'), file('.DS_Store')]),
      ])
      const item = { kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => null }
      const event = new Event('drop', { bubbles: true, cancelable: true })
      Object.defineProperty(event, 'dataTransfer', { value: { items: [item], types: ['Files'] } })
      document.body.dispatchEvent(event)
    }, jpeg)
    await page.getByText(/^3 done/).waitFor()
    expect(await page.locator('.name').allTextContents()).toEqual(['a.jpg', 'b.jpg', 'c.jpg'])
    await page.close()
  })

  test('accessible, empty and with photos, in any colour scheme; and never wider than the window', async () => {
    const page = await open({ quick: true })
    const look = async ({ dark, width }: { dark: boolean; width: number }) => {
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await page.setViewportSize({ width, height: 900 })
      const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      expect(inside, `width of ${width}`).toBeLessThanOrEqual(outside)
      expect(await violationsOn(page), `${width} wide, dark: ${dark}`).toEqual([])
    }
    const looks = [
      { dark: false, width: 1280 },
      { dark: true, width: 1280 },
      { dark: false, width: 390 },
    ]
    await page.evaluate(axe)
    for (const options of looks) await look(options)
    await page.locator('input[type=file]').first().setInputFiles(SEVERAL)
    await page.getByText(/^6 done/).waitFor()
    await page.getByRole('application').first().click()
    await page.locator('.score').first().waitFor()
    for (const options of looks) await look(options)
    await page.close()
  })

  test('where heads look, what stands out, and which places of two photos match, each as a picture', async () => {
    const page = await open({ quick: true })
    await page.locator('input[type=file]').first().setInputFiles(SEVERAL)
    await page.getByText(/^6 done/).waitFor()
    await page.evaluate(axe)
    const seen = new Set<string>()
    // A press moves the pointer, the focus and the place one after another, so that a picture counts only once it has stayed for some frames.
    const settled = async () => {
      let [last, same] = ['', 0]
      while (same < 5) {
        await new Promise(requestAnimationFrame)
        const pixels = document.querySelector('canvas')?.toDataURL() ?? ''
        same = pixels === last ? same + 1 : 0
        last = pixels
      }
      return last
    }
    const isNew = async () => {
      const pixels = await page.evaluate(settled)
      const known = seen.size
      return seen.add(pixels).size > known
    }
    await isNew()
    await page.getByRole('radio', { name: 'Attention' }).check()
    expect(await page.getByRole('group', { name: 'Head' }).getByRole('radio').count()).toBe(4)
    await expect.poll(isNew).toBe(true)
    for (const head of [0, 1, 2]) {
      await page
        .locator('.heads label')
        .nth(head + 1)
        .hover()
      await expect.poll(isNew).toBe(true)
    }
    // A place that is pointed at is seen to look elsewhere than the photo as a whole, each place at its own.
    const chooser = page.getByRole('application').first()
    await chooser.hover({ position: { x: 60, y: 60 } })
    await expect.poll(isNew, { timeout: 20_000 }).toBe(true)
    await chooser.hover({ position: { x: 160, y: 200 } })
    await expect.poll(isNew).toBe(true)
    await chooser.click({ position: { x: 120, y: 120 } })
    await expect.poll(isNew).toBe(true)
    await page.getByRole('heading', { level: 1 }).hover()
    expect(await isNew()).toBe(false)
    expect(await page.locator('.score').count()).toBe(0)
    await chooser.press('ArrowRight')
    await expect.poll(isNew).toBe(true)
    await page.keyboard.press('Escape')
    // Keys choose heads as well.
    await page.getByRole('radio', { name: 'all heads' }).focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.getByRole('radio', { name: '1', exact: true }).isChecked()).toBe(true)
    expect(await violationsOn(page)).toEqual([])
    await page.getByRole('radio', { name: 'Objects' }).check()
    await expect.poll(isNew).toBe(true)
    expect(await violationsOn(page)).toEqual([])

    await page.getByRole('button', { name: 'Find photos like pants-1.jpg' }).click()
    await page.getByRole('button', { name: 'Show which places of pants-3.jpg match' }).click()
    const dialog = page.getByRole('dialog', { name: 'pants-1.jpg and pants-3.jpg' })
    await expect.poll(() => dialog.getByRole('status').textContent()).toMatch(/^\d+ places? match/)
    expect(await violationsOn(page)).toEqual([])
    const download = page.waitForEvent('download')
    await dialog.getByRole('button', { name: 'Save the picture' }).click()
    expect((await download).suggestedFilename()).toBe('pants-1-and-pants-3-plumage.png')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
    await page.close()
  })

  test('without threads, and where the model cannot be fetched', async () => {
    const page = await browser.newPage()
    await page.goto(site.plain)
    await page.getByText('Ready', { exact: true }).waitFor()
    expect(await page.locator('.engine').textContent()).toMatch(/1 thread,/)
    await page.close()
    site.handler = (request, response) => {
      if (!request.url?.endsWith('.safetensors')) return false
      response.writeHead(404).end()
      return true
    }
    const context = await browser.newContext()
    const broken = await context.newPage()
    await broken.goto(site.isolated)
    const alert = broken.getByRole('alert')
    expect(await alert.textContent()).toMatch(/404/)
    await broken
      .locator('input[type=file]')
      .first()
      .setInputFiles([photo('hat-1.jpg')])
    await broken.getByText('Not computed').waitFor()
    // The photo waits for the model.
    site.handler = null
    await broken.getByRole('button', { name: 'Try again' }).click()
    await broken.getByText(/^1 done/).waitFor()
    expect(await alert.count()).toBe(0)
    await context.close()
  })

  describe('its collection', () => {
    const result = (page: Page) => page.locator('.photos button')

    async function openCollection(): Promise<{ page: Page; troubles: string[] }> {
      const page = await browser.newPage({ viewport: { width: 1000, height: 800 }, acceptDownloads: true })
      const troubles: string[] = []
      page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url())
        const isOwn = origin === new URL(site.isolated).origin && request.method() === 'GET'
        if (!['blob:', 'data:'].includes(protocol) && !isOwn) troubles.push(request.url())
      })
      page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()))
      await page.goto(new URL('collection.html', site.isolated).href)
      await page.getByText('0 photos', { exact: true }).waitFor()
      return { page, troubles }
    }

    test('photos are searched in the tab, saved, and opened again', async () => {
      const { page, troubles } = await openCollection()
      await page.getByLabel('Add photos').setInputFiles([...SEVERAL, join(packageRoot, 'README.md')])
      await page.getByText('6 photos', { exact: true }).waitFor({ timeout: 120_000 })
      expect(await page.locator('.failures').textContent()).toContain('README.md')
      await page.getByRole('button', { name: 'pants-1.jpg' }).click()
      await page.getByRole('heading', { name: 'Most like pants-1.jpg' }).waitFor()
      const names = await page.locator('.photos .name').allTextContents()
      expect(names[0]).toBe('pants-1.jpg')
      expect(names.slice(1, 3).every((name) => name.startsWith('pants'))).toBe(true)
      expect(await page.locator('.likeness').first().textContent()).toBe('1.000')
      // What is here already is not computed again.
      await page.getByLabel('Add photos').setInputFiles(SEVERAL)
      await page.getByRole('heading', { name: 'All photos' }).waitFor()
      expect(await result(page).count()).toBe(6)

      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save' }).click(),
      ])
      const file = join(ownFolder('saved-collection'), 'photos.safetensors')
      await download.saveAs(file)
      const again = await openCollection()
      await again.page.getByLabel('Open').setInputFiles(file)
      await again.page.getByText('6 photos', { exact: true }).waitFor()
      await again.page.getByLabel('Search by a photo').setInputFiles(photo('pants-2.jpg'))
      await again.page.getByRole('heading', { name: 'Most like pants-2.jpg' }).waitFor()
      expect(await again.page.locator('.photos .name').first().textContent()).toBe('pants-2.jpg')
      await again.page.getByLabel('Open').setInputFiles(photo('hat-1.jpg'))
      await again.page.getByRole('alert').waitFor()
      expect(await again.page.getByRole('alert').textContent()).toContain('hat-1.jpg cannot be read')
      expect([...troubles, ...again.troubles]).toEqual([])
      await page.getByRole('button', { name: 'pants-1.jpg' }).click()
      await page.getByRole('heading', { name: 'Most like pants-1.jpg' }).waitFor()
      await page.evaluate(axe)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await violationsOn(page)).toEqual([])
      }
      await page.setViewportSize({ width: 390, height: 800 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
      await Promise.all([page.close(), again.page.close()])
    })

    test('of thousands as many are shown as fit on a screen or two, and more when asked for', async () => {
      const { page, troubles } = await openCollection()
      const file = join(ownFolder('many-photos'), 'photos.safetensors')
      await writeFile(file, savedPhotos(3000))
      await page.getByLabel('Open').setInputFiles(file)
      await page.getByText('3000 photos', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Show more (2880)' }).click()
      expect(await result(page).count()).toBe(240)
      await result(page).nth(7).click()
      await page.getByRole('heading', { name: 'Most like 7.jpg' }).waitFor()
      expect([await result(page).count(), await page.locator('.likeness').first().textContent()]).toEqual([
        120,
        '1.000',
      ])
      await page.getByRole('button', { name: 'Show more (2880)' }).click()
      await page.getByRole('button', { name: 'Show more (2760)' }).waitFor()
      expect(await result(page).count()).toBe(240)
      const alike = (await page.locator('.likeness').allTextContents()).map(Number)
      expect(alike).toEqual(alike.toSorted((a, b) => b - a))
      expect(troubles).toEqual([])
      await page.close()
    })

    test('adding can be stopped, and what was computed stays', async () => {
      const { page } = await openCollection()
      await page.getByRole('button', { name: 'Add the examples' }).click()
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByText(/^\d+ photos$/).waitFor()
      expect(await result(page).count()).toBeLessThan(12)
      await page.close()
    })
  })
})

/** Gives a saved collection of photos that have embeddings and nothing to show. */
async function* savedPhotos(count: number): AsyncGenerator<Uint8Array> {
  const width = 16
  await using collection = await Collection.open({ store: createMemoryStore(aboutFor(width)) })
  await collection.addPhotos(
    Array.from({ length: count }, (_, at) => ({
      row: { root: 'tab', path: `${at}.jpg`, bytes: 1, modified: 0, height: 1, width: 1 },
      embedding: Float32Array.from({ length: width }, (_, i) => Math.sin((at + 1) * (i + 1))),
    })),
  )
  yield* saveCollection(collection)
}

/** Looks in the page's own storage, which is written while the page goes on. */
function countKeptPhotos(): Promise<number> {
  return new Promise((resolve, reject) => {
    const opened = indexedDB.open('plumage-page')
    opened.onerror = () => reject(opened.error)
    opened.onsuccess = () => {
      const counted = opened.result.transaction('photos').objectStore('photos').count()
      counted.onerror = () => reject(counted.error)
      counted.onsuccess = () => {
        opened.result.close()
        resolve(counted.result)
      }
    }
  })
}
