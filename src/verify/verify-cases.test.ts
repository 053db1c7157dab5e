import { expect, test } from 'vitest'
import { memorySource } from '../../test/support/memory-source.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { createReferenceEngine } from '../engine/reference/reference-engine.js'
import type { Comparison, GoldenCase, GoldenContext } from './case.js'
import { type CaseSelection, type LeftOut, verifyCases } from './verify-cases.js'

/** Writes a safetensors file of float32 rows. */
function safetensors(tensors: Readonly<Record<string, readonly number[]>>): Uint8Array {
  let offset = 0
  const header: Record<string, unknown> = {}
  for (const [name, values] of Object.entries(tensors)) {
    header[name] = {
      dtype: 'F32',
      shape: [values.length],
      data_offsets: [offset, offset + 4 * values.length],
    }
    offset += 4 * values.length
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([
    length,
    text,
    new Uint8Array(Float32Array.from(Object.values(tensors).flat()).buffer),
  ])
}

/** Each table has 1 x 2 cells of one number, which resampling to the same grid leaves as they are. */
const files: Readonly<Record<string, Uint8Array>> = {
  'right.safetensors': safetensors({ table: [3, 5], 'timm/1x2': [3, 5] }),
  'wrong.safetensors': safetensors({ table: [3, 5], 'timm/1x2': [3, 6] }),
  'strange.safetensors': safetensors({ table: [3, 5], 'nearest/1x2': [3, 5] }),
  'tableless.safetensors': safetensors({ 'timm/1x2': [3, 5] }),
}

const context: GoldenContext = {
  engine: createReferenceEngine(),
  open: async (path) => {
    const bytes = files[path]
    if (bytes === undefined) throw new CheckpointError('not-found', `${path} is not there`)
    return { ...memorySource(bytes, path), [Symbol.asyncDispose]: async () => {} }
  },
  openModel: (path) => Promise.reject(new Error(`${path} was opened`)),
  decode: async () => ({
    height: 1,
    width: 1,
    data: new Uint8Array(3),
    format: 'png',
    orientation: 1,
    upright: true,
  }),
  resamplers: () => [],
  sha256: () => 'same',
}

const position = (name: string, more: Partial<GoldenCase> = {}): GoldenCase => ({
  id: `position/${name}`,
  kind: 'position',
  old_grid: [1, 2],
  expected: { path: `${name}.safetensors` },
  ...more,
})

async function verify(cases: readonly GoldenCase[], selection: CaseSelection = {}): Promise<Comparison[]> {
  const found: Comparison[] = []
  for await (const comparison of verifyCases(cases, context, selection)) found.push(comparison)
  return found
}

test('what agrees passes with error 0, and what does not fails with the largest difference', async () => {
  expect(await verify([position('right'), position('wrong')])).toMatchObject([
    { id: 'position/right', tensor: 'timm/1x2', error: 0, passed: true },
    { id: 'position/wrong', tensor: 'timm/1x2', error: 1, passed: false },
  ])
})

test.each([
  ['a part of the case', position('right', { old_grid: undefined }), /position\/right has no old_grid/],
  ['a file', position('elsewhere'), /elsewhere\.safetensors is not there/],
  ['a tensor', position('tableless'), /has no tensor called table/],
  ['a rule', position('strange'), /nearest\/1x2, whose rule is none of birder-adjust, /],
  [
    'a recipe',
    {
      id: 'preprocess/x',
      kind: 'preprocess',
      source: { path: 'x.png' },
      decoded: { sha256: 'same' },
      results: [{ recipe: 'fresh', name: 'fresh/1', sha256: 'same' }],
    },
    /result of the recipe fresh; known are birder, /,
  ],
  [
    'a checkpoint list',
    { id: 'end-to-end/x', kind: 'end-to-end', options: {} },
    /end-to-end\/x has no network/,
  ],
])('%s that is missing or unknown is a comparison that fails and names it', async (_, golden, note) => {
  const found = await verify([golden as GoldenCase, position('right')])
  expect(found.filter(({ passed }) => !passed)).toEqual([
    expect.objectContaining({
      id: golden.id,
      tensor: 'all',
      error: Number.POSITIVE_INFINITY,
      note: expect.stringMatching(note),
    }),
  ])
  // One case that cannot be run does not keep others from running.
  expect(found.at(-1)).toMatchObject({ id: 'position/right', passed: true })
})

test('cases are chosen by kind, by text and by their whole id, and unknown kinds are left out', async () => {
  const cases = [position('right'), position('wrong'), { id: 'later', kind: 'of a later release' }]
  const idsOf = async (selection: CaseSelection) => (await verify(cases, selection)).map(({ id }) => id)
  expect(await idsOf({})).toEqual(['position/right', 'position/wrong'])
  expect(await idsOf({ filter: 'wro' })).toEqual(['position/wrong'])
  expect(await idsOf({ only: 'position' })).toEqual([])
  expect(await idsOf({ only: 'position/right' })).toEqual(['position/right'])
  expect(await idsOf({ kinds: ['vit'] })).toEqual([])
})

const REFUSAL = 'The wasm engine cannot run routed experts. The native and the reference engine can.'

test('what is left out is told with its reason: a kind that nothing runs, and a case on the closed list that is refused in the words listed', async () => {
  const leftOut: LeftOut[] = []
  const refusing = (message: string): GoldenContext => ({
    ...context,
    open: () => Promise.reject(new CheckpointError('unsupported-network', message)),
  })
  const expert: GoldenCase = {
    id: 'birder/vit-moe-any',
    kind: 'position',
    old_grid: [1, 2],
    expected: { path: 'x' },
  }
  const found: Comparison[] = []
  for (const [golden, message] of [
    [{ id: 'words/clip', kind: 'tokenizer' }, ''],
    [{ id: 'words/new', kind: 'of a later release' }, ''],
    [expert, REFUSAL],
    // Refused in other words, or not on the list, it fails and is seen.
    [expert, 'no memory'],
    [{ ...expert, id: 'birder/vit' }, REFUSAL],
  ] as const)
    for await (const comparison of verifyCases([golden], refusing(message), {
      onLeftOut: (one) => leftOut.push(one),
    }))
      found.push(comparison)
  expect(leftOut).toMatchObject([
    { id: 'words/clip', reason: expect.stringMatching(/texts are not read/), isOfKind: true },
    { id: 'words/new', reason: expect.stringMatching(/does not know the kind/), isOfKind: true },
    { id: 'birder/vit-moe-any', kind: 'position', reason: expect.stringMatching(/experts/), isOfKind: false },
  ])
  expect(found).toMatchObject([
    { id: 'birder/vit-moe-any', passed: false, note: 'no memory' },
    { id: 'birder/vit', passed: false },
  ])
})

test('an abort throws its reason and is no failed comparison', async () => {
  const reason = new Error('enough')
  const aborted = verifyCases([position('right')], { ...context, signal: AbortSignal.abort(reason) })
  await expect(aborted.next()).rejects.toBe(reason)
})
