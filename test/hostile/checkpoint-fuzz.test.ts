/**
 * Damaged checkpoints: whatever byte is changed and wherever a file is cut, it loads or it is refused with a
 * `CheckpointError`. There is never another error, a wait, or a read beyond the file.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ByteSource } from '../../src/checkpoint/checkpoint.js'
import { CheckpointError } from '../../src/checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { given } from '../../src/encoder/choose-recipe.js'
import { cpuSeconds } from '../support/cpu-time.js'
import { countingSource, memorySource } from '../support/memory-source.js'
import { torchZip } from '../support/torch-file.js'

const folder = ['../../../shared/goldens/malformed/', '../golden/data/malformed/']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find(existsSync)
const golden = ['valid.pt', 'hand-written.pt', 'legacy-format.pt', 'valid.safetensors']
  .map((name) => `${folder}${name}`)
  .filter(existsSync)
  .map((path) => [path.slice(path.lastIndexOf('/') + 1), new Uint8Array(readFileSync(path))] as const)
const deflated = torchZip(
  { dict: [['w', { tensor: { key: '0', count: 256, shape: [16, 16], strides: [1, 16] } }]] },
  { 0: Uint8Array.from({ length: 1024 }, (_, i) => i >> 3) },
  { deflate: ['archive/data/0', 'archive/data.pkl'] },
)

describe.each([...golden, ['deflated.pt', deflated] as const])('%s', (_, valid) => {
  test('loads as it is', async () => {
    expect(await outcome(valid)).toBe('loaded')
  })

  test('changed bytes', async () => {
    // Half of the changes at the ends, where headers and directories are.
    const place = fc.oneof(
      fc.nat(valid.length - 1),
      fc.nat(Math.min(valid.length, 4000) - 1),
      fc.nat(Math.min(valid.length, 2500) - 1).map((fromEnd) => valid.length - 1 - fromEnd),
    )
    const change = fc.tuple(place, fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff)))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = valid.slice()
        for (const [at, value] of changes) bytes[at] = value
        await outcome(bytes)
      }),
      { numRuns: 400 },
    )
  })

  test('cut at any place, or with bytes of the middle missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(valid.length - 1), fc.nat(200), async (at, missing) => {
        await outcome(valid.slice(0, at))
        await outcome(Uint8Array.from([...valid.subarray(0, at), ...valid.subarray(at + missing + 1)]))
      }),
      { numRuns: 60 },
    )
  })
})

test('noise behind any beginning is refused', async () => {
  const beginnings = [
    'PK\x03\x04',
    'PK\x05\x06',
    '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
    '\x20\0\0\0\0\0\0\0{',
    '{"weight_map":',
    '',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...beginnings),
      fc.uint8Array({ maxLength: 300 }),
      async (beginning, noise) => {
        await outcome(Uint8Array.from([...Buffer.from(beginning, 'latin1'), ...noise]))
      },
    ),
    { numRuns: 300 },
  )
})

describe('a checkpoint in three files', () => {
  const shard = (name: string, value: number) =>
    torchZip(
      { dict: [[name, { tensor: { key: '0', count: 2, shape: [2] } }]] },
      { 0: new Uint8Array(Float32Array.of(value, value).buffer) },
    )
  const index = Buffer.from(JSON.stringify({ metadata: {}, weight_map: { a: '1.bin', b: '2.bin' } }))
  const valid = { index: new Uint8Array(index), '1.bin': shard('a', 1), '2.bin': shard('b', 2) }
  const load = (files: Readonly<Record<string, Uint8Array>>) =>
    outcome(files.index ?? new Uint8Array(), async (name) => {
      const bytes = files[name]
      if (bytes === undefined) throw new CheckpointError('not-found', `${name} is not there`)
      return memorySource(bytes, name)
    })

  test('loads as it is, and not with a file taken for another', async () => {
    expect(await load(valid)).toBe('loaded')
    for (const other of ['index', '1.bin'] as const)
      expect(await load({ ...valid, '2.bin': valid[other] })).toBe('refused')
  })

  test('changed bytes of any file, and files cut anywhere', async () => {
    const place = fc
      .constantFrom(...(['index', '1.bin', '2.bin'] as const))
      .chain((file) => fc.tuple(fc.constant(file), fc.nat(valid[file].length - 1)))
    await fc.assert(
      fc.asyncProperty(place, fc.nat(255), fc.boolean(), async ([file, at], value, isCut) => {
        const bytes = isCut ? valid[file].slice(0, at) : valid[file].with(at, value)
        await load({ ...valid, [file]: bytes })
      }),
      { numRuns: 400 },
    )
  })
})

/** Opens and reads everything. Anything but success or a `CheckpointError` passes through and fails the test. */
async function outcome(
  bytes: Uint8Array,
  openSibling?: (name: string) => Promise<ByteSource>,
): Promise<'loaded' | 'refused'> {
  const source = countingSource(memorySource(bytes))
  const before = process.cpuUsage()
  try {
    const checkpoint = await openCheckpoint(source, given({ openSibling }))
    for (const [name, { byteLength }] of checkpoint.tensors) {
      expect(byteLength).toBeLessThanOrEqual(64 * bytes.length + 2 ** 26)
      if (byteLength > 2 ** 22) continue
      const tensor = await checkpoint.read(name)
      expect(tensor.bytes.length).toBe(byteLength)
    }
    return 'loaded'
  } catch (error) {
    if (error instanceof CheckpointError) return 'refused'
    throw error
  } finally {
    expect(cpuSeconds(before)).toBeLessThan(2)
    expect(source.bytesRead()).toBeLessThan(20 * bytes.length + 100_000)
  }
}
