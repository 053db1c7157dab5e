/**
 * Compares networks of every family, as each library writes them, with that library's own numbers, and each library's own way to make input of a picture:
 * on the reference engine, on every path of the native one and on WebAssembly in float32. On WebGPU, which is an emulation as a rule, one network is run
 * for each combination of steps, and all of them in the long run. The short run takes of each engine what `NETWORK_VARIANTS` says. Networks of massive activations, and those of routed experts, are held to what narrower precisions promise, on every path.
 *
 * The cases are those of test/golden/families, or both whole sets where they lie beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { type Comparison, verifyListed } from '../../src/platform/node/verify-goldens.js'
import type { GoldenCase } from '../../src/verify/case.js'
import { isLookedInto } from '../../src/verify/introspection-case.js'
import type { LeftOut } from '../../src/verify/verify-cases.js'
import { NETWORK_VARIANTS } from '../support/engines.js'
import { LONG } from '../support/long.js'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const committed = resolve(repository, 'test/golden/families')
const isWhole =
  process.env.PLUMAGE_GOLDENS === undefined && existsSync(resolve(repository, '../shared/goldens-families'))
const ROOTS = isWhole
  ? ['../shared/goldens-families', '../shared/goldens-more'].map((folder) => resolve(repository, folder))
  : ['families', 'more'].map((folder) => resolve(committed, folder))

const all = ROOTS.flatMap((root) => {
  const { cases } = JSON.parse(readFileSync(resolve(root, 'index.json'), 'utf8')) as {
    cases: readonly GoldenCase[]
  }
  return cases.map((golden) => ({ root, id: golden.id, kind: golden.kind, golden }))
})
/** A classifier in a file of its own is compared as what a network gives. */
const families = all.filter(
  ({ kind, golden }) => kind === 'family' || (kind === 'head' && golden.family === 'classifier'),
)
const processors = all.filter(({ kind }) => kind === 'processor')
/** What nothing runs is told by name, and has no comparison to count. */
const looks = all.filter(({ kind, golden }) => kind === 'introspection' && isLookedInto(golden))

/** Only the native and the reference engine run these. */
const hasRoutedExperts = (id: string) => /^(birder\/(rope-)?vit-v?moe|introspection\/moe-)/.test(id)

/**
 * What rounding takes from the tokens of these is made ten to twenty times larger by what follows, which leaves the small rest of what cancels. README.md says how far
 * each comes: with weights in halves on WebAssembly, and in bfloat16 where activations are rounded as well.
 */
const isBeyond = (id: string, precision: string, instructionSet: string | null) =>
  (precision === 'float16' && id === 'birder/vit-ap-tanh') ||
  (precision === 'bfloat16' &&
    (instructionSet === 'amx' || instructionSet === 'avx512-bf16') &&
    ['birder/vit-ap-tanh', 'hugging-face/radio-v4/model.packed', 'timm/radio-v3/model.16x16'].includes(id))

/** Are of one network each for what WebGPU does in a way of its own: turned heads in both pairings and for each head, biases of both kinds, windows, gathered rows. */
const ON_GPU = [
  'hugging-face/dinov3-reg4/model.48x48',
  'timm/eva02-packed/model.16x16',
  'timm/rope-mixed-ape/model.16x16',
  'timm/vit-qk-norm/model.16x16',
  'hugging-face/beit-each/model.16x16',
  'birder/vit-windowed',
  'birder/deit',
  'meta/dinotxt/model.28x28',
]

function isNarrowGpu(name: string, precision: string): boolean {
  return name.startsWith('webgpu') && precision !== 'float32'
}

interface Listed {
  readonly root: string
  readonly id: string
  readonly golden: GoldenCase
}

async function failuresOf(
  { root, golden }: Listed,
  engine: Engine,
  onLeftOut: (leftOut: LeftOut) => void = () => {},
) {
  const failures: Comparison[] = []
  let count = 0
  for await (const comparison of verifyListed(root, [golden], { engine, onLeftOut })) {
    count++
    if (!comparison.passed) failures.push(comparison)
  }
  return { failures, count }
}

