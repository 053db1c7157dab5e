/**
 * `npm start`: sets up what is missing, then embeds the photos in examples/photos and shows which are alike.
 * `npm start -- my/photos` does the same with another folder.
 */
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reportError, setUp } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// npm changes to the clone's folder; paths are meant from where the person stands.
const from = process.env.INIT_CWD ?? process.cwd()
const [folder] = process.argv.slice(2)
try {
  await setUp()
  process.chdir(root)
  const { showNeighbours } = await import('../examples/neighbours.mjs')
  await showNeighbours(folder === undefined ? 'examples/photos' : resolve(from, folder))
} catch (error) {
  process.exitCode = reportError(error)
}
