/**
 * Fails when a room of src/ imports what it may not. The table is the architecture: ARCHITECTURE.md says it in words.
 *
 *     node scripts/check-imports.mjs [folder with src]
 *
 * It also fails on files that import each other's values or types in a circle, on Node's modules and packages where they do not belong, and on files
 * outside every room. Tests may import anything.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

const ANY = Symbol('any package')
const BELOW_ENCODER = ['tensor', 'kernels', 'checkpoint', 'image', 'engine', 'model']
const BELOW_PLATFORM = [
  'numerics',
  ...BELOW_ENCODER,
  'hub',
  'encoder',
  'convert',
  'picture',
  'birder',
  'verify',
]

/**
 * Says what each room may import: rooms, single files of rooms, types of single files, packages, Node's modules. The order is that of the
 * house: a room imports rooms above it.
 */
const ROOMS = {
  tensor: { rooms: [] },
  kernels: { rooms: [] },
  numerics: { rooms: ['tensor', 'kernels'] },
  formats: { rooms: ['tensor'], packages: ['flatbuffers', 'hyparquet', 'hyparquet-writer'] },
  checkpoint: { rooms: ['tensor'], packages: ['fflate'] },
  image: { rooms: ['tensor', 'kernels'], packages: ['fflate'] },
  engine: { rooms: ['tensor', 'kernels', 'numerics'] },
  // The network's shape is data for an engine: the family knows what a plan is and where weights go, not who runs it.
  model: {
    rooms: ['tensor', 'kernels', 'checkpoint'],
    files: ['engine/plan', 'image/preparation'],
    types: ['engine/engine'],
  },
  hub: { rooms: ['model'] },
  encoder: {
    rooms: BELOW_ENCODER,
    // Patches are projected as they come, before all of them would be in memory.
    files: ['numerics/projections'],
    types: ['hub/download-progress'],
    packages: ['@noble/hashes'],
  },
  convert: { rooms: ['formats', ...BELOW_ENCODER, 'encoder'] },
  picture: { rooms: ['tensor', 'numerics', 'image', 'model'], types: ['encoder/types'] },
  birder: { rooms: ['numerics', ...BELOW_ENCODER, 'hub', 'encoder', 'picture'] },
  verify: { rooms: ['numerics', ...BELOW_ENCODER, 'encoder', 'picture', 'birder'] },
  work: { rooms: ['formats', ...BELOW_ENCODER, 'encoder'], packages: ['@noble/hashes'] },
  // It keeps objects under keys, and knows nothing of what they are.
  storage: { rooms: ['formats'] },
  // Queues, storage and collections are handed in.
  jobs: { rooms: ['formats', ...BELOW_ENCODER, 'encoder', 'work', 'storage'], packages: ['@noble/hashes'] },
  // It keeps what work finds: files and the walk through folders come from there, stores and scorers are handed in.
  collection: {
    rooms: ['numerics', 'formats', ...BELOW_ENCODER, 'encoder', 'picture', 'work'],
    packages: ['@noble/hashes'],
  },
  'platform/node': {
    rooms: ['formats', ...BELOW_PLATFORM, 'collection', 'storage', 'jobs'],
    types: ['work/files'],
    packages: ANY,
    node: true,
  },
  'platform/browser': { rooms: [...BELOW_PLATFORM, 'collection'], packages: ['@noble/hashes'] },
  cli: {
    rooms: ['formats', ...BELOW_PLATFORM, 'work', 'collection', 'storage', 'jobs', 'platform/node'],
    packages: ANY,
    node: true,
  },
  index: { rooms: [...BELOW_PLATFORM, 'collection'] },
}

/** These files right in src belong to no room, and every room may import them; they import no room. */
const COMMON_GROUND = [
  'coded-error',
  'plain-value',
  'check-option-names',
  'nearest-names',
  'compare-names',
  'is-address',
  'clock',
  'at-once',
  'web-names',
]

/** These doors of the package are the only files that may hand the universal API on. */
const DOORS = ['platform/node/index', 'platform/browser/index']

