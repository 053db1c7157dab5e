/**
 * Tries the package as a stranger gets it: packed, installed in an empty folder with its dependencies alone, and run on Node 20 and 24 and, through a
 * bundler, in a page. The Node that is not this one comes from npm for the test; where it cannot be had the test is skipped and says why.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Identity } from '../../src/index.js'
import { cacheFolder } from '../../src/platform/node/hub/hub-settings.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { chromiumPath, serveSite, sharedChromium } from '../support/chromium.js'
import { copySmallGoldens } from '../support/goldens.js'
import { LONG } from '../support/long.js'
import { MINI } from '../support/mini.js'
import { npm, type Packed, packPackage, run } from '../support/packed.js'

const execute = promisify(execFile)
const repository = fileURLToPath(new URL('../../', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'plumage-packed-'))
const photo = join(repository, 'examples/photos/hat-1.jpg')
/** The model in it takes 40 MB of these. */
const LARGEST_TARBALL_BYTES = 50e6
/**
 * A page may fetch so much before the first weights, gzip. What its threads fetch meanwhile comes before the weights in some runs and not in others, which is 4 kB.
 * What takes attention, queries, keys and values out of networks comes with the first encode that asks for them.
 */
const LARGEST_PAGE_BYTES = { wasm: 151e3, webgpu: 161e3 }

let packed: Packed
let installed: string

beforeAll(async () => {
  packed = await packPackage()
  const folder = join(home, 'user')
  await newPackage(folder)
  await npm(['install', packed.path], folder)
  installed = join(folder, 'node_modules/plumage')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('the tarball is small and holds no tests, maps, machine code or modules that are in the bundle', () => {
  expect(packed.size).toBeLessThan(LARGEST_TARBALL_BYTES)
  const strangers = packed.files.filter(({ path }) =>
    /\.test\.|\.map$|\.node$|tsbuildinfo|^(src|test|\.)|^dist\/(cli|platform\/node)\/.*\.js$/.test(path),
  )
  expect(strangers).toEqual([])
})

test('every export, the command and their types are there, and the licence with them', () => {
  const { exports, bin } = readPackage(installed)
  const targets = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  for (const target of [...targets, ...Object.values(bin), 'LICENSE', 'NOTICE', 'README.md']) {
    expect(existsSync(join(installed, target)), target).toBe(true)
  }
})

test('installing runs no script of ours', () => {
  for (const folder of [installed, join(repository, 'native')]) {
    const scripts = Object.keys(readPackage(folder).scripts ?? {})
    expect(scripts.filter((name) => /^(pre|post)?(install|prepare|publish|pack)/.test(name))).toEqual([])
  }
})

test('a TypeScript program of a stranger compiles against the types', async () => {
  const file = join(home, 'user/program.mts')
  writeFileSync(
    file,
    `import { createEncoder, cosineSimilarity } from 'plumage'
     import { loadEncoder } from 'plumage/node'
     import { inferImage, loadPretrainedModel } from 'plumage/birder'
     export const used = [createEncoder, inferImage, loadPretrainedModel]
     using encoder = await loadEncoder('small')
     const { embedding } = await encoder.encode('hat.jpg')
     export const one: number = cosineSimilarity(embedding, embedding)`,
  )
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
  ]
  const types = ['--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')]
  await run(
    process.execPath,
    [join(repository, 'node_modules/typescript/bin/tsc'), ...flags, ...types, file],
    home,
  )
})

