/** What `packModel` writes is found by later loads, gives the same numbers, and is refused aloud as soon as it is not what it should be. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MINI } from '../../../test/support/mini.js'
import { packageRoot } from '../../../test/support/repository.js'
import { smallDiskOrNull } from '../../../test/support/small-disk.js'
import { Network } from '../../encoder/network.js'
import { createNativeEngineOn } from '../../engine/native/native-engine.js'
import { describeModel } from './describe-model.js'
import { loadEncoder } from './load-encoder.js'
import { nativeAvailability } from './native/index.js'
import { loadAddon } from './native/load-addon.js'
import { openVit } from './open-vit.js'
import { packModel } from './pack-model.js'
import { packedWeightsOf } from './packed/packed-files.js'
import { readPackedHeader, writePackedHeader } from './packed/packed-header.js'
import { listPacked, removePacked } from './packed/packed-list.js'

const PHOTO = join(packageRoot, 'examples/photos/hat-1.jpg')

let folder: string
let model: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-pack-'))
  // It was written long ago, so that nobody waits until a change would show in its times.
  model = MINI
  vi.stubEnv('PLUMAGE_CACHE', join(folder, 'cache'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** Gives what is said of packed weights, and what is computed. */
async function encode(options: Parameters<typeof loadEncoder>[1] = {}) {
  const warnings: string[] = []
  const onWarning = (warning: string) => void warnings.push(warning)
  await using encoder = await loadEncoder(model, { engine: 'native', onWarning, ...options })
  const { embedding, patches } = await encoder.encode(PHOTO)
  return { warnings, embedding, patches, identity: encoder.identity }
}