/** @returns {string[]} a line for each violation; there are none when all is well */
export function findViolations(root) {
  const source = join(root, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.endsWith('.test.ts'))
    .sort()
  const graph = new Map()
  const violations = []
  for (const file of files) {
    const imports = importsOf(join(source, file))
    for (const { target, kind } of imports) {
      const problem = problemOf(file, target, kind)
      if (problem !== null) violations.push(`src/${file}: ${problem}`)
    }
    // Types count: two files that cannot be read without each other are one file. What is loaded later closes no circle.
    const fixed = imports.filter(({ target, kind }) => kind !== 'lazy' && target.startsWith('.'))
    graph.set(
      stemOf(file),
      fixed.map(({ target }) => resolveImport(file, target)),
    )
  }
  return [...violations, ...cyclesOf(graph).map((cycle) => `import cycle: ${cycle.join(' -> ')}`)]
}

/** Says why `file` may not import `target`, or null. */
function problemOf(file, target, kind) {
  if (COMMON_GROUND.includes(stemOf(file))) {
    const isCommon = COMMON_GROUND.includes(resolveImport(file, target))
    return isCommon ? null : `${stemOf(file)} may import no room (${target})`
  }
  const room = roomOf(file)
  if (room === null) return `belongs to no room (${Object.keys(ROOMS).join(', ')})`
  const rules = ROOMS[room]
  if (target.startsWith('node:')) return rules.node ? null : `${room} may not import Node's ${target}`
  if (!target.startsWith('.')) {
    const name = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/')
    return rules.packages === ANY || rules.packages?.includes(name)
      ? null
      : `${room} may not import the package ${name}`
  }
  const path = resolveImport(file, target)
  if (COMMON_GROUND.includes(path)) return null
  if (path.startsWith('../')) return `imports ${target}, outside src`
  if (path === 'index')
    return DOORS.includes(stemOf(file)) ? null : 'may not import index.ts, which is for users'
  const targetRoom = roomOf(path)
  if (targetRoom === null) return `imports ${target}, which belongs to no room`
  if (targetRoom === room || rules.rooms.includes(targetRoom) || rules.files?.includes(path)) return null
  return kind === 'type' && rules.types?.includes(path)
    ? null
    : `${room} may not import ${targetRoom} (${target})`
}

/** Files right in src are no room, but for the universal door. */
function roomOf(file) {
  const [first, second] = stemOf(file).split('/')
  const name = first === 'platform' ? `${first}/${second}` : first
  const alone = second === undefined && first !== 'index'
  return Object.hasOwn(ROOMS, name) && !alone ? name : null
}

function stemOf(file) {
  return file.replace(/\.(js|ts)$/, '')
}

function resolveImport(file, target) {
  return stemOf(posix.join(dirname(file), target))
}

/** Finds everything that a file imports or re-exports. By its `kind` a value is there at run time, a type is not, and a `lazy` import comes later. */
function importsOf(path) {
  const { program, errors } = parseSync(path, readFileSync(path, 'utf8'))
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0].message}`)
  const found = []
  const visit = (node) => {
    const kind = IMPORTING[node.type]?.(node)
    const target = kind === undefined ? undefined : textOf(node.source)
    if (target !== undefined) found.push({ target, kind })
    for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child)
  }
  visit(program)
  return found
}

/** Gives none where a name is put together at run time, which cannot be judged, and where an export is of the file itself. */
function textOf(source) {
  if (source?.type === 'Literal') return source.value
  return source?.type === 'TemplateLiteral' && source.expressions.length === 0
    ? source.quasis[0].value.cooked
    : undefined
}

/** Says of each node that can name another file what kind of import it is. */
const IMPORTING = {
  ImportDeclaration: ({ importKind }) => importKind,
  ExportNamedDeclaration: ({ exportKind }) => exportKind,
  ExportAllDeclaration: ({ exportKind }) => exportKind,
  TSImportType: () => 'type',
  ImportExpression: () => 'lazy',
}

/** Finds one cycle for each file that closes one, in the order of its imports. */
function cyclesOf(graph) {
  const cycles = []
  const done = new Set()
  const trail = []
  const walk = (file) => {
    if (trail.includes(file)) {
      cycles.push([...trail.slice(trail.indexOf(file)), file])
      return
    }
    if (done.has(file)) return
    trail.push(file)
    for (const next of graph.get(file) ?? []) walk(next)
    trail.pop()
    done.add(file)
  }
  for (const file of graph.keys()) walk(file)
  return cycles
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
  const violations = findViolations(root)
  for (const line of violations) console.error(line)
  if (violations.length > 0) {
    console.error(
      `${violations.length} import${violations.length === 1 ? '' : 's'} against the architecture in ${relative('.', root) || '.'}: see ARCHITECTURE.md`,
    )
    process.exitCode = 1
  }
}