describe.each([20, 24])('on Node %i', (major) => {
  let node: string
  let missing: string | null = null
  beforeAll(async () => {
    try {
      node = await findNode(major)
    } catch (error) {
      missing = `Node ${major} cannot be had here: ${String(error).split('\n')[0]}`
      console.warn(missing)
    }
  })

  test('the small model gives the numbers that Birder gives', async (context) => {
    if (missing !== null) return context.skip(missing)
    const program = join(home, 'user/embed.mjs')
    writeFileSync(
      program,
      `import 'plumage'
       import 'plumage/birder'
       import { loadEncoder } from 'plumage/node'
       const encoder = await loadEncoder('small', { onWarning() {} })
       const { embedding } = await encoder.encode(process.argv[2])
       encoder[Symbol.dispose]()
       console.log(JSON.stringify([process.version, ...embedding]))`,
    )
    const { stdout } = await run(node, [program, photo], join(home, 'user'))
    const [version, ...embedding] = JSON.parse(stdout) as [string, ...number[]]
    expect(version).toMatch(new RegExp(`^v${major}\\.`))
    expectEmbedding(embedding)
  })

  test('the command prints one line of JSON for one photo', async (context) => {
    if (missing !== null) return context.skip(missing)
    const command = resolve(installed, readPackage(installed).bin.plumage)
    const { stdout } = await run(node, [command, 'embed', photo], join(home, 'user'))
    const { path, embedding } = JSON.parse(stdout) as { path: string; embedding: number[] }
    expect(path).toBe(photo)
    expectEmbedding(embedding)
  })

  // On this Node, the golden tests do that. The command takes all threads, and relaxed SIMD where there is some.
  test.skipIf(!LONG || process.version.startsWith(`v${major}.`))(
    'every golden case but those of real size passes on WebAssembly',
    async (context) => {
      if (missing !== null) return context.skip(missing)
      const command = resolve(installed, readPackage(installed).bin.plumage)
      const goldens = join(home, 'goldens')
      await copySmallGoldens(goldens)
      const { stdout } = await execute(node, [command, 'verify', goldens, '--engine', 'wasm'], {
        cwd: join(home, 'user'),
        maxBuffer: 2 ** 26,
      })
      expect(stdout).toMatch(/^[1-9]\d{3,} passed, 0 failed$/m)
    },
    300_000,
  )

  // The command above takes one of these ways.
  test.skipIf(!LONG || process.version.startsWith(`v${major}.`)).for([
    { shared: false, relaxed: false },
    { shared: false, relaxed: true },
    { threads: 2, relaxed: false },
  ])(
    'every network has the activations of its library on WebAssembly, %o',
    { timeout: 300_000 },
    async (options, context) => {
      if (missing !== null) return context.skip(missing)
      if (options.relaxed && major < 22) return context.skip('relaxed SIMD came with Node 22')
      const program = join(home, 'user/goldens.mjs')
      writeFileSync(
        program,
        `import { createWasmEngine, verifyGoldens } from 'plumage/node'
         const engine = createWasmEngine(JSON.parse(process.argv[2]))
         const counts = { passed: 0, failed: 0 }
         const kinds = ['vit', 'dialect', 'end-to-end']
         for await (const { passed } of verifyGoldens(process.argv[3], { engine, kinds }))
           counts[passed ? 'passed' : 'failed']++
         engine[Symbol.dispose]()
         console.log(JSON.stringify({ ...counts, engine: engine.description }))`,
      )
      const goldens = join(repository, 'test/golden/data')
      const given = [program, JSON.stringify(options), goldens]
      const { stdout } = await execute(node, given, { cwd: join(home, 'user'), maxBuffer: 2 ** 26 })
      const { passed, failed, engine } = JSON.parse(stdout)
      expect(failed).toBe(0)
      expect(passed).toBeGreaterThan(400)
      expect(engine).toMatch(options.relaxed ? /^relaxed SIMD/ : /^SIMD/)
    },
  )
})

