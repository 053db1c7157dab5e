/**
 * `npm start`: sets up what is missing, then embeds the photos in examples/photos and shows which are alike.
 * `npm start -- my/photos` does the same with another folder.
 */
import { resolve } from 'node:path'
import { reportError, root, setUp } from './setup.mjs'

// npm changes to the clone's folder; paths are meant from where the person stands.
const from = process.env.INIT_CWD ?? process.cwd()
const [folder] = process.argv.slice(2)

const NEXT = `Next, with photos of your own:

    npm start -- <folder>                              which of them are alike
    npx plumage embed <folder> -o embeddings.parquet   their embeddings, in a file
    npm run page                                       look inside them in a browser
`

try {
  const { hasNative } = await setUp({ fastestOnly: true })
  process.chdir(root)
  const { showNeighbours } = await import('../examples/neighbours.mjs')
  // Without the native engine the set-up has said so, and need not be repeated.
  const options = hasNative ? {} : { onWarning() {} }
  await showNeighbours(folder === undefined ? 'examples/photos' : resolve(from, folder), options)
  console.log(NEXT)
} catch (error) {
  process.exitCode = reportError(error)
}
