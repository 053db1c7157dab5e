import { expect, test } from 'vitest'
import { aboutFor } from '../../../../test/collection/made-collection.js'
import { Collection } from '../../../collection/collection.js'
import { createMemoryStore } from '../../../collection/memory-store.js'
import { fullPath } from './find-duplicates.js'

test('a photo lies below the folder of its root, and an address keeps both of its slashes', async () => {
  const roots = { disk: '/photos', https: 'https://', s3: 's3://' }
  const collection = await Collection.open({ store: createMemoryStore(aboutFor(4, { roots })) })
  const whole = (root: string) => fullPath(collection, { root, path: 'a/b.jpg' })
  expect(['disk', 'https', 's3'].map(whole)).toEqual([
    expect.stringMatching(/photos.a.b\.jpg$/),
    'https://a/b.jpg',
    's3://a/b.jpg',
  ])
  expect(() => whole('http')).toThrow('does not say where its root http is')
})
