/**
 * The WebAssembly engine beside onnxruntime-web in one Chromium page that is cross-origin isolated, the same weights and pixels, taking turns; with
 * `--gpu` also both systems' WebGPU. Writes bench/browser-results.json and what bench/README.md shows of it.
 *
 *     npm run bench -- --browser [--models s,b --size 224 --batch 1 --rounds 5 --threads 2 --gpu --dry]
 */
import { createReadStream, existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { flopOfOne } from './flop.mjs'
import { describeMachine } from './machine.mjs'
import { folder, modelFile, pixelFile } from './model-files.mjs'
import { browserResultsPath, writeReport } from './report.mjs'
import { compare, findTruth } from './truth.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const { values: options } = parseArgs({
  options: {
    /** Of s, b: networks `vit_reg4_*14_nps_ls`. */
    models: { type: 'string', default: 's' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Also on the GPU; on an emulated one that is a trial of the benchmark, no measurement. */
    gpu: { type: 'boolean', default: false },
    chromium: { type: 'string', default: process.env.PLUMAGE_CHROMIUM ?? '/usr/bin/chromium' },
    dry: { type: 'boolean', default: false },
  },
})
/** Seconds of a turn. */
const TURN = 1
const machine = describeMachine()
const threads = Number(options.threads ?? machine.cores)
const [side, batch, rounds] = [options.size, options.batch, options.rounds].map(Number)

const ORT = join(here, 'node_modules/onnxruntime-web/dist')
const SYSTEMS = [
  {
    name: 'Plumage, relaxed SIMD',
    kind: 'plumage',
    form: 'safetensors',
    precision: 'float32',
    relaxed: true,
  },
  { name: 'Plumage, SIMD', kind: 'plumage', form: 'safetensors', precision: 'float32', relaxed: false },
  {
    name: 'Plumage, weights in bfloat16',
    kind: 'plumage',
    form: 'safetensors',
    precision: 'bfloat16',
    relaxed: true,
  },
  {
    name: 'Plumage, weights in int8',
    kind: 'plumage',
    form: 'safetensors',
    precision: 'int8',
    relaxed: true,
  },
  {
    name: 'Plumage, weights in float16',
    kind: 'plumage',
    form: 'safetensors',
    precision: 'float16',
    relaxed: true,
  },
  { name: 'onnxruntime-web', kind: 'onnxruntime', form: 'onnx', precision: 'float32' },
  { name: 'onnxruntime-web, int8', kind: 'onnxruntime', form: 'onnx-int8', precision: 'int8' },
]
if (options.gpu) {
  SYSTEMS.push(
    { name: 'Plumage, WebGPU', kind: 'plumage-gpu', form: 'safetensors', precision: 'float32' },
    { name: 'Plumage, WebGPU, halves', kind: 'plumage-gpu', form: 'safetensors', precision: 'float16' },
    { name: 'onnxruntime-web, WebGPU', kind: 'onnxruntime-gpu', form: 'onnx', precision: 'float32' },
  )
}
const GPU_FLAGS = ['--enable-unsafe-webgpu', '--enable-unsafe-swiftshader']

const results = []
const site = await serve()
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ['--no-sandbox', ...(options.gpu ? GPU_FLAGS : [])],
})
try {
  for (const model of options.models.split(',')) results.push(await runCase(`vit_reg4_${model}14_nps_ls`))
} finally {
  await browser.close()
  site.server.close()
}
if (!options.dry) {
  writeFileSync(browserResultsPath, `${JSON.stringify(results, null, 2)}\n`)
  writeReport()
}

async function runCase(network) {
  console.log(
    `${network}, ${side} x ${side}, batch ${batch}, ${threads} threads, Chromium ${browser.version()}`,
  )
  const flop = batch * (await flopOfOne(network, side))
  const truth = await findTruth(network, side, flop / batch)
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error(error))
  await page.goto(`${site.origin}/page/index.html`)
  await page.waitForFunction(() => 'bench' in globalThis)
  const call = (name, argument) =>
    page.evaluate(([fn, given]) => globalThis.bench[fn](given), [name, argument])
  const rows = []
  const missing = []
  for (const { name, kind, form, ...settings } of SYSTEMS) {
    try {
      const model = await modelFile(network, side, form)
      const urls = {
        model: `/models/${model.slice(folder.length)}`,
        pixelsUrl: `/models/${pixelFile(side).slice(folder.length)}`,
      }
      const task = {
        name,
        kind,
        network,
        side,
        batch,
        threads,
        ort: `${site.origin}/ort/`,
        ...urls,
        ...settings,
      }
      const { version, seconds, embedding } = await call('start', task)
      console.log(`  ${name} (${version}): first pass after ${seconds.toFixed(2)} s`)
      rows.push({
        name,
        version,
        kind,
        precision: settings.precision,
        start: seconds,
        passes: [],
        ...compare(Float32Array.from(embedding), truth),
      })
    } catch (error) {
      console.log(`  ${name}: ${error.message}`)
      missing.push({ name, reason: error.message.split('\n')[0] })
    }
  }
  let peak = 0
  for (let round = 0; round < rounds; round++) {
    const first = round % rows.length
    for (const row of [...rows.slice(first), ...rows.slice(0, first)]) {
      row.passes.push(...(await call('turn', { name: row.name, seconds: TURN })))
    }
    const relaxed = rows.find(({ kind }) => kind === 'plumage')
    if (relaxed !== undefined) peak = Math.max(peak, await call('peak', { name: relaxed.name }))
    console.log(
      `  round ${round + 1}: ${rows.map(({ name, passes }) => `${name} ${median(passes).toFixed(4)}`).join('; ')}`,
    )
  }
  await page.close()
  for (const row of rows) {
    const { passes } = row
    Object.assign(row, { min: Math.min(...passes), median: median(passes), passes: passes.length })
    // What a GPU could do is not known here.
    row.share = row.kind.endsWith('-gpu') ? null : flop / row.median / peak
    console.log(
      `  ${row.name}: min ${row.min.toFixed(4)} s, median ${row.median.toFixed(4)} s, ${(flop / row.median / 1e9).toFixed(1)} GFLOP/s${row.share === null ? '' : `, ${Math.round(100 * row.share)} % of the peak`}`,
    )
  }
  return {
    date: new Date().toISOString(),
    machine,
    browser: `Chromium ${browser.version()}`,
    network,
    side,
    batch,
    threads,
    rounds,
    flop,
    peak,
    truth: truth.source,
    systems: rows,
    missing,
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** The built page, the models and onnxruntime-web's files, all cross-origin isolated. */
async function serve() {
  const outDir = join(root, '.plumage/bench-page')
  await build({
    configFile: false,
    logLevel: 'warn',
    root: join(here, 'browser'),
    base: './',
    worker: { format: 'es' },
    resolve: { alias: { 'plumage/browser': join(root, 'dist/platform/browser/index.js') } },
    build: { outDir, emptyOutDir: true, target: 'esnext', assetsInlineLimit: 0 },
  })
  const roots = { page: outDir, models: folder, ort: ORT }
  const types = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.wasm': 'application/wasm',
  }
  const server = createServer((request, response) => {
    const [, name, ...rest] = request.url.split('?')[0].split('/')
    const path = roots[name] === undefined ? '' : normalize(join(roots[name], rest.join('/')))
    if (path === '' || !path.startsWith(normalize(`${roots[name]}${sep}`)) || !existsSync(path)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, {
      'Content-Type': types[extname(path)] ?? 'application/octet-stream',
      'Content-Length': statSync(path).size,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
    })
    createReadStream(path).pipe(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${server.address().port}` }
}
