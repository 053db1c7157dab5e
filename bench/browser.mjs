/**
 * Runs the WebAssembly engine beside onnxruntime-web in one Chromium page that is cross-origin isolated, with the same weights and pixels, taking
 * turns; with `--gpu` also both systems' WebGPU. Writes bench/browser-results.json and what bench/README.md shows of it.
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
import { median } from './median.mjs'
import { folder, modelFile, pixelFile } from './model-files.mjs'
import { browserResultsPath, writeReport } from './report.mjs'
import { compare, findTruth } from './truth.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const { values: options } = parseArgs({
  options: {
    /** Lists some of s, b, which mean networks `vit_reg4_*14_nps_ls`. */
    models: { type: 'string', default: 's' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Runs on the GPU too; on an emulated one that is a trial of the benchmark, no measurement. */
    gpu: { type: 'boolean', default: false },
    chromium: { type: 'string', default: process.env.PLUMAGE_CHROMIUM ?? '/usr/bin/chromium' },
    dry: { type: 'boolean', default: false },
  },
})
/** A turn takes so many seconds. */
const TURN = 1
const machine = describeMachine()
const threads = Number(options.threads ?? machine.cores)
const [side, batch, rounds] = [options.size, options.batch, options.rounds].map(Number)

const ORT = join(here, 'node_modules/onnxruntime-web/dist')
const plumage = (name, precision, relaxed = true) => ({
  name,
  kind: 'plumage',
  form: 'safetensors',
  precision,
  relaxed,
})
const GPU_SYSTEMS = [
  { name: 'Plumage, WebGPU', kind: 'plumage-gpu', form: 'safetensors', precision: 'float32' },
  { name: 'Plumage, WebGPU, halves', kind: 'plumage-gpu', form: 'safetensors', precision: 'float16' },
  { name: 'onnxruntime-web, WebGPU', kind: 'onnxruntime-gpu', form: 'onnx', precision: 'float32' },
]
const SYSTEMS = [
  plumage('Plumage, relaxed SIMD', 'float32'),
  plumage('Plumage, SIMD', 'float32', false),
  plumage('Plumage, weights in bfloat16', 'bfloat16'),
  plumage('Plumage, weights in int8', 'int8'),
  plumage('Plumage, SIMD, weights in int8', 'int8', false),
  plumage('Plumage, weights in float16', 'float16'),
  { name: 'onnxruntime-web', kind: 'onnxruntime', form: 'onnx', precision: 'float32' },
  { name: 'onnxruntime-web, int8', kind: 'onnxruntime', form: 'onnx-int8', precision: 'int8' },
  ...(options.gpu ? GPU_SYSTEMS : []),
]
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
  const version = `Chromium ${browser.version()}`
  console.log(`${network}, ${side} x ${side}, batch ${batch}, ${threads} threads, ${version}`)
  const flop = batch * (await flopOfOne(network, side))
  const truth = await findTruth(network, side, flop / batch)
  const page = await openPage()
  const { rows, missing } = await startSystems(page, network, truth)
  const peak = await runRounds(page, rows)
  await page.close()
  return {
    date: new Date().toISOString(),
    machine,
    browser: version,
    network,
    side,
    batch,
    threads,
    rounds,
    flop,
    peak,
    truth: truth.source,
    systems: rows.map((row) => finished(row, flop, peak)),
    missing,
  }
}

/** Opens the benchmark's page; `call` runs one of its functions there. */
async function openPage() {
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error(error))
  await page.goto(`${site.origin}/page/index.html`)
  await page.waitForFunction(() => 'bench' in globalThis)
  return {
    call: (name, argument) => page.evaluate(([fn, given]) => globalThis.bench[fn](given), [name, argument]),
    close: () => page.close(),
  }
}

/** Starts the systems one after the other. One that does not start is missing. */
async function startSystems({ call }, network, truth) {
  const rows = []
  const missing = []
  for (const { name, kind, form, ...settings } of SYSTEMS) {
    try {
      const model = await modelFile(network, side, form)
      const { version, seconds, embedding } = await call('start', {
        name,
        kind,
        network,
        side,
        batch,
        threads,
        ort: `${site.origin}/ort/`,
        model: `/models/${model.slice(folder.length)}`,
        pixelsUrl: `/models/${pixelFile(side).slice(folder.length)}`,
        ...settings,
      })
      console.log(`  ${name} (${version}): first pass after ${seconds.toFixed(2)} s`)
      const errors = compare(Float32Array.from(embedding), truth)
      const { precision } = settings
      rows.push({ name, version, kind, precision, start: seconds, passes: [], ...errors })
    } catch (error) {
      console.log(`  ${name}: ${error.message}`)
      missing.push({ name, reason: error.message.split('\n')[0] })
    }
  }
  return { rows, missing }
}

/** Gives every system a turn in each round, with another one first each time, and adds its passes to its row. Returns the processor's peak. */
async function runRounds({ call }, rows) {
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
  return peak
}

/** Gives a row with the sums of its passes. What a GPU could do is not known here, so it has no share of a peak. */
function finished({ passes, ...row }, flop, peak) {
  const [min, middle] = [Math.min(...passes), median(passes)]
  const share = row.kind.endsWith('-gpu') ? null : flop / middle / peak
  const ofPeak = share === null ? '' : `, ${Math.round(100 * share)} % of the peak`
  console.log(
    `  ${row.name}: min ${min.toFixed(4)} s, median ${middle.toFixed(4)} s, ${(flop / middle / 1e9).toFixed(1)} GFLOP/s${ofPeak}`,
  )
  return { ...row, passes: passes.length, min, median: middle, share }
}

/** Serves the built page, the models and onnxruntime-web's files, all cross-origin isolated. */
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
