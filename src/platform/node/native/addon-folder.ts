/** Says where the native engine is built: beside its sources in a clone, and in the cache for an installed package, whose folder npm empties. */
import { join, sep } from 'node:path'
import { cacheFolder } from '../hub/hub-settings.js'
import { packageRootOrNull, packageVersion } from '../package-files.js'

export function addonFolder(): string {
  const root = packageRootOrNull()
  if (root !== null && !root.split(sep).includes('node_modules')) return join(root, 'native/build')
  return join(cacheFolder(), 'native', `${packageVersion()}-${process.platform}-${process.arch}`)
}
