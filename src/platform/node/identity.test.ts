/** One network has one identity, in whatever layout, format and number of files it lies, and on whatever engine it runs. */
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import { packageRoot } from '../../../test/support/repository.js'
import {
  asLegacy,
  asZip,
  TORCH_INDEX,
  tensorsOfShards,
  writeTorchShards,
} from '../../../test/support/torch-shards.js'
import { given } from '../../encoder/choose-recipe.js'
import type { LoadOptions } from '../../encoder/load-options.js'
import type { Identity } from '../../encoder/types.js'
import { describeModel } from './describe-model.js'
import { findModel } from './find-model.js'
import { loadEncoder } from './load-encoder.js'
import { nativeAvailability } from './native/index.js'

const DIALECTS = join(packageRoot, 'test/golden/data/dialects')
const SHARDS = join(packageRoot, 'test/field/01-identity-of-shards/model-a')

/** Counts the heads of the networks in that folder. */
const HEADS = 2

async function identityOf(model: string, options: LoadOptions = {}): Promise<Identity> {
  return (await describeModel(model, { engine: 'reference', ...options })).identity
}

test('a network in four layouts, with its positions as stored and resampled', async () => {
  const files = [
    'birder/model.safetensors',
    'facebook/model.pth',
    'hugging-face/model.safetensors',
    'timm/model.safetensors',
  ]
  for (const size of [undefined, 56]) {
    const found = await Promise.all(
      files.map((file) => {
        // Meta's files do not say how many heads there are.
        const told = file.startsWith('facebook') ? { heads: HEADS } : {}
        const path = join(DIALECTS, 'dinov2-reg4-swiglu', file)
        return identityOf(path, { recipe: 'timm', ...told, ...given({ size }) })
      }),
    )
    expect(new Set(found.map(({ weights }) => weights)).size).toBe(1)
    expect(new Set(found.map(({ settings }) => settings)).size).toBe(1)
    expect(new Set(found.map(({ digest }) => digest)).size).toBe(1)
  }
})

test('a network in shards, in one file, and under other names', async () => {
  using folder = newFolder()
  const whole = join(folder.path, 'renamed.safetensors')
  writeFileSync(whole, joined(SHARDS))
  for (const name of ['config.json', 'preprocessor_config.json'])
    copyFileSync(join(SHARDS, name), join(folder.path, name))
  const sharded = await identityOf(join(SHARDS, 'model.safetensors.index.json'))
  const single = await identityOf(whole)
  expect(single).toEqual({ ...sharded, model: 'renamed' })
})

test.each([
  ['zip', asZip],
  ['legacy', asLegacy],
])("a network in PyTorch's shards, in one file of PyTorch's, and in safetensors: %s", async (_, writer) => {
  using folder = newFolder()
  writeTorchShards(SHARDS, folder.path, writer)
  const { model, ...expected } = await identityOf(join(SHARDS, 'model.safetensors.index.json'))
  expect(model).toBe('model')
  const path = join(folder.path, TORCH_INDEX)
  expect((await findModel(folder.path)).path).toBe(path)
  expect(await identityOf(path)).toEqual({ ...expected, model: 'pytorch_model' })
  writeFileSync(join(folder.path, 'whole.bin'), writer(tensorsOfShards(SHARDS)))
  expect(await identityOf(join(folder.path, 'whole.bin'))).toEqual({ ...expected, model: 'whole' })
  rmSync(join(folder.path, 'pytorch_model-00003-of-00004.bin'))
  await expect(identityOf(path)).rejects.toMatchObject({
    name: 'CheckpointError',
    code: 'not-found',
    message: expect.stringMatching(/pytorch_model-00003-of-00004\.bin cannot be opened.* lie beside/s),
  })
})

test('what info says and what every engine puts beside its features is the same', async () => {
  const told = await identityOf(MINI, { precision: 'float32', engine: 'wasm' })
  for (const engine of ['native', 'wasm'] as const) {
    if (engine === 'native' && !nativeAvailability().available) continue
    await using encoder = await loadEncoder(MINI, { engine, precision: 'float32' })
    expect(encoder.identity).toEqual({ ...told, engine: expect.stringMatching(new RegExp(`^${engine} `)) })
  }
})

test('that a person passes a field over is told, and is part of the identity', async () => {
  const told: string[] = []
  const options = {
    engine: 'reference',
    ignoreFields: ['b', 'a', 'b'],
    onWarning: (text: string) => told.push(text),
  } as const
  const folder = join(DIALECTS, 'dinov2-reg4-swiglu/timm')
  using encoder = await loadEncoder(folder, options)
  expect(told).toContainEqual(expect.stringMatching(/a, b are passed over.*part of the identity/))
  expect(encoder.identity.digest).toBe((await identityOf(folder, { ignoreFields: ['a', 'b'] })).digest)
  expect(encoder.identity.digest).not.toBe((await identityOf(folder)).digest)
})

test('one changed byte of any shard, however little it changes, is another identity', async () => {
  const before = await identityOf(join(SHARDS, 'model.safetensors.index.json'))
  for (const shard of readdirSync(SHARDS).filter((name) => name.endsWith('.safetensors'))) {
    using folder = newFolder()
    cpSync(SHARDS, folder.path, { recursive: true })
    const bytes = readFileSync(join(SHARDS, shard))
    // The lowest bit of the last number.
    bytes[bytes.length - 4] = (bytes[bytes.length - 4] ?? 0) ^ 1
    writeFileSync(join(folder.path, shard), bytes)
    const after = await identityOf(join(folder.path, 'model.safetensors.index.json'))
    expect(after.weights).not.toBe(before.weights)
    expect(after.digest).not.toBe(before.digest)
    expect(after.settings).toBe(before.settings)
  }
})

function newFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'plumage-identity-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Puts the tensors of all shards into one file, the last shard's first. */
function joined(folder: string): Uint8Array {
  const header: Record<string, object> = {}
  const parts: Uint8Array[] = []
  let length = 0
  for (const name of readdirSync(folder)
    .filter((one) => one.endsWith('.safetensors'))
    .reverse()) {
    const bytes = readFileSync(join(folder, name))
    const start = 8 + Number(bytes.readBigUInt64LE())
    const entries: Record<string, { data_offsets: [number, number] }> = JSON.parse(
      bytes.toString('utf8', 8, start),
    )
    for (const [tensor, { data_offsets, ...rest }] of Object.entries(entries)) {
      if (tensor === '__metadata__') continue
      const [from, to] = data_offsets
      header[tensor] = { ...rest, data_offsets: [length, length + to - from] }
      parts.push(bytes.subarray(start + from, start + to))
      length += to - from
    }
  }
  const text = Buffer.from(JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([size, text, ...parts])
}
