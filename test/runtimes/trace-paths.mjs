/**
 * Follows a load and an image through the built package: at each edge of the platform (reading a file, decoding, the addon) the functions that are
 * on the stack are written down. A function inside another counts as the outer one, since it is read there.
 *
 *     node test/runtimes/trace-paths.mjs
 */
import { readFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import sharp from 'sharp'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const dist = join(root, 'dist')
Error.stackTraceLimit = 200

/** Holds the places on the way, in the order in which they are met, as `file function`. */
let way = new Set()
let watching = false

function note() {
  if (!watching) return
  const frames = new Error().stack.split('\n').slice(3)
  const places = frames.flatMap((frame) => {
    const [, path, line, column] = /(?:file:\/\/)?(\/[^():]+\.js):(\d+):(\d+)\)?$/.exec(frame) ?? []
    if (path === undefined || !path.startsWith(dist)) return []
    return [
      `${relative(dist, path).replace(/\.js$/, '.ts')} ${outermostFunction(path, Number(line), Number(column))}`,
    ]
  })
  for (const place of places.reverse()) way.add(place)
}

const trees = new Map()

function nameOf(key) {
  return key.type === 'PrivateIdentifier' ? `#${key.name}` : key.name
}

/** Names the top-level function, or the class with its method, that holds a place. */
function outermostFunction(path, line, column) {
  if (!trees.has(path)) {
    const text = readFileSync(path, 'utf8')
    trees.set(path, { lines: text.split('\n'), statements: parseSync(path, text).program.body })
  }
  const { lines, statements } = trees.get(path)
  const at = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, column - 1)
  const holds = ({ start, end }) => start <= at && at < end
  const statement = statements.find(holds)
  const declared = statement?.declaration ?? statement
  if (declared?.type === 'ClassDeclaration') {
    const member = declared.body.body.find(holds)
    return `${declared.id.name}.${member === undefined ? 'constructor' : nameOf(member.key)}`
  }
  const variable = declared?.declarations?.find(holds)
  return (variable ?? declared)?.id?.name ?? `line ${line}`
}

/** Lets a method note who calls it. */
function watch(object, name) {
  const original = object[name]
  object[name] = function (...args) {
    note()
    return original.apply(this, args)
  }
}

watch(files, 'readFile')
syncBuiltinESMExports()
const anyFile = await files.open(fileURLToPath(import.meta.url))
watch(Object.getPrototypeOf(anyFile), 'read')
await anyFile.close()
for (const name of ['metadata', 'toBuffer']) watch(sharp.prototype, name)
const { loadAddon } = await import(join(dist, 'platform/node/native/load-addon.js'))
const addon = loadAddon()
for (const name of ['createEngine', 'allocate', 'pack', 'packStored', 'run', 'resample', 'decodeJpeg'])
  watch(addon, name)

const { loadEncoder } = await import(join(dist, 'platform/node/index.js'))
watching = true
const encoder = await loadEncoder('small', { engine: 'native' })
const load = [...way]
watching = false
// The first image of a size has its plan compiled; the second one goes the way that all others go.
await encoder.encode(join(root, 'examples/photos/hat-1.jpg'))
way = new Set()
watching = true
await encoder.encode(join(root, 'examples/photos/hat-2.jpg'))
watching = false
console.log(JSON.stringify({ load, image: [...way] }, null, 1))
await encoder[Symbol.asyncDispose]()
