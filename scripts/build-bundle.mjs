/**
 * Puts the compiled modules that run on Node into few files, dist/bundle/node: a process that reads one file begins its work sooner than one that finds,
 * reads and links two hundred. Packages stay outside, and so do types, which stand beside the compiled modules.
 */
import { chmodSync, copyFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const compiled = (file) => join(root, 'dist', file)
/** It lies as deep as the compiled modules of platform/node, since these find the package's files from where they are. */
export const BUNDLE = compiled('bundle/node')

/** Names what is imported or run, by its file in the bundle. All share one library, so that each class of errors is there once. */
const DOORS = {
  index: 'index.js',
  node: 'platform/node/index.js',
  birder: 'platform/node/birder.js',
  cli: 'cli/main.js',
}

/**
 * Names files of the bundle with the modules that are in them, with all that these import at once. What is in one is not in those after it: the library
 * is what an encoder takes and what all write files with, since the command rarely needs the rest. Whatever awaits at its top may be in none: what it
 * imports when it is needed would wait for the file, and the file for it.
 */
const TOGETHER = {
  library: [
    'platform/node/load-encoder.js',
    'platform/node/files/write-whole.js',
    'platform/node/files/make-folder.js',
    'platform/node/files/output-lock.js',
    'encoder/short-digest.js',
    // The command names in its help what the rest can write, and both write this format.
    'formats/safetensors.js',
    'convert/dtypes.js',
    'convert/file-forms.js',
    'convert/writer.js',
    // It names in its help whose methods are followed.
    'encoder/like.js',
    // And it tells films by their names, among the inputs of all commands.
    'platform/node/video/video-name.js',
    'platform/node/video/frame-settings.js',
    // Collections walk through folders, and say what two identities differ in, as commands do.
    'work/folder-walk.js',
    'work/input-of-address.js',
    'work/work-identity.js',
    'work/work-input.js',
    'work/row-sum.js',
    // What is exported and read elsewhere is written in the formats of outputs.
    'formats/csv.js',
    'formats/npy.js',
    'formats/read-vector.js',
    'picture/map/escaped-markup.js',
  ],
  rest: [DOORS.node, DOORS.birder],
  command: [
    'cli/run.js',
    'platform/node/files/node-files.js',
    'platform/node/files/stream-output.js',
    'work/write-stream.js',
    'work/write-resumably.js',
  ],
}

/** These hold all that they need and no more: files of threads, and what the build of the addon asks before anything is installed beside it. */
const ALONE = {
  'addon-folder': 'platform/node/native/addon-folder.js',
  'wasm-worker': 'platform/node/wasm/worker.js',
  'heic-worker': 'platform/node/heic/worker.js',
  'map-worker': 'platform/node/collection/map-worker.js',
  'proof-worker': 'platform/node/collection/proof-worker.js',
}

/** Names pages that commands write: what each does and how it looks go into it as text. */
const PAGES = ['report', 'map']

/** Holds what whoever comes to the package looks for; other files are found by these. */
export const BUNDLED = [
  ...[...Object.keys(DOORS), ...Object.keys(ALONE)].map((name) => `${name}.js`),
  ...PAGES.flatMap((page) => [`${page}-script.js`, `${page}-style.css`]),
].map((name) => join(BUNDLE, name))

/** Resolves to what the bundler warns of: nothing is right there. */
export async function buildBundle() {
  // Until the set-up has installed it there is no such package.
  const { rolldown } = await import('rolldown')
  const warnings = []
  const write = async (input, codeSplitting) => {
    const bundle = await rolldown({
      input: Object.fromEntries(Object.entries(input).map(([name, file]) => [name, compiled(file)])),
      platform: 'node',
      external: isPackage,
      // That goes with sets that are not completed; the doors export what their modules do all the same, which a test looks at.
      preserveEntrySignatures: 'allow-extension',
      // What the library holds anyway is not loaded later by itself.
      checks: { ineffectiveDynamicImport: false, pluginTimings: false },
      onLog: (_level, { message }) => warnings.push(message),
    })
    const { output } = await bundle.write({
      dir: BUNDLE,
      format: 'es',
      chunkFileNames: '[name].js',
      codeSplitting,
    })
    await bundle.close()
    return output.map(({ fileName }) => fileName)
  }
  const groups = [{ debugName: 'what is loaded together', name: loadedTogether() }]
  // The sets are whole as they are: the bundler need not complete one with what is in another.
  const written = [await write(DOORS, { groups, includeDependenciesRecursively: false })]
  for (const [name, file] of Object.entries(ALONE)) written.push(await write({ [name]: file }, false))
  for (const page of PAGES) written.push(await writePage(rolldown, page, warnings))
  const current = new Set(written.flat())
  for (const file of readdirSync(BUNDLE)) if (!current.has(file)) rmSync(join(BUNDLE, file))
  // npm does so in an installed package; in a clone, npx runs it as it is.
  chmodSync(join(BUNDLE, 'cli.js'), 0o755)
  return warnings
}

/** Stands in a page of its own: one script that imports nothing, as short as it can be, beside its style. */
async function writePage(rolldown, page, warnings) {
  const bundle = await rolldown({
    input: { [`${page}-script`]: compiled(`platform/browser/${page}/page.js`) },
    platform: 'browser',
    onLog: (_level, { message }) => warnings.push(message),
  })
  const { output } = await bundle.write({ dir: BUNDLE, format: 'iife', minify: true, codeSplitting: false })
  await bundle.close()
  const style = `${page}-style.css`
  copyFileSync(join(root, `src/platform/browser/${page}/page.css`), join(BUNDLE, style))
  return [...output.map(({ fileName }) => fileName), style]
}

/** Tells what is resolved from node_modules, by Node or by the name of a scheme. */
function isPackage(id) {
  return /^(node:|@?[a-z][\w.-]*(\/|$))/.test(id)
}

/** Names the file for a module. One that is imported only when it is needed, and by no other of these, stays in a file of its own. */
function loadedTogether() {
  let files
  return (id, context) => {
    files ??= Object.entries(TOGETHER).map(([name, modules]) => ({ name, ids: importedBy(modules, context) }))
    return files.find(({ ids }) => ids.has(id))?.name ?? null
  }
}

function importedBy(modules, context) {
  const found = new Set(modules.map(compiled))
  for (const id of found)
    for (const imported of context.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}
