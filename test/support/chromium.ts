/** Starts a real Chromium, and serves a page built against the library: with the headers of cross-origin isolation and without. */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import type { Suite } from '../browser/page/suite.js'
import { madeOnce } from './made-once.js'
import { MINI_FOLDER } from './mini.js'
import { packPackage } from './packed.js'
import { packageRoot } from './repository.js'

const execute = promisify(execFile)
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const chromiumPath = process.env.PLUMAGE_CHROMIUM ?? PLACES.find((path) => existsSync(path)) ?? null

/** Keeps the browsers of this process, which end with it. */
const browsers = new Map<boolean, Promise<Browser>>()

/**
 * Gives the browser that all tests of a worker share, who close what they open in it and leave it open.
 *
 * @param gpu without one, `navigator.gpu` gives no adapter; with one it is an emulation, unless the machine has a real one
 */
export async function sharedChromium({ gpu = true }: { gpu?: boolean } = {}): Promise<Browser> {
  const known = browsers.get(gpu)
  if (known !== undefined && (await known.catch(() => null))?.isConnected()) return await known
  const started = startChromium(gpu)
  browsers.set(gpu, started)
  return await started
}

/**
 * Lists what Chromium is to leave out. The popups of the address bar are two pages of their own for each page, which take longer to open than it. The
 * others are Playwright's, whose list this one replaces: they would ask servers elsewhere, or show a page later than it is there.
 */
const LEFT_OUT = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
]

async function startChromium(gpu: boolean): Promise<Browser> {
  if (chromiumPath === null) throw new Error('there is no Chromium')
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--enable-unsafe-swiftshader',
      // Node's is set in the same way: on an emulation, clearing memory takes most of a shader's compilation.
      '--enable-dawn-features=disable_workgroup_init',
      `--disable-features=${[...LEFT_OUT, ...(gpu ? [] : ['WebGPU'])].join(',')}`,
      ...(gpu ? ['--enable-unsafe-webgpu'] : []),
    ],
  })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
}
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Opens the page of the tests and waits until its functions are there. */
export async function openPage(browser: Browser | BrowserContext, url: string): Promise<Page> {
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error('[page]', error))
  await page.goto(url)
  await page.waitForFunction(() => 'suite' in globalThis)
  return page
}

/** Calls a function of the page's suite. */
export function callIn<Name extends keyof Suite>(
  page: Page,
  name: Name,
  ...options: Parameters<Suite[Name]>
): Promise<Awaited<ReturnType<Suite[Name]>>> {
  const run = ([fn, given]: readonly [string, readonly unknown[]]) => {
    const { suite } = globalThis as unknown as {
      suite: Record<string, (...given: readonly unknown[]) => unknown>
    }
    const called = suite[fn]
    if (called === undefined) throw new Error(`the page has no function ${fn}`)
    return called(...given)
  }
  return page.evaluate<unknown, readonly [string, readonly unknown[]]>(run, [name, options]) as Promise<
    Awaited<ReturnType<Suite[Name]>>
  >
}

/** Holds a page of each kind of a site, for tests that leave a page as they found it: opening one takes longer than most of them. */
export interface Pages extends AsyncDisposable {
  readonly isolated: Page
  readonly plain: Page
}

export async function openPages(browser: Browser, site: TestSite): Promise<Pages> {
  const [isolated, plain] = await Promise.all([
    openPage(browser, site.isolated),
    openPage(browser, site.plain),
  ])
  return {
    isolated,
    plain,
    async [Symbol.asyncDispose]() {
      await Promise.all([isolated.close(), plain.close()])
    },
  }
}

/** Calls a function in a page of its own. */
export async function call<Name extends keyof Suite>(
  browser: Browser | BrowserContext,
  url: string,
  name: Name,
  ...options: Parameters<Suite[Name]>
): Promise<Awaited<ReturnType<Suite[Name]>>> {
  const page = await openPage(browser, url)
  try {
    return await callIn(page, name, ...options)
  } finally {
    await page.close()
  }
}

/** May answer a request before the files are looked at, and then returns true. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestSite extends AsyncDisposable {
  /** Ends in a slash and gives a page that is cross-origin isolated. */
  readonly isolated: string
  /** Gives the same without the headers. */
  readonly plain: string
  /** Is called first with each request. */
  handler: Handler | null
}

/**
 * Serves a folder under /isolated/ and /plain/, and any further folders by their names.
 *
 * @param folders served beside the page: name to path
 */
export async function serveSite(page: string, folders: Readonly<Record<string, string>>): Promise<TestSite> {
  const roots: Readonly<Record<string, string>> = {
    mini: MINI_FOLDER,
    ...folders,
    isolated: page,
    plain: page,
  }
  const server = createServer((request, response) => {
    if (site.handler?.(request, response)) return
    const asked = new URL(request.url ?? '/', 'http://localhost').pathname
    // A path that cannot be decoded names nothing here.
    const [, name = '', ...rest] = (/%(?![0-9a-f]{2})/i.test(asked) ? '' : decodeURIComponent(asked)).split(
      '/',
    )
    const root = roots[name]
    const path = root === undefined ? null : normalize(join(root, rest.join('/') || 'index.html'))
    if (path === null || !path.startsWith(root + sep) || !existsSync(path)) {
      response.writeHead(404).end()
      return
    }
    const headers = {
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Content-Length': statSync(path).size,
      'Cross-Origin-Resource-Policy': 'same-origin',
      ...(name === 'plain' ? {} : ISOLATION),
    }
    response.writeHead(200, headers)
    if (request.method === 'HEAD') response.end()
    else createReadStream(path).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const site: TestSite = {
    isolated: `${origin}/isolated/`,
    plain: `${origin}/plain/`,
    handler: null,
    [Symbol.asyncDispose]: () => closeServer(server),
  }
  return site
}

/** Builds the page of the tests as a user's bundler would, with `plumage` packed as it is published, once a run. Returns the folder. */
export async function buildPage(): Promise<string> {
  const { path } = await packPackage()
  const home = await madeOnce('test-page', async (home) => {
    // What the package depends on is found in the folders above.
    await execute('tar', ['-xzf', path], { cwd: home })
    await build({
      configFile: false,
      logLevel: 'warn',
      root: join(packageRoot, 'test/browser/page'),
      base: './',
      worker: { format: 'es' },
      resolve: { alias: { 'plumage/browser': join(home, 'package/dist/platform/browser/index.js') } },
      build: {
        outDir: join(home, 'built'),
        emptyOutDir: true,
        target: 'esnext',
        minify: false,
        assetsInlineLimit: 0,
      },
    })
  })
  return join(home, 'built')
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
