import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aboutFor } from '../../../../test/collection/made-collection.js'
import { schemaOf } from './arrow-rows.js'
import { LanceConnection } from './lance-connection.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-connection-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('LanceDB is connected anew before keys end, and its table stays at the version that was opened', async () => {
  let asked = 0
  // Keys are good for an hour, then for four minutes, which are too few to begin anything.
  const lasts = [3600_000, 4 * 60_000 - 1, 3600_000]
  const place = {
    address: async () => ({ uri: folder, expiresMs: Date.now() + (lasts[asked++] ?? 0) }),
  }
  const writer = new LanceConnection({ address: async () => ({ uri: folder }) })
  await writer.create('photos', schemaOf(writer.arrow, aboutFor(4)))
  const long = new LanceConnection(place)
  await long.open('photos')
  await Promise.all([long.table(), long.table()])
  expect(asked).toBe(1)
  const short = new LanceConnection(place)
  const version = await (await short.open('photos')).version()
  expect(asked).toBe(2)
  await (await writer.table()).addColumns([{ name: 'more', valueSql: "'x'" }])
  const tables = await Promise.all([short.table(), short.table(), short.table()])
  expect(asked).toBe(3)
  for (const table of tables) expect(await table.version()).toBe(version)
  expect((await (await short.open('photos')).schema()).fields.at(-1)?.name).toBe('more')
  for (const one of [writer, long, short]) one.close()
})
