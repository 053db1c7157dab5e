/**
 * Converts a network of every family, as each library writes it: in their own layout they keep every tensor, and any other library's layout either refuses a network by what it does
 * not hold, or gives the very weights back, also on the way home.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConvertError } from '../../src/convert/convert-error.js'
import { LIBRARY_NAMES, type LibraryName } from '../../src/convert/writer.js'
import { type ConvertOptions, convertModel } from '../../src/platform/node/convert/convert-model.js'
import { type OpenVitHints, openVit } from '../../src/platform/node/open-vit.js'
import { familySources } from './family-sources.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-families-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Those of other libraries are written by nobody. */
const sources = [...familySources()].filter(([, { library }]) =>
  LIBRARY_NAMES.some((name) => name === library),
)

let count = 0
const into = async (path: string, to: LibraryName, told: Partial<ConvertOptions>) => {
  const out = join(folder, `${count++}`)
  const converted = await convertModel(path, out, { ...told, to, onWarning: () => {} })
  expect(converted.lossless).toBe(true)
  return converted
}

/** No file of Meta's says how many heads there are. */
async function headsOf(path: string, told: Partial<ConvertOptions>): Promise<number> {
  await using open = await openVit(path, told as OpenVitHints)
  return open.vit.config.heads
}

const held: Record<string, number> = {}

test.each(sources)('%s', async (_name, { path, library, told }) => {
  const own = await into(path, library as LibraryName, told)
  for (const to of LIBRARY_NAMES) {
    if (to === library) continue
    try {
      const there = await into(path, to, told)
      held[to] = (held[to] ?? 0) + 1
      expect(there.weights).toBe(own.weights)
      const heads = to === 'facebook' ? { heads: await headsOf(path, told) } : {}
      const home = await into(there.path, library as LibraryName, heads)
      expect(home.weights).toBe(own.weights)
    } catch (error) {
      if (!(error instanceof ConvertError)) throw error
      expect(error.code).toBe('not-held')
    }
  }
})

test('each library holds networks of others', () => {
  for (const library of LIBRARY_NAMES) expect(held[library], library).toBeGreaterThan(0)
})
