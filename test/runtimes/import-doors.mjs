/**
 * Imports modules one after the other and prints, as JSON, what each of them did beyond being loaded. It runs as a process of its own, so that
 * nothing but the modules can be the cause.
 *
 *     node import-doors.mjs <module>...
 */
import fs, { existsSync, promises, readdirSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Linux lists a process's threads here; elsewhere threads are not counted. */
const THREADS = '/proc/self/task'
const readFolder = readdirSync
const countThreads = existsSync(THREADS) ? () => readFolder(THREADS).length : () => 0
const { eventNames, listenerCount } = process
const print = process.stdout.write.bind(process.stdout)
// Node itself opens this stream as soon as anything loads node:assert.
process.stderr

// The pool of threads for files starts as a whole when it is first used, which loading a module does.
await promises.readFile(process.argv[1])
await settled()

const found = { files: [], addons: [] }
watch(found)
const results = {}
for (const door of process.argv.slice(2)) {
  found.files.length = 0
  found.addons.length = 0
  const before = {
    threads: countThreads(),
    resources: process.getActiveResourcesInfo(),
    listeners: listeners(),
  }
  await import(pathToFileURL(door).href)
  await settled()
  results[door] = {
    files: [...found.files],
    addons: [...found.addons],
    threads: countThreads() - before.threads,
    resources: added(before.resources, process.getActiveResourcesInfo()),
    listeners: added(before.listeners, listeners()),
  }
}
print(JSON.stringify(results), () => process.exit())

/** Wraps what opens, lists and looks at files, by every name under which Node hands it out, and what loads an addon. */
function watch({ files, addons }) {
  const names =
    /^(open|read|write|append|access|exists|stat|lstat|opendir|createRead|createWrite|mkdir|copy|watch)/
  for (const module of [fs, fs.promises]) {
    for (const [name, original] of Object.entries(module)) {
      if (typeof original !== 'function' || !names.test(name)) continue
      module[name] = (...args) => {
        if (!isModule(args[0])) files.push(`${name} ${args[0]}`)
        return original(...args)
      }
    }
  }
  syncBuiltinESMExports()
  const { dlopen } = process
  process.dlopen = (...args) => {
    addons.push(args[1])
    return dlopen(...args)
  }
}

/** CommonJS modules are loaded with the same functions that are watched. */
function isModule(path) {
  return /\.[cm]?js$|package\.json$/.test(String(path))
}

/** Signals and exits are listened for, say, by what would clear up behind itself. */
function listeners() {
  return eventNames
    .call(process)
    .flatMap((name) => new Array(listenerCount.call(process, name)).fill(String(name)))
}

function added(before, after) {
  const left = [...before]
  return after.filter((name) => {
    const at = left.indexOf(name)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** Lets what was begun come to the event loop. */
async function settled() {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
