/**
 * `npm run page`: builds the page and serves it on this machine alone, with the headers that threads in a browser need.
 *
 *     npm run page                 # serves on port 4173
 *     npm run page -- --port 8080
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { reportError, root, setUp } from './setup.mjs'

try {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } })
  await setUp({ fastestOnly: true })
  const { build, preview } = await import('vite')
  const configFile = join(root, 'web/vite.config.ts')
  await build({ configFile, logLevel: 'warn' })
  const server = await preview({ configFile, preview: { port: Number(values.port), host: '127.0.0.1' } })
  console.log(`The page is at ${server.resolvedUrls.local[0]}  (Ctrl-C ends it)`)
} catch (error) {
  process.exitCode = reportError(error)
}