function compare(cases: readonly Listed[], makeEngine: () => Engine | Promise<Engine>): void {
  test.each(cases.map((one) => [one.id, one] as const))(
    '%s',
    async (_, one) => {
      const { failures, count } = await failuresOf(one, await makeEngine())
      expect(failures).toEqual([])
      expect(count, 'comparisons made').toBeGreaterThan(0)
    },
    300_000,
  )
}

describe('each family, on the reference engine', () => compare(families, createReferenceEngine))
describe('each processor', () => compare(processors, createReferenceEngine))
describe('each look within, on the reference engine', () => compare(looks, createReferenceEngine))
for (const { name, precision, engine } of NETWORK_VARIANTS) {
  // Of what tokens attend to, bfloat16 and int8 promise nothing on made weights; attention-rows.test.ts has those of real ones.
  const isCoarse = precision === 'bfloat16' || precision === 'int8'
  // An emulated GPU compiles each network's shaders for seconds: what its halves change, kernels and whole networks show.
  if (isNarrowGpu(name, precision) && !LONG) continue
  const cases = looks.filter(
    ({ id, golden }) =>
      (!isCoarse || golden.family !== 'attention') && (name.startsWith('native') || !hasRoutedExperts(id)),
  )
  describe(`each look within, on ${name}`, () => compare(cases, engine))
}

for (const { name, precision, engine, instructionSet } of NETWORK_VARIANTS) {
  // What the plainest path does in its own way, goldens of Birder's own networks show.
  if (instructionSet === 'generic' && name !== NETWORK_VARIANTS[0]?.name && !LONG) continue
  const isPlain = precision === 'float32' && !/^wasm, (SIMD, alone|relaxed)/.test(name)
  if (!isPlain) continue
  const onAll = families.filter(({ id }) => !hasRoutedExperts(id))
  const onGpu = LONG ? onAll : families.filter(({ id }) => ON_GPU.includes(id))
  const cases = name.startsWith('webgpu') ? onGpu : name.startsWith('wasm') ? onAll : families
  describe(`each family, on ${name}`, () => compare(cases, engine))
  if (name.startsWith('native')) continue
  test.each(families.filter(({ id }) => hasRoutedExperts(id)).map((one) => [one.id, one] as const))(
    `%s is refused on ${name}, with the engines that run it`,
    async (id, one) => {
      const leftOut: LeftOut[] = []
      const onLeftOut = (one: LeftOut) => {
        if (one.tensors === undefined) leftOut.push(one)
      }
      const { failures, count } = await failuresOf(one, await engine(), onLeftOut)
      expect(failures).toEqual([])
      expect(count).toBe(0)
      expect(leftOut.map((one) => one.id)).toEqual([id])
    },
  )
}

describe.each([
  ['massive activations', ({ id }: { readonly id: string }) => id.startsWith('massive/')],
  ['routed experts', ({ id }: { readonly id: string }) => hasRoutedExperts(id)],
  [
    'all other networks, of which a short run takes the one that is hardest to keep,',
    // Its attention pooling leaves the small rest of what cancels.
    ({ id }: { readonly id: string }) =>
      LONG ? !id.startsWith('massive/') && !hasRoutedExperts(id) : id === 'birder/vit-ap-tanh',
  ],
] as const)('%s are within what each narrow precision promises', (_, isOne) => {
  const cases = families.filter(isOne)
  const isOther = cases.some(({ id }) => id === 'birder/vit-ap-tanh')
  for (const { name, precision, engine, instructionSet } of NETWORK_VARIANTS) {
    // On an emulated GPU all of them would take a quarter of an hour in each way to compute.
    if (isOther && name.startsWith('webgpu')) continue
    const kept = cases.filter(({ id }) => !isBeyond(id, precision, instructionSet))
    if (
      kept.length === 0 ||
      precision === 'float32' ||
      (cases.some(({ id }) => hasRoutedExperts(id)) && !name.startsWith('native')) ||
      // Halves are the same on both GPUs.
      (name.includes('mesa') && !LONG)
    )
      continue
    test.each(kept.map((one) => [one.id, one] as const))(`%s, on ${name}`, async (_, one) => {
      const { failures, count } = await failuresOf(one, await engine())
      expect(failures).toEqual([])
      // A narrow precision promises nothing of what some networks hand out, such as the layers of a backbone.
      if (!LONG) expect(count, 'comparisons made').toBeGreaterThan(0)
    })
  }
})
