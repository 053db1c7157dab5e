/**
 * Kills what writes to a collection at random moments, again and again, while photos come, go, change and are renamed, and tells whether a row or a label was
 * ever lost or doubled, and how large the folder is in the end beside a fresh one.
 *
 *     node test/support/kill-collection.mjs [--kills 100]
 *
 * It needs the built code, and ends with 1 where anything is wrong.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkPhotos } from '../../dist/platform/node/collection/care-for.js'
import { openCollection } from '../../dist/platform/node/collection/open-collection.js'

const CHILD = join(import.meta.dirname, 'collection-child.mjs')
const OPS = ['index', 'index', 'index', 'label', 'compact', 'rewrite']

/** See kill-collection.d.mts. */
export async function killCollection({ kills, photos = 200 }) {
  const root = mkdtempSync(join(tmpdir(), 'plumage-kill-collection-'))
  try {
    const library = new Library(join(root, 'photos'))
    for (let at = 0; at < photos; at++) library.add()
    const folder = join(root, 'killed.plumage')
    const report = { kills: 0, runs: 0, rows: 0, ratio: 0, labels: 0, problems: [] }
    const labels = new Map()
    const run = async (op, moment, at = folder) => {
      const found = await runChild([op, at, library.folder], moment)
      report.runs++
      for (const line of found.stdout.split('\n').slice(0, -1)) {
        const { id, label } = JSON.parse(line)
        labels.set(id, label)
      }
      if (found.code === null) report.kills++
      else if (found.code !== 0) report.problems.push(`${op} ended with ${found.code}: ${found.stderr}`)
      return found
    }
    // What a run takes that is left alone, by what it does.
    const spans = {}
    const spanOf = async (op) => {
      const begun = performance.now()
      await run(op, null)
      spans[op] = (performance.now() - begun) * 1.1
    }
    for (const op of ['index', 'label', 'compact', 'rewrite']) await spanOf(op)
    while (report.kills < kills && report.problems.length < 4) {
      library.change()
      const op = OPS[Math.floor(Math.random() * OPS.length)]
      await run(op, Math.random() * spans[op])
    }
    await run('index', null)
    await run('compact', null)
    await compare(folder, library, labels, report)
    const fresh = join(root, 'fresh.plumage')
    await run('index', null, fresh)
    await run('label', null, fresh)
    await run('compact', null, fresh)
    report.ratio = sizeOf(folder) / sizeOf(fresh)
    if (report.ratio > 1.5)
      report.problems.push(`the folder has ${report.ratio} times the bytes of a fresh one`)
    return report
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Holds photos that change as those of people do. */
class Library {
  folder
  names = []
  #next = 0

  constructor(folder) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
  }

  add() {
    const name = `${String((this.#next * 7919) % 100_003).padStart(6, '0')}.jpg`
    writeFileSync(join(this.folder, name), `photo ${this.#next++}`)
    this.names.push(name)
  }

  change() {
    for (let at = 0; at < 5; at++) this.add()
    const any = () => Math.floor(Math.random() * this.names.length)
    const [gone] = this.names.splice(any(), 1)
    rmSync(join(this.folder, gone))
    const at = any()
    const renamed = `r${this.#next++}.jpg`
    renameSync(join(this.folder, this.names[at]), join(this.folder, renamed))
    this.names[at] = renamed
    writeFileSync(join(this.folder, this.names[any()]), `another photo ${this.#next++}`)
  }
}

async function runChild(args, moment) {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'])
    child[name].on('data', (chunk) => {
      texts[name] += chunk
    })
  const end = once(child, 'close')
  const timer = moment === null ? null : sleep(moment).then(() => child.kill('SIGKILL'))
  const [code] = await end
  await timer
  return { code, ...texts }
}

async function compare(folder, library, labels, report) {
  const collection = await openCollection(folder)
  try {
    for await (const found of checkPhotos(collection, { deep: true }))
      report.problems.push(JSON.stringify(found))
    const paths = []
    for await (const { values, count } of collection.scan({ columns: ['id', 'path', 'label'] }))
      for (let at = 0; at < count; at++) {
        paths.push(values.path[at])
        if (!labels.has(values.id[at])) continue
        report.labels++
        // One that was being given when the kill came may be there instead.
        if (values.label[at] === null) report.problems.push(`the label of ${values.path[at]} is lost`)
      }
    report.rows = paths.length
    if (String(paths.sort()) !== String([...library.names].sort()))
      report.problems.push(`${paths.length} rows for ${library.names.length} photos`)
  } finally {
    await collection[Symbol.asyncDispose]()
  }
}

function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } })
  const report = await killCollection({ kills: Number(values.kills) })
  console.log(JSON.stringify(report))
  if (report.problems.length > 0) process.exitCode = 1
}
