/**
 * Tries the package as it is published in what people build with: each project of test/projects is built and run, with nothing of this clone in reach,
 * and gives the numbers of the library run here. Without a network at the first set-up there are no such tools, and the tests are skipped and say so.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs'
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, createLogger, createServer, type Logger } from 'vite'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { chromiumPath, serveSite, sharedChromium } from '../support/chromium.js'
import { LONG } from '../support/long.js'
import { installProjects, run } from '../support/packed.js'
import { packageRoot } from '../support/repository.js'
import { startServer } from '../support/start-server.js'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'plumage-bundlers-')))
const user = join(home, 'user')
const photo = join(packageRoot, 'examples/photos/hat-1.jpg')
/** Keeps what other tests build in the cache away, and says how the native engine is found where it is wanted. */
const WASM = { ...process.env, PLUMAGE_CACHE: join(home, 'cache'), NEXT_TELEMETRY_DISABLED: '1', CI: '1' }
const NATIVE = { ...WASM, PLUMAGE_NATIVE_ADDON: join(packageRoot, 'native/build/plumage.node') }
const ENGINES = [
  { engine: 'wasm', env: WASM },
  ...(nativeAvailability().available ? [{ engine: 'native', env: NATIVE } as const] : []),
] as const

let missing: string | null = null

beforeAll(async () => {
  missing = await installProjects(user).catch((error) => String(error).split('\n')[0] ?? 'npm failed')
  if (missing !== null) console.warn(`Bundlers and frameworks are not tried: ${missing}.`)
})
afterAll(() => rm(home, { recursive: true, force: true }))

interface Found {
  readonly engine: string
  readonly embedding: readonly number[]
}

const known = new Map<string, Promise<Found>>()

/** Computes here what a project must find. */
function expected(engine: 'wasm' | 'native'): Promise<Found> {
  const compute = async () => {
    await using encoder = await loadEncoder('small', { engine })
    const { embedding } = await encoder.encode(photo)
    return { engine: encoder.identity.engine, embedding: [...embedding] }
  }
  const found = known.get(engine) ?? compute()
  known.set(engine, found)
  return found
}

/** The same engine gives the same bits; another number of lanes or of threads rounds in another order. */
async function expectThoseOfNode(text: string, engine: 'wasm' | 'native'): Promise<void> {
  const found = parse(text)
  const { engine: name, embedding } = await expected(engine)
  expect(found.engine).toMatch(new RegExp(`^${engine} `))
  if (found.engine === name) return expect(found.embedding).toEqual(embedding)
  expect(found.embedding).toHaveLength(embedding.length)
  const largest = Math.max(...embedding.map(Math.abs))
  for (const [index, value] of embedding.entries())
    expect(Math.abs(value - (found.embedding[index] ?? Number.NaN)) / largest).toBeLessThan(1e-4)
}

function parse(text: string): Found {
  if (!text.startsWith('{')) throw new Error(`The project gave no embedding, but: ${text}`)
  return JSON.parse(text) as Found
}

function skipWithout(context: TestContext): void {
  if (missing !== null) context.skip(missing)
}

/** Bundles the program of test/projects/node. Returns where it lies. */
async function bundle(name: string, options: readonly string[]): Promise<string> {
  const path = join(user, 'out', name)
  const esbuild = [join(user, 'node_modules/esbuild/bin/esbuild'), 'node/embed.ts']
  const all = ['--bundle', '--platform=node', `--outfile=${path}`, '--log-level=warning', ...options]
  await run(process.execPath, [...esbuild, ...all], user)
  return path
}

/** Lets CommonJS packages inside an ES module find Node's own modules. */
const REQUIRE = `--banner:js=import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url)`

/** Those that leave the package beside them load it as Node does, whatever the engine. */
const BUNDLES = [
  { name: 'beside.mjs', engines: ENGINES.slice(0, 1), options: ['--format=esm', '--external:plumage'] },
  { name: 'beside.cjs', engines: ENGINES.slice(0, 1), options: ['--format=cjs', '--external:plumage'] },
  { name: 'whole.mjs', engines: ENGINES, options: ['--format=esm', '--external:sharp', REQUIRE] },
  {
    name: 'whole.cjs',
    engines: ENGINES,
    options: ['--format=cjs', '--external:sharp', '--log-override:empty-import-meta=silent'],
  },
] as const

