/**
 * Checkpoints that lie, each one change away from a valid file: refused by name, before memory is taken. And the valid
 * ones, of which the `.pt` and the `.safetensors` must hold the same.
 *
 * Some lies are about the network, which this room does not know; `ABOUT_THE_NETWORK` says which and what the checkpoint
 * itself must show, so that those who read a model can judge.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Checkpoint, OpenCheckpoint } from '../../src/checkpoint/checkpoint.js'
import { CheckpointError, type CheckpointErrorCode } from '../../src/checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { openFile, siblingsOf } from '../../src/platform/node/open-file.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { cpuSeconds } from '../support/cpu-time.js'
import { countingSource } from '../support/memory-source.js'

interface GoldenCase {
  readonly id: string
  readonly kind: string
  readonly expect?: string
  readonly file?: { readonly path: string; readonly bytes: number }
  readonly checkpoints?: unknown
}

const folder = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const root = [folder('../../../shared/goldens/'), folder('../golden/data/')].find((path) =>
  existsSync(`${path}index.json`),
)
const index: { cases: GoldenCase[] } = root
  ? JSON.parse(readFileSync(`${root}index.json`, 'utf8'))
  : { cases: [] }
const present = (path: string) => existsSync(`${root}${path}`)

/** Says what a lie is called, and a word that its message must contain. */
const REFUSED: Record<string, readonly [CheckpointErrorCode, RegExp]> = {
  'truncated-data.safetensors': ['truncated', /the file has only 13404/],
  'header-longer-than-file.safetensors': ['truncated', /1099511627776 bytes long/],
  'header-length-all-ones.safetensors': ['truncated', /18446744073709551615 bytes long/],
  'empty.safetensors': ['truncated', /is empty/],
  'seven-bytes.safetensors': ['truncated', /has 7 bytes/],
  'header-not-json.safetensors': ['malformed', /header is not JSON/],
  'header-not-utf8.safetensors': ['malformed', /header is not valid UTF-8/],
  'overlapping-offsets.safetensors': [
    'malformed',
    /norm\.(bias and norm\.weight|weight and norm\.bias) share 64 bytes/,
  ],
  'gap.safetensors': ['malformed', /the 64 bytes between norm\.bias and norm\.weight belong to no tensor/],
  'negative-offset.safetensors': ['malformed', /norm\.bias lies at \[-64,0\]/],
  'offset-beyond-file.safetensors': ['truncated', /norm\.bias ends 1125899906854912 bytes/],
  'bad-dtype.safetensors': ['malformed', /norm\.bias has the dtype "F31"/],
  'shape-disagrees-with-offsets.safetensors': [
    'malformed',
    /norm\.bias is F32 \[17\], which needs 68 bytes, but has 64/,
  ],
  'shape-overflows.safetensors': ['malformed', /norm\.bias is F32 \[1099511627776, 1099511627776\]/],
  'duplicate-keys.safetensors': ['malformed', /names "norm\.bias" twice/],
  'metadata-config-not-json.safetensors': ['malformed', /metadata entry config is not JSON/],
  'truncated-data.pt': ['truncated', /directory, which stands at the end, is missing/],
  'empty.pt': ['truncated', /is empty/],
  'directory-outside-file.pt': ['malformed', /from 2147483647/],
  'overlapping-offsets.pt': ['malformed', /archive\/data\/0 .* overlaps archive\/data\/1/],
  'bad-dtype.pt': ['forbidden', /torch\.FlootStorage/],
  'missing-storage.pt': ['malformed', /norm\.bias is kept in archive\/data\/20, which the archive lacks/],
  'shape-beyond-storage.pt': ['malformed', /norm\.bias .* reaches place 23 of a storage of 16/],
  'negative-offset.pt': ['malformed', /norm\.bias starts at place -4/],
  'huge-stride.pt': ['malformed', /norm\.bias .* strides \[1099511627776\]/],
  'shape-overflows.pt': ['malformed', /norm\.bias is \[1099511627776, 1099511627776\]/],
  'storage-too-short.pt': ['malformed', /\(of norm\.bias\) has 32 bytes, but the pickle says 64/],
  'dangerous-global.pt': ['forbidden', /os\.system/],
  'dangerous-stack-global.pt': ['forbidden', /builtins\.eval/],
  'build-on-nothing.pt': ['forbidden', /__builtin__\.getattr/],
  'duplicate-keys.pt': ['malformed', /sets "norm\.bias" twice/],
  'duplicate-entries.pt': ['malformed', /archive\/data\/0 stands twice/],
  'header-not-utf8.pt': ['malformed', /not valid UTF-8/],
  'no-state.pt': ['malformed', /holds no tensors: its entries are task/],
  'not-a-dict.pt': ['malformed', /holds a list/],
  'no-pickle.pt': ['unknown-format', /0 entries data\.pkl/],
  'stack-underflow.pt': ['malformed', /mark that it never opened|empty stack/],
  'memo-missing.pt': ['malformed', /memo 77/],
  'pickle-ends-early.pt': ['truncated', /the pickle announces/],
  'string-longer-than-pickle.pt': ['truncated', /announces 2147483647 more bytes/],
  'deep-nesting.pt': ['malformed', /nests deeper/],
  'deflate-bomb.pt': ['malformed', /\(of norm\.bias\) has 50331648 bytes, but the pickle says 64/],
  'claims-huge-size.pt': ['malformed', /archive\/data\/20 is said to be the 1099511627776 bytes/],
}

