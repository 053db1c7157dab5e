/** Finds and loads the compiled kernels; nothing is looked for before somebody asks. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../../../engine/engine-error.js'
import type { Addon } from '../../../engine/native/addon.js'
import { packageRootOrNull, requireHere } from '../package-files.js'
import { addonFolder } from './addon-folder.js'

let loaded: Addon | string | undefined

/** The addon, or why there is none, in one line. It is tried once. */
export function addonOrReason(): Addon | string {
  loaded ??= load()
  return loaded
}

/** Throws `unavailable` with the reason and what to do. */
export function loadAddon(): Addon {
  const addon = addonOrReason()
  if (typeof addon === 'string') {
    throw new EngineError('unavailable', `The native engine cannot run: ${addon}.`)
  }
  return addon
}

function load(): Addon | string {
  const require = requireHere()
  const build = howToBuild()
  const prebuilt = `@plumage/native-${process.platform}-${process.arch}`
  const built = process.env.PLUMAGE_NATIVE_ADDON ?? join(addonFolder(), 'plumage.node')
  let path = built
  if (process.env.PLUMAGE_NATIVE_ADDON === undefined) {
    try {
      path = require.resolve(prebuilt)
    } catch {
      // It is not installed: the one that was built here is taken.
    }
  }
  if (!existsSync(path)) {
    return `${built} has not been built (where there is a C++ compiler: ${build})`
  }
  try {
    const addon = require(path) as Addon
    if (addon.info().instructionSets.length > 0) return addon
    return `${path} was built for another processor; build it anew with ${build}`
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n')
    return `${path} does not load (${line}); build it anew with ${build}`
  }
}

/** A server that only the files in use were copied to has no sources to build from. */
function howToBuild(): string {
  const script = join(packageRootOrNull() ?? 'node_modules/plumage', 'scripts', 'build-native.mjs')
  if (existsSync(script)) return `node ${script}`
  return 'node node_modules/plumage/scripts/build-native.mjs where the package is whole; then copy its plumage.node here and name it in PLUMAGE_NATIVE_ADDON'
}
