/** Says where the native engine is built: beside its sources in a clone, and in the cache for an installed package, whose folder npm empties. */
import { readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { cacheFolder } from '../hub/hub-settings.js'
import { packageRoot } from '../package-root.js'

export function addonFolder(): string {
  if (!packageRoot.split(sep).includes('node_modules')) return join(packageRoot, 'native/build')
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string
  }
  return join(cacheFolder(), 'native', `${version}-${process.platform}-${process.arch}`)
}
