import { expect, test } from 'vitest'
import type { StoredObject } from '../../../../storage/storage.js'
import type { ObjectServer } from './object-server.js'
import { ObjectStorage } from './object-storage.js'

/** Lists these keys in this order, and can do nothing else. */
function listing(keys: readonly string[]): ObjectStorage {
  const server: Pick<ObjectServer, 'address' | 'list'> = {
    address: 'az://container',
    async *list({ prefix }): AsyncGenerator<StoredObject> {
      for (const key of keys) yield { key: prefix + key, size: 1, version: '1', modifiedMs: 0 }
    },
  }
  return new ObjectStorage(server as ObjectServer, { prefix: 'p', partBytes: 1 })
}

async function keysOf(storage: ObjectStorage): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list()) keys.push(key)
  return keys
}

test('a server that lists names in another order than theirs, or one twice, is refused', async () => {
  expect(await keysOf(listing(['a', 'a-b', 'a/b', 'é']))).toEqual(['a', 'a-b', 'a/b', 'é'])
  await expect(keysOf(listing(['a', 'a/b', 'a-b']))).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(/^az:\/\/container\/p lists a-b behind a\/b, and not in the order/),
  })
  await expect(keysOf(listing(['a', 'a']))).rejects.toMatchObject({ code: 'refused' })
})
