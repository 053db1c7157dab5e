/**
 * Kills the command line at random moments, again and again, and tells whether a finished row was ever lost, computed twice or doubled. Whenever
 * a run ends by itself photos are added, so that finished outputs are killed while they grow too.
 *
 *     node test/support/kill-soak.mjs [--kills 100] [--format csv|jsonl|npy|parquet|features]
 *
 * Without a format each has its share of the kills. It needs the built command line, and ends with 1 where anything was lost or doubled.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FORMATS = ['csv', 'jsonl', 'npy', 'parquet', 'features']
const MAIN = resolve('test/cli/stand-in-main.mjs')

/** See kill-soak.d.mts. */
export async function killSoak({ format, kills, photos = 300, more = 60, delayMs = 1 }) {
  const root = mkdtempSync(join(tmpdir(), 'plumage-kills-'))
  try {
    const killed = new Work(join(root, 'killed'), format, delayMs)
    killed.addPhotos(photos)
    const report = { kills: 0, runs: 0, rows: photos, lost: 0, twice: 0, problems: [] }
    // A run that is left alone takes about so long; it is killed at any time up to a little more.
    let span = 1500
    while (report.kills < kills || report.runs === 0 || !killed.isDone) {
      const safe = killed.safeRows()
      const before = killed.computed().length
      const begun = performance.now()
      const moment = report.kills < kills ? Math.random() * span : null
      const { code, stderr } = await killed.run(moment)
      report.runs++
      if (code === null) report.kills++
      else if (code !== 0) report.problems.push(`run ${report.runs} ended with ${code}: ${stderr}`)
      else span = Math.max(300, (performance.now() - begun) * 1.1)
      report.lost += killed
        .computed()
        .slice(before)
        .filter((path) => safe.has(path)).length
      if (report.problems.length > 3) break
      if (code === 0 && report.kills < kills) {
        killed.addPhotos(more)
        report.rows += more
      }
    }
    const quiet = new Work(join(root, 'quiet'), format, 0)
    quiet.addPhotos(report.rows)
    await quiet.run(null)
    const names = killed.rowNames()
    report.twice = names.length - new Set(names).size
    if (names.length !== report.rows) report.problems.push(`${names.length} rows of ${report.rows}`)
    report.problems.push(...differences(killed.outputs(), quiet.outputs()))
    return report
  } finally {
    rmSync(root, { recursive: true })
  }
}

class Work {
  isDone = false
  #folder
  #format
  #delayMs
  #photos = 0

  constructor(folder, format, delayMs) {
    this.#folder = folder
    this.#format = format
    this.#delayMs = delayMs
    mkdirSync(join(folder, 'photos'), { recursive: true })
  }

  addPhotos(count) {
    for (let i = this.#photos; i < this.#photos + count; i++) {
      // Their order is not that in which they came.
      const name = `${String((i * 7919) % 100_003).padStart(6, '0')}.jpg`
      writeFileSync(join(this.#folder, 'photos', name), name)
    }
    this.#photos += count
    this.isDone = false
  }

  /** Kills it after so many milliseconds, unless that is null; `code` is null where it was killed. */
  async run(moment) {
    const args =
      this.#format === 'features'
        ? ['features', 'photos', '-o', 'x']
        : ['embed', 'photos', '-o', this.#output]
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.#folder,
      env: { ...process.env, LOG: join(this.#folder, 'log'), DELAY_MS: String(this.#delayMs) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    const end = once(child, 'close')
    const timer = moment === null ? null : sleep(moment).then(() => child.kill('SIGKILL'))
    const [code] = await end
    await timer
    this.isDone = code === 0
    return { code, stderr }
  }

  /** Names the images that have been computed, each as often as it was. */
  computed() {
    return textLines(join(this.#folder, 'log'))
  }

  /** Names the images whose rows are safe on the disk now: none of them may be computed again. */
  safeRows() {
    const paths =
      this.#format === 'features'
        ? this.#entries('x/index.jsonl')
        : this.#entries(`${this.#output}.inputs.jsonl`)
    const parts = join(this.#folder, `${this.#output}.parts`)
    for (const name of existsSync(parts) ? readdirSync(parts) : []) {
      if (!name.endsWith('.part')) continue
      const bytes = readFileSync(join(parts, name))
      const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()
      paths.push(...JSON.parse(header).map(({ path }) => path))
    }
    return new Set(paths.map((path) => join(this.#folder, path)))
  }

  rowNames() {
    return this.#format === 'features'
      ? this.#entries('x/index.jsonl')
      : this.#entries(`${this.#output}.inputs.jsonl`)
  }

  /** Holds each file that a run has left, but for the log and what is named after the time. */
  outputs() {
    const files = new Map()
    const walk = (folder) => {
      for (const entry of readdirSync(join(this.#folder, folder), { withFileTypes: true })) {
        const path = join(folder, entry.name)
        if (path === 'log' || path === 'photos') continue
        if (entry.isDirectory()) walk(path)
        else files.set(path, readFileSync(join(this.#folder, path)))
      }
    }
    walk('')
    return files
  }

  get #output() {
    return `x.${this.#format}`
  }

  #entries(file) {
    return textLines(join(this.#folder, file)).map((line) => JSON.parse(line).path)
  }
}

/** The last line may be cut off by a kill. */
function textLines(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

/** Lists of inputs hold times, and an index the order in which images were done: only what is made of images must be equal. */
function differences(killed, quiet) {
  const isOutput = (path) => !/\.(inputs\.jsonl|meta\.json)$|index\.jsonl$/.test(path)
  const names = (files) => [...files.keys()].filter((path) => !path.endsWith('.tmp')).sort()
  const found = []
  if (String(names(killed)) !== String(names(quiet))) {
    found.push(`files ${names(killed).slice(0, 9)} where a run left alone leaves ${names(quiet).slice(0, 9)}`)
  }
  for (const [path, bytes] of quiet) {
    if (isOutput(path) && killed.get(path)?.equals(bytes) !== true) found.push(`${path} differs`)
  }
  return found
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { kills: { type: 'string', default: '100' }, format: { type: 'string' } },
  })
  const formats = values.format === undefined ? FORMATS : [values.format]
  for (const format of formats) {
    const report = await killSoak({ format, kills: Math.ceil(Number(values.kills) / formats.length) })
    console.log(format, JSON.stringify(report))
    if (report.lost + report.twice + report.problems.length > 0) process.exitCode = 1
  }
}