/** They are well formed in themselves. What is wrong with them is for the model's room to say; here it must be plain to see. */
const ABOUT_THE_NETWORK: Record<string, (checkpoint: Checkpoint) => unknown> = {
  'wrong-shape.safetensors': (checkpoint) =>
    expect(checkpoint.tensors.get('norm.bias')?.shape).toEqual([4, 4]),
  'wrong-shape.pt': (checkpoint) => expect(checkpoint.tensors.get('norm.bias')?.shape).toEqual([4, 4]),
  'missing-tensor.safetensors': (checkpoint) => expect(checkpoint.tensors.has('norm.bias')).toBe(false),
  'missing-tensor.pt': (checkpoint) => expect(checkpoint.tensors.has('norm.bias')).toBe(false),
  'unexpected-tensor.safetensors': (checkpoint) => expect(checkpoint.tensors.has('surplus')).toBe(true),
  'metadata-without-signature.safetensors': (checkpoint) =>
    expect(checkpoint.metadata.signature).toBeUndefined(),
  'config-contradicts-weights.safetensors': (checkpoint) =>
    expect(checkpoint.metadata.config).toMatchObject({ num_heads: 3, hidden_dim: 16 }),
}

const malformed = index.cases.flatMap(({ kind, id, expect: outcome, file }) =>
  kind === 'malformed' && file && present(file.path)
    ? [{ name: id.replace('malformed/', ''), path: `${root}${file.path}`, outcome: outcome ?? '' }]
    : [],
)
const refused = malformed.filter(({ name, outcome }) => outcome === 'refuse' && !(name in ABOUT_THE_NETWORK))
const aboutTheNetwork = malformed.filter(({ name }) => name in ABOUT_THE_NETWORK)
const loaded = malformed.filter(({ outcome }) => outcome.includes('load') || outcome === 'report')

test('every malformed file of the index is judged by one of the tests below', () => {
  expect(malformed.length).toBeGreaterThan(0)
  expect(refused.length + aboutTheNetwork.length + loaded.length).toBe(malformed.length)
})

test.each(refused)('$name is refused by name, in little time and memory', async ({ name, path }) => {
  const [code, message] = REFUSED[name]
  await using file = await openFile(path)
  const source = countingSource(file)
  const before = process.memoryUsage().arrayBuffers
  const started = process.cpuUsage()
  const error = await openAndReadAll(source).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(cpuSeconds(started)).toBeLessThan(2)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20)
  expect(source.bytesRead()).toBeLessThan(3 * source.size + 1024)
  expect(error).toBeInstanceOf(CheckpointError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
})

