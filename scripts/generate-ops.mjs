/**
 * Writes what must agree with the table of operations (src/engine/ops.ts). The outputs are committed, so that building needs no generator.
 *
 *     node scripts/generate-ops.mjs [--check]
 *
 * With `--check` nothing is written; it fails and names the files that are not what the table makes of them.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformWithOxc } from 'vite'
import { assemblyScriptOf, dispatchOf } from './generate-ops/assemblyscript.mjs'
import { headerOf, readerOf } from './generate-ops/cpp.mjs'
import { loweredOpOf } from './generate-ops/typescript.mjs'
import { paramsOf } from './generate-ops/wgsl.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const TABLE = 'src/engine/ops.ts'

const OUTPUTS = {
  'src/engine/lowered/lowered-op.ts': loweredOpOf,
  'src/engine/webgpu/shaders/params.ts': paramsOf,
  'native/src/ops.h': headerOf,
  'native/src/ops.cc': readerOf,
  'wasm/src/ops.ts': assemblyScriptOf,
  'wasm/src/dispatch.ts': dispatchOf,
}

/**
 * Takes the types off the table's text, so that the generator needs no build: the table imports nothing.
 *
 * @param {string} text
 */
export async function loadTable(text) {
  const { code } = await transformWithOxc(text, TABLE)
  return await import(`data:text/javascript,${encodeURIComponent(code)}`)
}

/**
 * @param {string} [text] of the table; default: the one that is committed
 * @returns {Promise<Map<string, string>>} the text of every output by its path from the root
 */
export async function generate(text = readFileSync(join(root, TABLE), 'utf8')) {
  const table = await loadTable(text)
  return new Map(
    Object.entries(OUTPUTS).map(([path, make]) => {
      const written = `// Generated from ${TABLE} by scripts/generate-ops.mjs: change the table and run \`node scripts/generate-ops.mjs\`.\n${make(table)}`
      return [path, path.startsWith('src/') ? formatted(path, written) : written]
    }),
  )
}

/** @returns {Promise<string[]>} the paths of the outputs that are not what the table makes of them */
export async function findStale() {
  const stale = []
  for (const [path, text] of await generate()) {
    const file = join(root, path)
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) stale.push(path)
  }
  return stale
}

/** Lets the formatter of the repository have the last word, so that its check is content. */
function formatted(path, text) {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [biome, 'check', '--write', `--stdin-file-path=${path}`],
    { cwd: root, input: text, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`biome cannot format ${path}: ${stderr}`)
  return stdout
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = await findStale()
  if (process.argv.includes('--check')) {
    for (const path of stale) console.error(`${path} is not what ${TABLE} makes of it.`)
    if (stale.length > 0) {
      console.error('Run `node scripts/generate-ops.mjs` and commit what it writes.')
      process.exitCode = 1
    }
  } else {
    const all = await generate()
    for (const path of stale) writeFileSync(join(root, path), all.get(path))
    console.log(stale.length === 0 ? 'All outputs are up to date.' : `Written: ${stale.join(', ')}`)
  }
}
