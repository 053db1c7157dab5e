/** A real Chromium, and a server of a page built against the library: with the headers of cross-origin isolation and without. */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { packageRoot } from '../../src/platform/node/package-root.js'
import type { Suite } from '../browser/page/suite.js'

const execute = promisify(execFile)
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const chromiumPath = process.env.PLUMAGE_CHROMIUM ?? PLACES.find((path) => existsSync(path)) ?? null

/** @param gpu without one, `navigator.gpu` gives no adapter; with one it is an emulation, unless the machine has a real one */
export async function startChromium({ gpu = true }: { gpu?: boolean } = {}): Promise<Browser> {
  if (chromiumPath === null) throw new Error('there is no Chromium')
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--enable-unsafe-swiftshader',
      // As in Node; on an emulation, clearing memory takes most of a shader's compilation.
      '--enable-dawn-features=disable_workgroup_init',
      gpu ? '--enable-unsafe-webgpu' : '--disable-features=WebGPU',
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
  const run = ([fn, argument]: readonly [string, unknown]) =>
    (globalThis as unknown as { suite: Record<string, (argument: unknown) => unknown> }).suite[fn](argument)
  return page.evaluate<unknown, readonly [string, unknown]>(run, [name, options[0]]) as Promise<
    Awaited<ReturnType<Suite[Name]>>
  >
}

/** The same in a page of its own. */
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

/** What a test may do with a request before the files are looked at; true: it has answered. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestSite extends AsyncDisposable {
  /** Ends in a slash: a page that is cross-origin isolated. */
  readonly isolated: string
  /** The same without the headers. */
  readonly plain: string
  /** Called first with each request. */
  handler: Handler | null
}

/**
 * Serves a folder under /isolated/ and /plain/, and any further folders by their names.
 *
 * @param folders served beside the page: name to path
 */
export async function serveSite(page: string, folders: Readonly<Record<string, string>>): Promise<TestSite> {
  const roots: Readonly<Record<string, string>> = { ...folders, isolated: page, plain: page }
  const server = createServer((request, response) => {
    if (site.handler?.(request, response)) return
    const asked = new URL(request.url ?? '/', 'http://localhost').pathname
    // What cannot be decoded is the name of nothing here.
    const [, name, ...rest] = (/%(?![0-9a-f]{2})/i.test(asked) ? '' : decodeURIComponent(asked)).split('/')
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

/** Builds the page of the tests as a user's bundler would, with `plumage` packed as it is published. Returns the folder. */
export async function buildPage(): Promise<string> {
  const home = ownFolder('test-page')
  const outDir = join(home, 'built')
  const { stdout } = await execute(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', home],
    {
      cwd: packageRoot,
    },
  )
  // What it depends on is found in the folders above.
  await execute('tar', ['-xzf', stdout.trim().split('\n').at(-1) ?? ''], { cwd: home })
  await build({
    configFile: false,
    logLevel: 'warn',
    root: join(packageRoot, 'test/browser/page'),
    base: './',
    worker: { format: 'es' },
    resolve: { alias: { 'plumage/browser': join(home, 'package/dist/platform/browser/index.js') } },
    build: { outDir, emptyOutDir: true, target: 'esnext', minify: false, assetsInlineLimit: 0 },
  })
  return outDir
}

/** Of this process, since files of tests run at the same time; scripts/test.mjs takes all of them away in the end. */
export function ownFolder(name: string): string {
  const home = process.env.PLUMAGE_TEST_FOLDER ?? join(packageRoot, '.plumage/tests')
  const folder = join(home, `${name}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  return folder
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