describe.skipIf(!nativeAvailability().available)('packed weights', () => {
  test('give the same identity and the same numbers in each precision, also where nothing else is noted', async () => {
    for (const precision of ['float32', 'bfloat16', 'int8'] as const) {
      const before = await encode({ precision })
      const packed = await packModel(model, { engine: 'native', precision })
      expect(packed).toMatchObject({ precision, instructionSet: nativeAvailability().instructionSets[0] })
      const described = await describeModel(model, { engine: 'native', precision })
      expect(described.packed).toBe(packed.path)
      rmSync(join(folder, 'cache', 'weight-digests'), { recursive: true, force: true })
      expect(await encode({ precision })).toEqual(before)
    }
    // One for each precision.
    expect(await listPacked()).toHaveLength(3)
  })

  test('are all that is read of the weights', async () => {
    await packModel(model, { engine: 'native', precision: 'float32' })
    await using open = await openVit(model)
    const untouched = () => Promise.reject(new Error('a weight was read'))
    const vit = { ...open.vit, weights: { read: untouched, stored: untouched } }
    await using engine = createNativeEngineOn(loadAddon())
    const packed = packedWeightsOf(open.origin, expect.unreachable)
    using network = await Network.load(vit, engine, { packed })
    expect(network.byteLength).toBeGreaterThan(0)
    await expect(Network.load(vit, engine)).rejects.toThrow('a weight was read')
  })

  test('are refused with the reason where anything is not as it should be, and the numbers stay right', async () => {
    const before = await encode({ precision: 'float32' })
    const { path } = await packModel(model, { engine: 'native', precision: 'float32' })
    const whole = readFileSync(path)
    const spoilt = (change: (bytes: Buffer) => Buffer) => () =>
      writeFileSync(path, change(Buffer.from(whole)))
    const flipped = (at: number) =>
      spoilt((bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 4
        return bytes
      })
    const replaceByFolder = () => {
      rmSync(path)
      mkdirSync(path)
    }
    const cases: readonly (readonly [reason: string, spoil: () => void])[] = [
      ['it is cut off', () => truncateSync(path, whole.length - 1)],
      ['it is cut off', () => truncateSync(path, 40)],
      ['it holds no packed weights', () => truncateSync(path, 0)],
      ['it holds no packed weights', () => writeFileSync(path, 'something else altogether')],
      ['it is longer than it should be', spoilt((bytes) => Buffer.concat([bytes, Buffer.alloc(4)]))],
      ['its head is damaged', flipped(100)],
      ['its bytes are damaged', flipped(whole.length - 1)],
      ['its bytes are damaged', flipped(2 ** 16)],
      ['its bytes are damaged', flipped(Math.floor(whole.length / 2))],
      ['they cannot be read', replaceByFolder],
    ]
    for (const [reason, spoil] of cases) {
      spoil()
      const { warnings, ...result } = await encode({ precision: 'float32' })
      expect(warnings, reason).toEqual([expect.stringContaining(`${path} are not used, since ${reason}`)])
      expect({ warnings: [], ...result }).toEqual(before)
      rmSync(path, { recursive: true })
      writeFileSync(path, whole)
    }
    expect((await encode({ precision: 'float32' })).warnings).toEqual([])
  })

  test('are refused once the checkpoint is another, also under the same size and time', async () => {
    model = join(folder, 'deit3_reg4_t14.safetensors')
    copyFileSync(MINI, model)
    const { path } = await packModel(model, { engine: 'native', precision: 'float32' })
    const bytes = readFileSync(model)
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
    const { atime, mtime } = statSync(model)
    writeFileSync(model, bytes)
    utimesSync(model, atime, mtime)
    const changed = await encode({ precision: 'float32' })
    expect(changed.warnings).toEqual([
      expect.stringContaining(`${path} are not used, since the checkpoint has been changed or moved since`),
    ])
    rmSync(path)
    expect(await encode({ precision: 'float32' })).toEqual({ ...changed, warnings: [] })
    // Packed anew, the file is that of the checkpoint as it is now.
    expect((await packModel(model, { engine: 'native', precision: 'float32' })).path).toBe(path)
    expect(await encode({ precision: 'float32' })).toEqual({ ...changed, warnings: [] })
  })

  test('of another version of the library, or of code that packs in another way, are refused', async () => {
    const { path } = await packModel(model, { engine: 'native', precision: 'float32' })
    const bytes = readFileSync(path)
    const read = await readPackedHeader(
      async (from, length) => bytes.subarray(from, from + length),
      bytes.length,
    )
    if (typeof read === 'string') throw new Error(read)
    for (const [other, reason] of [
      [{ plumage: '0.0.9' }, 'it was made by plumage 0.0.9'],
      [{ versions: [7, 7] }, 'it was made by plumage'],
      [{ packing: 'a'.repeat(64) }, 'they are packed in another way than this build'],
      [{ network: 'a'.repeat(64) }, 'they are those of another network'],
      [{ precision: 'int8' }, 'they are those of another network'],
    ] as const) {
      const head = writePackedHeader({ ...read.header, ...other })
      writeFileSync(path, Buffer.concat([head, bytes.subarray(read.offset)]))
      const { warnings } = await encode({ precision: 'float32' })
      expect(warnings, reason).toEqual([expect.stringContaining(`since ${reason}`)])
    }
  })

  test('are not looked for by an engine that runs on none', async () => {
    await packModel(model, { engine: 'native', precision: 'float32' })
    await expect(packModel(model, { engine: 'wasm' })).rejects.toThrow(
      'The engine wasm keeps no packed weights in files',
    )
    expect((await describeModel(model, { engine: 'reference' })).packed).toBeNull()
  })

  test('are listed and taken away', async () => {
    expect(await listPacked()).toEqual([])
    const { path } = await packModel(model, { engine: 'native', precision: 'float32' })
    const notOurs = join(dirname(path), 'notes.packed')
    writeFileSync(notOurs, 'the notes of somebody')
    mkdirSync(join(dirname(path), 'folder.packed'))
    // One that was cut off is ours still.
    const cut = join(dirname(path), 'zzz.packed')
    writeFileSync(cut, readFileSync(path).subarray(0, 40))
    const files = await listPacked()
    expect(files).toMatchObject([
      { path, content: { model: 'deit3_reg4_t14_tiny-imagenet', precision: 'float32' } },
      { path: cut, content: 'it is cut off' },
    ])
    await removePacked(files)
    expect(await listPacked()).toEqual([])
    expect([path, cut, notOurs].map((file) => existsSync(file))).toEqual([false, false, true])
    rmSync(notOurs)
  })

  test('are not put into a file where a layer is kept wider than asked for', async () => {
    const massive = join(packageRoot, 'test/golden/families/more/massive/register-70000')
    const options = { engine: 'native', precision: 'int8' } as const
    await expect(packModel(massive, options)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/kept in bfloat16.* Pack it in float32/),
    })
    expect((await packModel(massive, { ...options, precision: 'float32' })).precision).toBe('float32')
  })

  test('never take the place of a file that is none, and one at a time writes them', async () => {
    const { path } = await packModel(model, { engine: 'native', precision: 'float32' })
    writeFileSync(path, 'the notes of somebody')
    await expect(packModel(model, { engine: 'native', precision: 'float32' })).rejects.toEqual(
      expect.objectContaining({ code: 'not-writable' }),
    )
    expect(readFileSync(path, 'utf8')).toBe('the notes of somebody')
    rmSync(path)
    const both = await Promise.allSettled(
      [1, 2].map(() => packModel(model, { engine: 'native', precision: 'float32' })),
    )
    expect(both.map(({ status }) => status)).toContain('fulfilled')
    for (const result of both)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'locked' })
    expect((await encode({ precision: 'float32' })).warnings).toEqual([])
  })

  test('leave nothing behind on a full disk, nor on one that is read-only', async ({ skip }) => {
    using disk = smallDiskOrNull('1m')
    if (disk === null) return skip()
    vi.stubEnv('PLUMAGE_CACHE', disk.path)
    const options = { engine: 'native', precision: 'float32' } as const
    await expect(packModel(model, options)).rejects.toEqual(expect.objectContaining({ code: 'disk-full' }))
    expect(readdirSync(join(disk.path, 'packed'))).toEqual([])
    disk.remount('ro')
    await expect(packModel(model, options)).rejects.toEqual(expect.objectContaining({ code: 'not-writable' }))
    // Loading goes on without it.
    expect((await encode(options)).warnings).toEqual([])
  })
})