describe.skipIf(chromiumPath === null)('in a page, built by a bundler', () => {
  const outDir = join(home, 'page-built')
  beforeAll(async () => {
    const folder = join(home, 'user')
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><script type="module" src="./page.js"></script>',
    )
    writeFileSync(
      join(folder, 'page.js'),
      `import { loadEncoder } from 'plumage/browser'
       globalThis.embed = async (urls, model, options) => {
         const photos = await Promise.all(urls.map(async (url) => await (await fetch(url)).blob()))
         using encoder = await loadEncoder(model, { ...options, onWarning() {} })
         const embeddings = []
         for await (const { features, error } of encoder.encodeAll(photos)) {
           if (features === undefined) throw error
           embeddings.push([...features.embedding])
         }
         return { identity: encoder.identity, embeddings }
       }`,
    )
    writeFileSync(
      join(folder, 'readme.html'),
      '<!doctype html><input type="file" multiple><script type="module" src="./readme.ts"></script>',
    )
    const readme = readFileSync(join(repository, 'README.md'), 'utf8')
    const snippet = /<!-- example: browser -->\n```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
    writeFileSync(join(folder, 'readme.ts'), snippet)
    await build({
      configFile: false,
      logLevel: 'warn',
      root: folder,
      base: './',
      worker: { format: 'es' },
      build: {
        outDir,
        emptyOutDir: true,
        target: 'esnext',
        assetsInlineLimit: 0,
        rolldownOptions: { input: ['index.html', 'readme.html'].map((name) => join(folder, name)) },
      },
    })
  })

  test('what the README shows for a page runs', async () => {
    await using site = await serveSite(outDir, {})
    const browser = await sharedChromium({ gpu: false })
    const page = await browser.newPage()
    try {
      const lines: string[] = []
      page.on('console', (message) => lines.push(message.text()))
      await page.goto(`${site.isolated}readme.html`)
      const hasHandler = () => document.querySelector('input')?.onchange != null
      await page.waitForFunction(hasHandler)
      const broken = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') }
      const whole = { name: 'hat-1.jpg', mimeType: 'image/jpeg', buffer: readFileSync(photo) }
      await page.locator('input').setInputFiles([broken, whole])
      await expect.poll(() => lines.some((line) => line.startsWith('hat-1.jpg'))).toBe(true)
      expect(lines.some((line) => line.startsWith('broken.png: '))).toBe(true)
      expect(lines).toContain('bytes')
    } finally {
      await page.close()
    }
  })

  /** Returns the embeddings of photos, and the bytes that came before the weights were asked for. */
  async function embedIn(
    page: Page,
    origin: string,
    photos: readonly string[],
    model: string,
    options: object,
  ) {
    // What several threads ask for crosses the network once.
    const bodies = new Map<string, Promise<Buffer>>()
    let weightsAsked = false
    page.on('response', (response) => {
      weightsAsked ||= response.url().endsWith('.safetensors')
      const url = response.url()
      if (!weightsAsked && !url.endsWith('.jpg') && !bodies.has(url)) bodies.set(url, response.body())
    })
    await page.goto(origin)
    await page.waitForFunction(() => 'embed' in globalThis)
    const found = await page.evaluate(
      (given) =>
        (
          globalThis as unknown as {
            embed(
              urls: readonly string[],
              model: string,
              options: object,
            ): Promise<{ identity: Identity; embeddings: number[][] }>
          }
        ).embed(...given),
      [photos.map((name) => `/photos/${name}`), model, options] as const,
    )
    const sizes = (await Promise.all(bodies.values())).map((body) => gzipSync(body, { level: 9 }).length)
    expect(weightsAsked).toBe(true)
    return { ...found, byteLength: sizes.reduce((sum, size) => sum + size, 0), files: sizes.length }
  }

  const WAYS = [
    ['wasm', 'isolated', /^wasm .*2 threads/],
    ['wasm', 'plain', /^wasm .*SIMD$|1 thread/],
    ['webgpu', 'isolated', /^webgpu/],
  ] as const
  // Pages of this clone try the other ways (test/browser).
  test.each(LONG ? WAYS : WAYS.slice(0, 1))(
    '%s gives the numbers that Birder gives, on an %s page, and is soon there',
    async (engine, kind, name) => {
      await using site = await serveSite(outDir, { photos: join(repository, 'examples/photos') })
      const browser = await sharedChromium({ gpu: engine === 'webgpu' })
      const page = await browser.newPage()
      try {
        // An emulated GPU takes minutes for the trained size, and seconds longer for the model in the package than for the quick one.
        const { size, here, inPage } =
          engine === 'webgpu'
            ? { size: { size: 56 }, here: MINI, inPage: `/mini/${basename(MINI)}` }
            : { size: {}, here: 'small', inPage: 'small' }
        const options =
          engine === 'webgpu'
            ? { engine, precision: 'float32', ...size }
            : { engine, ...(kind === 'isolated' ? { threads: 2 } : {}) }
        // A GPU is given several, since what they share a run for is its own on each engine.
        const photos = ['hat-1.jpg', ...(engine === 'webgpu' ? ['hat-2.jpg', 'pants-1.jpg'] : [])]
        const found = await embedIn(page, site[kind], photos, inPage, options)
        expect(found.identity.engine).toMatch(name)
        expect(found.identity.precision).toBe('float32')
        expect(found.embeddings).toHaveLength(photos.length)
        if (engine === 'wasm') expectEmbedding(found.embeddings[0] ?? [])
        await expectThoseOfNode(photos, found.embeddings, here, size)
        // The page, the library and its worker at least.
        expect(found.files).toBeGreaterThanOrEqual(3)
        expect(found.byteLength).toBeLessThanOrEqual(LARGEST_PAGE_BYTES[engine])
        console.log(
          `${engine}, ${kind} page: ${(found.byteLength / 1000).toFixed(0)} kB gzip before the weights.`,
        )
      } finally {
        await page.close()
      }
    },
  )
})

test('npm makes `plumage` a command of the folder', async () => {
  const { stdout } = await npm(['exec', '--no', '--', 'plumage', '--version'], join(home, 'user'))
  expect(stdout.trim()).toBe(readPackage(repository).version)
})

// It comes last, since it builds the native engine, and the tests before it are of the package as it comes. Each of its commands has tests of its own.
test.skipIf(!LONG || !nativeAvailability().available)(
  'the first ten minutes go as they are written down',
  async () => {
    seedObjects()
    const text = readFileSync(join(repository, 'docs/first-ten-minutes.md'), 'utf8')
    const consoles = [...text.matchAll(/```console\n(.*?)```/gs)].map(([, block = '']) => block)
    expect(consoles).toHaveLength(5)
    for (const [index, block] of consoles.entries()) {
      // The first one is of a clone.
      const cwd = index === 0 ? repository : join(home, 'user')
      for (const [, command = '', shown = ''] of block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
        const { stdout, stderr } = await execute('sh', ['-c', command], { cwd })
        if (command.endsWith('build-native.mjs'))
          expect(stdout, 'the package has the sources of the repository').toMatch(/^compiling 1 files with /)
        const seen = comparable(`${stdout}\n${stderr}`)
        for (const line of comparable(shown)) expect(seen, command).toContain(line)
      }
    }
  },
)

/** Leaves out what differs from machine to machine: digits, the name of an instruction set, a folder; and lines that stand empty. */
function comparable(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/looked in [^)]*/, 'looked in').replace(/\d+(\.\d+)?/g, '#'))
    .map((line) => line.replace(/native,? .*/, 'native').trimEnd())
    .filter((line) => line !== '')
}

/**
 * Lays the objects of the repository's build where the package builds, but for the one that speaks Node-API: it is compiled, with
 * the headers that npm installed. Whether the sources are whole is on trial: an object is found by the text of all that it is made from, so that one
 * which is missing is an error, and one which differs is compiled.
 */
function seedObjects(): void {
  const { version } = readPackage(repository)
  const folder = join(cacheFolder(), 'native', `${version}-${process.platform}-${process.arch}`)
  const filter = (path: string) => !basename(path).startsWith('unit-addon-')
  cpSync(join(repository, 'native/build/objects'), join(folder, 'objects'), { recursive: true, filter })
}

/** Birder's numbers have six decimals; the JPEG decoder is another one. */
function expectEmbedding(embedding: readonly number[]): void {
  const { photos } = JSON.parse(readFileSync(join(repository, 'models/small/expected.json'), 'utf8')) as {
    photos: { 'hat-1.jpg': { first8: readonly number[]; l2norm: number } }
  }
  const { first8, l2norm } = photos['hat-1.jpg']
  expect(embedding).toHaveLength(384)
  for (const [index, value] of first8.entries()) expect(embedding[index]).toBeCloseTo(value, 3)
  expect(Math.hypot(...embedding)).toBeCloseTo(l2norm, 3)
}

const ofNode = new Map<string, Promise<readonly Float32Array[]>>()

/** Computes the embeddings of photos in Node, once for all pages that are compared with them. */
function embeddingsOfNode(photos: readonly string[], model: string, size: { readonly size?: number }) {
  const compute = async () => {
    using encoder = await loadEncoder(model, { engine: 'wasm', ...size })
    const paths = photos.map((name) => join(repository, 'examples/photos', name))
    return await Promise.all(paths.map(async (path) => (await encoder.encode(path)).embedding))
  }
  const key = JSON.stringify([photos, model, size])
  const known = ofNode.get(key) ?? compute()
  ofNode.set(key, known)
  return known
}

/** In another runtime they may differ by what is rounded in another order. */
async function expectThoseOfNode(
  photos: readonly string[],
  embeddings: readonly (readonly number[])[],
  model: string,
  size: { readonly size?: number },
): Promise<void> {
  for (const [index, embedding] of (await embeddingsOfNode(photos, model, size)).entries()) {
    const name = photos[index]
    const largest = Math.max(...embedding.map(Math.abs))
    const found = embeddings[index] ?? []
    const difference = Math.max(...embedding.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))))
    expect(difference / largest, name).toBeLessThan(1e-4)
  }
}

/** Finds this Node, or one from npm, where it is a package of one file per platform. */
async function findNode(major: number): Promise<string> {
  if (process.version.startsWith(`v${major}.`)) return process.execPath
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(home, `node-${major}`)
  await newPackage(folder)
  await npm(['install', '--ignore-scripts', `${name}@${major}`], folder)
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  statSync(path)
  return path
}

async function newPackage(folder: string): Promise<void> {
  const { mkdir, writeFile } = await import('node:fs/promises')
  await mkdir(folder, { recursive: true })
  await writeFile(
    join(folder, 'package.json'),
    '{ "name": "user", "version": "1.0.0", "private": true, "type": "module" }',
  )
}

interface PackageFile {
  readonly version: string
  readonly bin: { readonly plumage: string }
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly scripts?: Readonly<Record<string, string>>
}

function readPackage(folder: string): PackageFile {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile
}
