/**
 * Converts one network, which lies in six files of every layout, from each into each: the tensors must be those of the golden files, by names, shapes and
 * bytes, wherever the source has kept apart what the layout keeps apart.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { LibraryName } from '../../src/convert/writer.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { packageRoot } from '../support/repository.js'

const GOLDEN = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')
const SOURCES = [
  'hugging-face',
  'hugging-face-memory-names',
  'timm',
  'facebook.pth',
  'birder.safetensors',
  'birder.pt',
]
const GOLDEN_OF: Readonly<Record<Exclude<LibraryName, 'open-clip'>, string>> = {
  'hugging-face': 'hugging-face',
  timm: 'timm',
  facebook: 'facebook.pth',
  birder: 'birder.pt',
}
const LIBRARIES = Object.keys(GOLDEN_OF) as (keyof typeof GOLDEN_OF)[]
/** These add the positions of the class token to it, so that no file of theirs tells the two apart, nor has a mask token. */
const FOLDED = ['timm', 'birder.safetensors', 'birder.pt']

const folder = mkdtempSync(join(tmpdir(), 'plumage-convert-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const told = (source: string) => (source.startsWith('facebook') ? { heads: 2 } : {})

async function tensorsOf(path: string, source: string) {
  await using open = await openVit(await findModel(path), told(source))
  const found = [...open.checkpoint.tensors].map(async ([name, { shape }]) => {
    const { bytes, dtype } = await open.checkpoint.read(name)
    return [name, `${dtype} [${shape}] ${Buffer.from(bytes).toString('base64')}`] as const
  })
  return new Map((await Promise.all(found)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

describe.each(SOURCES)('from %s', (source) => {
  test.each(LIBRARIES)('into %s, as the library itself has it', async (to) => {
    const path = join(folder, `${source}-${to}`)
    const converted = await convertModel(join(GOLDEN, source), path, {
      to,
      ...told(source),
      onWarning: () => {},
    })
    expect(converted.lossless).toBe(true)
    const tensors = await tensorsOf(path, to)
    const golden = await tensorsOf(join(GOLDEN, GOLDEN_OF[to]), to)
    expect([...tensors.keys()]).toEqual([...golden.keys()])
    const isApart = ['facebook', 'hugging-face'].includes(to) && FOLDED.includes(source)
    const others = isApart ? /(cls_token|mask_token|pos_embed|position_embeddings)$/ : /^$/
    for (const [name, bytes] of golden) if (!others.test(name)) expect(tensors.get(name), name).toBe(bytes)
  })
})

test('every layout gives the digest of the source, and files appear alone', async () => {
  const digests = await Promise.all(
    LIBRARIES.map(async (to) => {
      const path = join(folder, `digest-${to}`)
      return (await convertModel(join(GOLDEN, 'hugging-face'), path, { to })).weights
    }),
  )
  expect(new Set(digests).size).toBe(1)
  expect((await readdir(folder)).filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([])
})

test('bfloat16 and back is called lossless only the second time', async () => {
  const source = join(GOLDEN, 'hugging-face')
  const narrow = join(folder, 'narrow')
  const first = await convertModel(source, narrow, { to: 'timm', dtype: 'bf16' })
  const second = await convertModel(narrow, join(folder, 'wide'), { to: 'hugging-face', dtype: 'f32' })
  const third = await convertModel(join(folder, 'wide'), join(folder, 'again'), { to: 'timm', dtype: 'bf16' })
  expect([first.lossless, second.lossless, third.lossless]).toEqual([false, true, true])
  expect(new Set([first.weights, second.weights, third.weights]).size).toBe(1)
  const weights = (name: string) => readFileSync(join(folder, name, 'model.safetensors'))
  expect(weights('again').equals(weights('narrow'))).toBe(true)
})

test('shards are read as one file is, and hold no more than they may', async () => {
  const path = join(folder, 'shards')
  const { files } = await convertModel(join(GOLDEN, 'timm'), path, {
    to: 'hugging-face',
    maxShardBytes: 40_000,
  })
  const shards = files.filter((file) => /-of-/.test(file))
  expect(shards.length).toBeGreaterThan(1)
  expect(shards.every((file) => readFileSync(file).length < 44_000)).toBe(true)
  expect((await tensorsOf(path, 'hugging-face')).size).toBe(44)
})