describe('esbuild', () => {
  // The others differ in what a file is called and in the one flag that goes with it.
  test.for(LONG ? BUNDLES : BUNDLES.filter(({ name }) => /beside.mjs|whole.cjs/.test(name)))(
    '$name gives the numbers of Node',
    async ({ name, engines, options }, context) => {
      skipWithout(context)
      const path = await bundle(name, options)
      for (const { engine, env } of engines)
        await expectThoseOfNode((await run(process.execPath, [path, photo], home, env)).stdout, engine)
    },
  )

  const GONE = [
    { gone: 'wasm/build', code: 'unavailable' },
    { gone: 'models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors', code: 'not-found' },
    { gone: 'dist/bundle/node/wasm-worker.js', code: 'unavailable' },
  ]
  test.for(LONG ? GONE : GONE.slice(0, 2))(
    'without $gone it says what to do',
    async ({ gone, code }, context) => {
      skipWithout(context)
      const path = await bundle('missing.mjs', ['--format=esm', '--external:plumage'])
      const file = join(user, 'node_modules/plumage', gone)
      await rename(file, `${file}.away`)
      try {
        const said = await run(process.execPath, [path, photo], home, WASM).catch(String)
        expect(said).toContain(`code: '${code}'`)
        expect(said).toContain(`The file is missing: ${file}`)
        expect(said).toContain('Keep the whole folder node_modules/plumage beside the program')
      } finally {
        await rename(`${file}.away`, file)
      }
    },
  )

  test.for(LONG ? ['whole.mjs', 'whole.cjs'] : ['whole.cjs'])(
    '%s alone in another folder says what it lacks',
    async (name, context) => {
      skipWithout(context)
      const path = join(home, 'alone', name)
      await cp(join(user, 'out', name), path)
      const said = await run(process.execPath, [path, photo], home, WASM).catch(String)
      expect(said).toMatch(/EngineError: .*-threads\.wasm of the package plumage, which is not found from/)
      expect(said).toContain('esbuild: --external:plumage')
      expect(said).not.toContain('ENOENT')
    },
  )

  test('without sharp it says that images cannot be decoded', async (context) => {
    skipWithout(context)
    const path = await bundle('without-sharp.mjs', ['--format=esm', '--external:plumage'])
    const folder = join(user, 'node_modules/sharp')
    await rename(folder, `${folder}.away`)
    try {
      const said = await run(process.execPath, [path, photo], home, WASM).catch(String)
      expect(said).toMatch(/ImageError: Images cannot be decoded: the package sharp does not load/)
      expect(said).toContain("code: 'unsupported'")
    } finally {
      await rename(`${folder}.away`, folder)
    }
  })
})

const RUNTIMES = [
  { name: 'Bun', packages: '@oven', file: 'bin/bun', args: ['run'] },
  {
    name: 'Deno',
    packages: '@deno',
    file: 'deno',
    args: ['run', '--allow-read', '--allow-env', '--allow-ffi'],
  },
] as const

describe.each(RUNTIMES)('$name', ({ name, packages, file, args }) => {
  test.for(ENGINES)('$engine gives the numbers of Node', async ({ engine, env }, context) => {
    skipWithout(context)
    const command = findRuntime(packages, file)
    if (command === null) return context.skip(`${name} has no package for this system`)
    const alone = { ...env, DENO_DIR: join(home, 'deno'), DENO_NO_UPDATE_CHECK: '1' }
    const { stdout } = await run(command, [...args, 'node/embed.ts', photo], user, alone)
    await expectThoseOfNode(stdout, engine)
  })
})

/** The packages that npm chose for this system hold the programs themselves. */
function findRuntime(packages: string, file: string): string | null {
  const system = `${process.platform}-${process.arch}`
  const found = ['', '-glibc', '-baseline'].map((kind) =>
    join(
      user,
      'node_modules',
      packages,
      `${packages.slice(1) === 'oven' ? 'bun-' : ''}${system}${kind}`,
      file,
    ),
  )
  return found.find((path) => existsSync(path)) ?? null
}

