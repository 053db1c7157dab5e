/** Finds the files of this package that are opened while it runs, also for a program that a bundler has made of it. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Each address is written out, so that whatever follows a program to its files, as Next.js does for its standalone output, takes these along. Sources,
 * compiled files and the bundle stand equally deep. A thread's file must be built also where this one runs from its source.
 */
const ADDRESSES = {
  'package.json': () => new URL('../../../package.json', import.meta.url),
  'wasm/build/simd.wasm': () => new URL('../../../wasm/build/simd.wasm', import.meta.url),
  'wasm/build/simd-threads.wasm': () => new URL('../../../wasm/build/simd-threads.wasm', import.meta.url),
  'wasm/build/relaxed.wasm': () => new URL('../../../wasm/build/relaxed.wasm', import.meta.url),
  'wasm/build/relaxed-threads.wasm': () =>
    new URL('../../../wasm/build/relaxed-threads.wasm', import.meta.url),
  'dist/bundle/node/wasm-worker.js': () =>
    new URL('../../../dist/bundle/node/wasm-worker.js', import.meta.url),
  'dist/bundle/node/heic-worker.js': () =>
    new URL('../../../dist/bundle/node/heic-worker.js', import.meta.url),
  'dist/bundle/node/report-script.js': () =>
    new URL('../../../dist/bundle/node/report-script.js', import.meta.url),
  'dist/bundle/node/report-style.css': () =>
    new URL('../../../dist/bundle/node/report-style.css', import.meta.url),
  'dist/bundle/node/map-worker.js': () => new URL('../../../dist/bundle/node/map-worker.js', import.meta.url),
  'dist/bundle/node/proof-worker.js': () =>
    new URL('../../../dist/bundle/node/proof-worker.js', import.meta.url),
  'dist/bundle/node/map-script.js': () => new URL('../../../dist/bundle/node/map-script.js', import.meta.url),
  'dist/bundle/node/map-style.css': () => new URL('../../../dist/bundle/node/map-style.css', import.meta.url),
  'models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors': () =>
    new URL('../../../models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors', import.meta.url),
}

export type PackageFile = keyof typeof ADDRESSES

/** Makes the error of whoever needs the file. */
type ErrorOf = (message: string) => Error

/** Gives the path of a file that is there. Throws what `errorOf` makes of a message that names it and says what to do. */
export function packageFile(name: PackageFile, errorOf: ErrorOf): string {
  const root = packageRootOrNull()
  const path = root === null ? null : join(root, name)
  if (path !== null && existsSync(path)) return path
  const where = path ?? `${name} of the package plumage, which is not found from ${programPath()}`
  throw errorOf(
    `The file is missing: ${where}. Keep the whole folder node_modules/plumage beside the program, and leave plumage out of what a bundler puts together (esbuild: --external:plumage; Next.js: serverExternalPackages: ['plumage']).`,
  )
}

let root: string | null | undefined

/** Gives the package's folder, or null where a bundler has put these modules into a program and the package is not beside it. */
export function packageRootOrNull(): string | null {
  if (root === undefined) root = rootOfModules() ?? rootBesideProgramOrNull()
  return root
}

/** Is of the version that runs, whose number is `unknown` where the package is not beside the program. */
export function packageVersion(): string {
  const root = packageRootOrNull()
  return root === null ? 'unknown' : readPackage(root).version
}

/** Finds other packages from where this module lies, or from the program that a bundler has made of it. */
export function requireHere(): NodeJS.Require {
  return createRequire(import.meta.url ?? pathToFileURL(programPath()))
}

/** In a CommonJS bundle, modules have no address. */
function programPath(): string {
  return import.meta.url === undefined ? (process.argv[1] ?? process.cwd()) : fileURLToPath(import.meta.url)
}

/** A bundle may lie in a folder of any depth: what is found three folders above it is then another package, or none. */
function rootOfModules(): string | null {
  if (import.meta.url === undefined) return null
  const folder = dirname(fileURLToPath(ADDRESSES['package.json']()))
  return existsSync(join(folder, 'package.json')) && readPackage(folder).name === 'plumage' ? folder : null
}

function rootBesideProgramOrNull(): string | null {
  try {
    return dirname(requireHere().resolve('plumage/package.json'))
  } catch {
    return null
  }
}

function readPackage(folder: string): { readonly name?: string; readonly version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
