/**
 * Writes test/golden/families: the part of the two further sets of golden cases (families, processors, what tools take out of a network) that is committed, so that
 * a clone alone tries every family.
 *
 *     node scripts/choose-family-goldens.mjs <folder of the families> <folder of the further ones>
 *
 * Each checkpoint keeps its first case, which is the trained size, and its last, which is another, and all that tools take out of it; the layout and the index are
 * those of the sets. What a case names of the set beside these, `../goldens`, comes to lie beside them as well.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LIMIT_BYTES = 20e6
const KINDS = ['family', 'processor', 'introspection']
/** Heads are not run but for classifiers. */
const isChosen = ({ kind, family }) => KINDS.includes(kind) || (kind === 'head' && family === 'classifier')
/** Every case of this kind is of another tool, or of another stride. */
const EACH = 'introspection'

const sources = process.argv.slice(2)
if (sources.length !== 2 || !sources.every((folder) => existsSync(join(folder, 'index.json')))) {
  console.error('Which goldens? Give the folders of both sets, each of which has an index.json.')
  process.exit(2)
}
const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test/golden/families')
rmSync(target, { recursive: true, force: true })
let total = 0
for (const [at, name] of ['families', 'more'].entries()) total += writeChosen(sources[at], join(target, name))
console.log(`${(total / 1e6).toFixed(2)} MB`)
if (total > LIMIT_BYTES) {
  console.error(`That is more than ${LIMIT_BYTES / 1e6} MB: choose fewer.`)
  process.exitCode = 1
}

function writeChosen(whole, folder) {
  const { cases, ...head } = JSON.parse(readFileSync(join(whole, 'index.json'), 'utf8'))
  const chosen = chooseCases(cases.filter(isChosen))
  const files = new Set(chosen.flatMap(pathsIn).filter((path) => existsSync(join(whole, path))))
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), readFileSync(join(whole, file)))
  }
  const lines = chosen.map((golden) => JSON.stringify(golden))
  const text = `${JSON.stringify(head).slice(0, -1)},"cases":[\n${lines.join(',\n')}\n]}\n`
  writeFileSync(join(folder, 'index.json'), text)
  console.log(`${chosen.length} of ${cases.length} cases of ${whole}, ${files.size + 1} files`)
  return [...files, 'index.json'].reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

/** A checkpoint's cases follow each other. */
function chooseCases(cases) {
  const byCheckpoint = new Map()
  for (const golden of cases) {
    const key =
      golden.kind === EACH ? golden.id : `${golden.kind} ${golden.checkpoints?.[0]?.path ?? golden.id}`
    byCheckpoint.set(key, [...(byCheckpoint.get(key) ?? []), golden])
  }
  return [...byCheckpoint.values()].flatMap((own) => (own.length > 1 ? [own[0], own.at(-1)] : own))
}

/** Finds every file that a case names, wherever in it. */
function pathsIn(value) {
  if (value === null || typeof value !== 'object') return []
  const own = typeof value.path === 'string' ? [value.path] : []
  return [...own, ...Object.values(value).flatMap(pathsIn)]
}