test.each(aboutTheNetwork)('$name opens, and shows what is wrong with it', async ({ name, path }) => {
  await using checkpoint = await openCheckpoint(await openFile(path))
  ABOUT_THE_NETWORK[name](checkpoint)
})

test.each(loaded)('$name loads', async ({ name, path }) => {
  await using checkpoint = await openCheckpoint(await openFile(path))
  const bias = toFloat32(await checkpoint.read('norm.bias', [16]))
  expect(bias.findIndex(Number.isNaN)).toBe(name.startsWith('nan-weights') ? 2 : -1)
  expect(checkpoint.metadata.signature).toMatchObject({ inputs: [{ data_shape: [0, 3, 16, 16] }] })
  expect(checkpoint.wrapping).toBe(checkpoint.format === 'safetensors' ? '' : 'state')
})

const sameAsValid = ['valid.pt', 'hand-written.pt', 'legacy-format.pt', 'big-endian.pt'].filter((name) =>
  malformed.some((file) => file.name === name),
)
test.each(sameAsValid)('%s holds what valid.safetensors holds', async (name) => {
  await expectEqual(`${root}malformed/${name}`, `${root}malformed/valid.safetensors`)
})

/** Pairs that the index places beside each other: `NAME.pt` and `NAME.safetensors`. */
const paths = [
  ...new Set(JSON.stringify(index).match(/(?:tiny|dialects)\/[\w./-]+\.(?:pt|pth|safetensors|index\.json)/g)),
]
const checkpoints = paths.filter((path) => !path.includes('.expected.') && present(path))
const pairs = checkpoints.filter(
  (path) => path.endsWith('.pt') && checkpoints.includes(path.replace(/pt$/, 'safetensors')),
)

test.each(pairs)('%s and its .safetensors hold equal tensors and say the same', async (path) => {
  await expectEqual(`${root}${path}`, `${root}${path.replace(/pt$/, 'safetensors')}`)
})

test.each(checkpoints)('%s opens', async (path) => {
  const file = `${root}${path}`
  await using checkpoint = await openCheckpoint(await openFile(file), { openSibling: siblingsOf(file) })
  expect(checkpoint.tensors.size).toBeGreaterThan(10)
  expect(checkpoint.dropped).toEqual([])
})

test('opening a PyTorch file reads its directory and pickle, not its weights', async () => {
  const path =
    checkpoints.find((name) => name.endsWith('dinov2-reg4/facebook/model.pth')) ?? 'malformed/valid.pt'
  await using file = await openFile(`${root}${path}`)
  const source = countingSource(file)
  const { tensors, read } = await openCheckpoint(source)
  const [name, { byteLength }] = [...tensors].reduce((a, b) => (a[1].byteLength > b[1].byteLength ? a : b))
  const opening = source.bytesRead()
  expect(opening).toBeLessThan(90_000)
  await read(name)
  expect(source.bytesRead() - opening).toBeLessThan(byteLength + 200)
})

async function openAndReadAll(source: Parameters<typeof openCheckpoint>[0]): Promise<OpenCheckpoint> {
  const checkpoint = await openCheckpoint(source)
  for (const name of checkpoint.tensors.keys()) await checkpoint.read(name)
  return checkpoint
}

async function expectEqual(pathA: string, pathB: string): Promise<void> {
  await using a = await openCheckpoint(await openFile(pathA))
  await using b = await openCheckpoint(await openFile(pathB))
  expect([...a.tensors.keys()].sort()).toEqual([...b.tensors.keys()].sort())
  for (const [name, { shape, dtype }] of b.tensors) {
    const [left, right] = [await a.read(name, shape), await b.read(name)]
    expect(left.dtype, name).toBe(dtype)
    expect(Buffer.compare(left.bytes, right.bytes), name).toBe(0)
  }
  for (const entry of ['signature', 'rgb_stats', 'config', 'task', 'birder_version']) {
    expect(a.metadata[entry], entry).toEqual(b.metadata[entry])
  }
}