describe('Vite', () => {
  test('what is built for a server gives the numbers of Node', async (context) => {
    skipWithout(context)
    const { logger, warnings } = listeningLogger()
    const outDir = join(user, 'out/ssr')
    await build({
      configFile: false,
      customLogger: logger,
      root: join(user, 'node'),
      build: { ssr: 'embed.ts', outDir, emptyOutDir: true },
    })
    expect(warnings).toEqual([])
    const { stdout } = await run(process.execPath, [join(outDir, 'embed.js'), photo], home, WASM)
    await expectThoseOfNode(stdout, 'wasm')
  })

  test.skipIf(chromiumPath === null)(
    'what is built for a page needs no setting, warns of nothing and gives the numbers of Node',
    async (context) => {
      skipWithout(context)
      const { logger, warnings } = listeningLogger()
      const outDir = join(home, 'vite-built')
      await build({
        configFile: false,
        customLogger: logger,
        root: join(user, 'vite'),
        base: './',
        build: { outDir, emptyOutDir: true },
      })
      expect(warnings).toEqual([])
      await using site = await serveSite(outDir, {})
      await expectThoseOfNode(await embedInPage(site.plain), 'wasm')
    },
  )

  test.skipIf(chromiumPath === null)(
    'a page served for development warns of nothing and gives the numbers of Node',
    async (context) => {
      skipWithout(context)
      const { logger, warnings } = listeningLogger()
      const server = await createServer({
        configFile: false,
        customLogger: logger,
        root: join(user, 'vite'),
        cacheDir: join(home, 'vite-cache'),
        server: { port: 0, host: '127.0.0.1' },
      })
      try {
        await server.listen()
        await expectThoseOfNode(await embedInPage(server.resolvedUrls?.local[0] ?? ''), 'wasm')
        // Missing source maps were warned of here, one for each module.
        expect(warnings).toEqual([])
      } finally {
        await server.close()
      }
    },
  )
})

/** Keeps what Vite warns of, but for its own plugins that are slow, as they are on a busy machine. */
function listeningLogger(): { readonly logger: Logger; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const keep = (message: string) => void (message.includes('[PLUGIN_TIMINGS]') || warnings.push(message))
  return { logger: { ...createLogger('silent'), warn: keep, warnOnce: keep, error: keep }, warnings }
}

/** Its build takes a minute. */
describe.runIf(LONG)('Next.js', () => {
  const served = join(home, 'served')

  test('a route of its standalone output gives the numbers of Node, far from node_modules', async (context) => {
    skipWithout(context)
    const folder = join(user, 'next')
    const next = join(user, 'node_modules/next/dist/bin/next')
    // A cache for the next build takes a fifth of this one, and there is no next.
    const config = join(folder, 'next.config.ts')
    const text = await readFile(config, 'utf8')
    const quick = 'experimental: { turbopackFileSystemCacheForBuild: false },'
    await writeFile(config, text.replace('{\n', `{\n  ${quick}\n`))
    const { stdout, stderr } = await run(process.execPath, [next, 'build'], folder, WASM)
    expect(`${stdout}${stderr}`).not.toMatch(/source map|Module not found/i)
    await cp(join(folder, '.next/standalone'), served, { recursive: true, verbatimSymlinks: true })
    await cp(join(folder, '.next/static'), join(served, 'next/.next/static'), { recursive: true })
    await rm(folder, { recursive: true })
    await rename(join(user, 'node_modules'), join(user, 'away'))
    await using server = await startServer(join(served, 'next'), WASM)
    const answer = await fetch(`${server.address}api/embed`, { method: 'POST', body: readFileSync(photo) })
    await expectThoseOfNode(await answer.text(), 'wasm')
    if (chromiumPath !== null) await expectThoseOfNode(await embedInPage(server.address), 'wasm')
  })

  test('a server that the kernels were not copied to says so', async (context) => {
    skipWithout(context)
    await rm(join(served, 'node_modules/plumage/wasm'), { recursive: true })
    await using server = await startServer(join(served, 'next'), WASM)
    const answer = await fetch(`${server.address}api/embed`, { method: 'POST', body: readFileSync(photo) })
    expect(answer.status).toBe(500)
    await expect
      .poll(() => server.said())
      .toMatch(/EngineError\W+The WebAssembly engine cannot run\. The file is missing: .*-threads\.wasm/)
    expect(server.said()).toContain("serverExternalPackages: ['plumage']")
  })
})

/** Chooses a file in a page of any of the projects, and gives what the page shows. */
async function embedInPage(address: string): Promise<string> {
  const page = await (await sharedChromium({ gpu: false })).newPage()
  try {
    await page.goto(address, { waitUntil: 'networkidle' })
    await page.locator('input').setInputFiles(photo)
    const output = page.locator('output')
    await expect.poll(() => output.textContent(), { timeout: 60_000 }).not.toBe('')
    return (await output.textContent()) ?? ''
  } finally {
    await page.close()
  }
}
