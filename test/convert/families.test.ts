/**
 * Converts golden networks of every family: in their own layout they keep every tensor, and any other library's layout either refuses a network by what it
 * does not hold, or gives the very weights back, also on the way home.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConvertError } from '../../src/convert/convert-error.js'
import { LIBRARY_NAMES, type LibraryName } from '../../src/convert/writer.js'
import { given } from '../../src/encoder/choose-recipe.js'
import { digestOfText } from '../../src/encoder/weight-digest.js'
import { PERIODS } from '../../src/model/grid-tables.js'
import { type ConvertOptions, convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import { type OpenVitHints, openVit } from '../../src/platform/node/open-vit.js'
import { type GoldenNetwork, goldenNetworks } from '../support/golden-networks.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-families-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Are tried beside the first network of each library's each family, since a class writes them otherwise. */
const FURTHER =
  /dinov3-(gated|bare|qkvb-token|plus)|eva02-|eva-giant|rope-(reg1|axial|mixed|cs|i-)|pe-(spatial|core-gig|lang)|beit-shared|vit-rectangle|clip-vision-sharded|siglip-vision-headless|mae-pool|ibot-(mean|scale)|deit-(distilled|teacher|headless)|aimv2|radio/

const seen = new Set<string>()
const sources = goldenNetworks().filter(({ id, library, family }) => {
  const isFirst = !seen.has(`${library}: ${family}`)
  seen.add(`${library}: ${family}`)
  return isFirst || FURTHER.test(id)
})

let count = 0
const into = async (path: string, to: LibraryName, told: Partial<ConvertOptions>) => {
  const out = join(folder, `${count++}`)
  const converted = await convertModel(path, out, { ...told, to, onWarning: () => {} })
  expect(converted.lossless).toBe(true)
  return converted
}

/** Gives the bytes of all weights by their names, without what only one layout stores: periods of rotary positions, and biases that are zeros. */
async function valuesOf(path: string, told: OpenVitHints): Promise<ReadonlyMap<string, string>> {
  await using open = await openVit(await findModel(path), told)
  const { vit } = open
  const values = new Map<string, string>()
  for (const [name, shape] of vit.weightShapes) {
    const weight = await vit.weights.read(name, shape)
    if (name.endsWith('.attn.qkv.bias') && weight.every((value) => value === 0)) continue
    // Of CLIP's the norm of all tokens may have become that of the class token.
    values.set(name.replace(/^embedding_norm\./, 'norm.'), textOf(weight))
  }
  for (const [name, table] of await vit.readTables()) if (name !== PERIODS) values.set(name, textOf(table))
  return values
}

function textOf(values: Float32Array): string {
  return digestOfText(Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('latin1'))
}

/** Tries another format and another type in one: nothing of a network in its own library's layout is lost but digits. */
async function asCopy(path: string, to: LibraryName, told: Partial<ConvertOptions>): Promise<void> {
  const out = join(folder, `${count++}`)
  const format = path.endsWith('.safetensors') || to === 'facebook' ? 'pt' : 'safetensors'
  const converted = await convertModel(path, out, { ...told, to, format, dtype: 'bf16', onWarning: () => {} })
  expect(converted.lossless).toBe(false)
}

const held: Record<string, number> = {}

test.each(sources.map((source) => [source.id, source] as const))('%s', async (_id, source) => {
  const { path, library, told } = source
  const options = given({
    network: told.network,
    heads: told.heads,
    trainedSize: told.size,
    entry: told.entry,
  })
  if (library !== null) {
    await into(path, library, options)
    await asCopy(path, library, options)
  }
  const values = await valuesOf(path, told)
  for (const to of LIBRARY_NAMES) {
    if (to === library) continue
    try {
      const there = await into(path, to, options)
      held[to] = (held[to] ?? 0) + 1
      if (library === null) continue
      // What Meta's files do not say is told again.
      const { heads, size } = await configOf(source)
      const home = await into(there.path, library, to === 'facebook' ? { heads, trainedSize: size } : {})
      expect(await valuesOf(home.path, library === 'facebook' ? { heads, size } : {}), to).toEqual(values)
    } catch (error) {
      if (!(error instanceof ConvertError)) throw error
      expect(error.code).toBe('not-held')
      expect(error.message).toMatch(
        /It can be written for |Its own library alone holds it|Choose another library/,
      )
    }
  }
})

async function configOf({ path, told }: GoldenNetwork) {
  await using open = await openVit(path, told)
  return open.vit.config
}

test('each library holds networks of others', () => {
  // open_clip's CLIP has a projection, which few networks of others have.
  for (const library of LIBRARY_NAMES)
    expect(held[library], library).toBeGreaterThan(library === 'open-clip' ? 0 : 10)
})
