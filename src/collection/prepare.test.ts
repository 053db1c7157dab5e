/** Makes ready what searches read, and no more. */
import { expect, test } from 'vitest'
import { aboutFor, idOf } from '../../test/collection/made-collection.js'
import { toHalf } from '../tensor/float16.js'
import { Collection } from './collection.js'
import { createMemoryStore } from './memory-store.js'
import { blockOf } from './row-block.js'

async function filesAfterPreparing(label: string) {
  const store = Object.assign(createMemoryStore(aboutFor(2)), { label })
  await using collection = await Collection.open({ store })
  const rows = [0, 1].map((at) => ({ id: idOf(at), state: 'embedded' }))
  await collection.add(blockOf(rows, ['id', 'state'], toHalf(Float32Array.of(1, 0, 0, 1))))
  await collection.prepare()
  const isThere = async (name: string) => (await store.readFile(name)) !== null
  return [await isThere('pair-sample.json'), await isThere('centroids.safetensors')]
}

test('what only searches of several collections need is made by them, but where they would have to read all embeddings from far away', async () => {
  expect(await filesAfterPreparing('/photos.plumage')).toEqual([true, false])
  expect(await filesAfterPreparing('s3://bucket/photos.plumage')).toEqual([true, true])
})
