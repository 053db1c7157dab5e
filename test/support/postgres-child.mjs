/**
 * Adds rows to a collection in PostgreSQL in a process of its own, until it is killed.
 *
 *     node test/support/postgres-child.mjs <address> <rows at a time>
 *
 * It prints the number of rows that are safe after each addition.
 */
import { openCollection } from '../../dist/platform/node/collection/open-collection.js'

const [place, size] = process.argv.slice(2)
const collection = await openCollection(place, { write: true, onWait: () => {} })
const { width } = collection.about
process.stdout.write('open\n')
for (let written = await collection.store.count(); ; written += Number(size)) {
  const embedding = new Float32Array(width).fill(1)
  const photos = Array.from({ length: Number(size) }, (_, at) => ({
    row: { root: 'photos', path: `${written + at}.jpg` },
    embedding,
  }))
  await collection.addPhotos(photos)
  process.stdout.write(`${written + Number(size)}\n`)
}
