/**
 * Does one thing with a collection in a process of its own, built code all through, with embeddings made of a file's bytes: for tests that kill it.
 *
 *     node test/support/collection-child.mjs <index|label|compact|rewrite> <collection> <photos>
 *
 * It prints what is safe: a line for each label that has been given.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { indexPhotos } from '../../dist/collection/index-photos.js'
import {
  createCollection,
  hasCollection,
  openCollection,
} from '../../dist/platform/node/collection/open-collection.js'
import { NodeFiles } from '../../dist/platform/node/files/node-files.js'

const WIDTH = 64

const identity = {
  digest: 'd'.repeat(64),
  weights: 'w'.repeat(64),
  settings: '{}',
  precision: 'float32',
  recipe: 'made',
  model: 'made',
  engine: 'none',
}

async function* examine(photos, { isKnown }) {
  for await (const photo of photos) {
    const bytes = await readFile(photo.full)
    const content = createHash('sha256').update(bytes).digest('hex')
    if (isKnown(photo, content)) {
      yield { photo, content }
      continue
    }
    const embedding = Float32Array.from({ length: WIDTH }, (_, at) =>
      Math.sin(Number.parseInt(content.slice(0, 8), 16) + at * at),
    )
    yield { photo, examined: { embedding, values: { content, height: 1, width: 1 } } }
  }
}

const [op, folder, photos] = process.argv.slice(2)
const model = { source: 'made', options: {} }
const options = { write: true, onWait: () => {} }
const collection = (await hasCollection(folder))
  ? await openCollection(folder, options)
  : await createCollection(folder, { identity, model, width: WIDTH })
if (collection.about.roots.photos === undefined) await collection.setRoots({ photos })

switch (op) {
  case 'index': {
    let clock = 0
    await indexPhotos(collection, {
      files: new NodeFiles(photos),
      scopes: [{ root: 'photos', within: '', folder: photos }],
      decodes: () => true,
      examine,
      tell: async () => ({}),
      prune: true,
      // Rows are written in many batches, so that kills fall between them.
      now: () => (clock += 1000),
    })
    break
  }
  case 'label': {
    await collection.addColumns([{ name: 'label', type: 'text' }])
    const ids = []
    for await (const { values } of collection.scan({ columns: ['id'] })) ids.push(...values.id)
    for (let at = 0; at < ids.length; at += 1 + Math.floor(Math.random() * 20)) {
      const label = `label ${Math.random()}`
      await collection.change([{ id: ids[at], values: { label } }])
      process.stdout.write(`${JSON.stringify({ id: ids[at], label })}\n`)
    }
    await collection.fold()
    break
  }
  default:
    await collection.compact({ rewrite: op === 'rewrite' })
}
await collection[Symbol.asyncDispose]()
