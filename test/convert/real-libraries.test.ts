/** Loads what is written with the libraries themselves, and holds their numbers against those that the source has in its own library. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WeightsForm } from '../../src/convert/file-forms.js'
import type { LibraryName } from '../../src/convert/writer.js'
import { given } from '../../src/encoder/choose-recipe.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { copyWithZeros } from '../support/copy-with-zeros.js'
import { type GoldenNetwork, goldenNetworks } from '../support/golden-networks.js'
import { pythonWith } from '../support/python.js'
import { packageRoot } from '../support/repository.js'

const run = promisify(execFile)
const libraries = ['torch', 'transformers', 'timm', 'birder', 'open_clip_torch'] as const
const found = pythonWith(libraries)
if (found.lacks !== null) console.warn(found.lacks)

const folder = mkdtempSync(join(tmpdir(), 'plumage-real-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Lies in every layout, so that it is no golden of one family. */
const LAYOUTS = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')
const DINOV2: GoldenNetwork = {
  id: 'layouts/dinov2-reg4',
  path: join(LAYOUTS, 'birder.pt'),
  family: 'dinov2-reg',
  library: 'birder',
  told: {},
  expected: {
    path: join(LAYOUTS, 'model.56x56.expected.safetensors'),
    input: 'pixels',
    atol: new Map([
      ['tokens.class', 3e-5],
      ['tokens.registers', 3e-5],
      ['tokens.patches', 3e-5],
    ]),
  },
}
/** Is the same network as transformers has it, since a file of Birder's is copied as it is. */
const DINOV2_OF_TRANSFORMERS: GoldenNetwork = {
  ...DINOV2,
  id: 'layouts/dinov2-reg4/hugging-face',
  path: join(LAYOUTS, 'hugging-face/model.safetensors'),
  library: 'hugging-face',
}
const NETWORKS = [DINOV2, DINOV2_OF_TRANSFORMERS, ...goldenNetworks()]

/** Names networks of others for each class that is written, with each way in which the class is another; some by way of a further library. */
const WRITTEN: Readonly<Record<LibraryName, readonly string[]>> = {
  'hugging-face': [
    'layouts/dinov2-reg4',
    'timm/dinov3-qkvb-token',
    'timm/dinov3',
    'facebook/dinov3-plus',
    'timm/beit',
    'timm/beit-shared-bias',
    'timm/vit-huge-gap',
    'timm/vit-cls',
    'timm/siglip',
    'meta/dino-s',
    'open-clip/vit-quickgelu/epoch_3.pt',
    'open-clip/vit-gelu',
    'hugging-face/clip by open-clip',
    'hugging-face/clip-legacy-eos by open-clip',
    'birder/deit.pt',
    'timm/aimv2',
    'hugging-face/aimv2 by timm',
    'timm/radio-v3',
    'timm/naflex-radio-v4',
  ],
  timm: [
    'layouts/dinov2-reg4',
    'birder/vit-parallel.pt',
    'hugging-face/dinov3-reg4',
    'hugging-face/dinov3-gated',
    'facebook/dinov3',
    'birder/rope-i-offset-pt-grid.safetensors',
    'meta/pe-core',
    'meta/pe-spatial',
    'meta/pe-lang',
    'timm/beit by hugging-face',
    'timm/beit-shared-bias by hugging-face',
    'timm/pe-core by facebook',
    'timm/dinov3 by facebook',
    'hugging-face/beit-no-scale',
    'hugging-face/clip-vision-sharded',
    'hugging-face/clip-vision',
    'hugging-face/siglip-vision',
    'meta/dino-s',
    'birder/deit.pt',
    'birder/deit-headless.safetensors',
    'birder/simple-vit.pt',
    'hugging-face/aimv2-headless',
    'hugging-face/aimv2',
    'hugging-face/radio-v4',
  ],
  birder: [
    'layouts/dinov2-reg4/hugging-face',
    'timm/vit-parallel-things',
    'hugging-face/dinov3-gated',
    'facebook/dinov3',
    'timm/dinov3-plus',
    'timm/eva02-sub-ln',
    'timm/rope-axial',
    'timm/pe-core',
    'timm/siglip',
    'timm/deit-distilled',
  ],
  'open-clip': [
    'hugging-face/clip',
    'hugging-face/clip-legacy-eos',
    'hugging-face/clip-vision',
    'open-clip/vit-quickgelu/epoch_3.pt by hugging-face',
  ],
  facebook: [
    'layouts/dinov2-reg4',
    'hugging-face/dinov3-reg4',
    'timm/dinov3-plus',
    'timm/pe-core',
    'meta/dino-s',
    'timm/vit-huge-gap',
    'meta/mae-cls',
  ],
}
/** Norms that a library has on other tokens, or a head that is a projection, leave what stands for an image alone. */
const BY_EMBEDDING = new Set([
  'open-clip/vit-quickgelu/epoch_3.pt',
  'meta/pe-core',
  'hugging-face/clip-vision',
  'hugging-face/clip',
  'hugging-face/clip-legacy-eos',
  'open-clip/vit-gelu',
  'hugging-face/clip by open-clip',
  'hugging-face/clip-legacy-eos by open-clip',
  'open-clip/vit-quickgelu/epoch_3.pt by hugging-face',
  // Both heads are tried by what they give.
  'hugging-face/aimv2',
  'hugging-face/aimv2 by timm',
])
/** Names the bias of patches, which published files of C-RADIO have as zeros and the goldens do not: its own library gives what is expected without it. */
const WITHOUT_BIAS = new Map([
  ['timm/radio-v3', 'patch_embed.proj.bias'],
  ['timm/naflex-radio-v4', 'embeds.proj.bias'],
])
const NEEDED: Readonly<Record<LibraryName, string>> = {
  'hugging-face': 'transformers',
  timm: 'timm',
  birder: 'birder',
  facebook: 'torch',
  'open-clip': 'open_clip_torch',
}

interface Result {
  readonly difference?: number
  readonly names?: readonly string[]
  readonly error?: string
}
interface Job {
  readonly id: string
  readonly to: LibraryName
  readonly form: WeightsForm
}

const jobs: readonly Job[] = (Object.keys(WRITTEN) as LibraryName[]).flatMap((to) =>
  WRITTEN[to].flatMap((id) =>
    // One of each library's is written in both formats.
    (id.startsWith(DINOV2.id) && to !== 'facebook'
      ? (['safetensors', 'pt'] as const)
      : ([to === 'facebook' ? 'pt' : 'safetensors'] as const)
    ).map((form) => ({ id, to, form })),
  ),
)
/** Those whose library is there. */
const loadable = jobs.filter(({ to }) => found.has.has(NEEDED[to]))
const results = new Map<Job, Result>()

function networkOf(named: string): GoldenNetwork {
  const [id] = named.split(' by ')
  const network = NETWORKS.find((one) => one.id === id)
  if (network === undefined) throw new Error(`There is no golden network ${id}.`)
  return network
}

async function converted({ id, to, form }: Job, index: number) {
  const { told, library, expected, ...network } = networkOf(id)
  const bias = WITHOUT_BIAS.get(id)
  const own = bias === undefined ? null : join(folder, `${index}-without-bias`)
  if (own !== null && bias !== undefined) copyWithZeros(dirname(network.path), own, bias)
  const path = own === null ? network.path : join(own, 'model.safetensors')
  const { size, ...others } = told
  await using open = await openVit(path, told)
  const { registers, heads, classFirst, size: trainedSize } = open.vit.config
  const output = join(folder, `${index}`)
  const options = { to, format: form, onWarning: () => {} }
  const [, way] = id.split(' by ')
  if (way === undefined) {
    await convertModel(path, output, { ...others, ...given({ trainedSize: size }), ...options })
  } else {
    const between = join(folder, `${index}-${way}`)
    await convertModel(path, between, { ...others, to: way as LibraryName, onWarning: () => {} })
    await convertModel(between, output, { ...(way === 'facebook' ? { heads, trainedSize } : {}), ...options })
  }
  const names = outputOf(id)
  const leadsRegisters = library === 'birder' && registers > 0 && !classFirst
  const isReordered = leadsRegisters && names.includes('forward_features')
  const { path: numbers, input } = expected
  const textAtol = expected.atol.get('text_features') ?? expected.atol.get('embedding') ?? null
  return {
    library: to,
    path: output,
    expected: numbers,
    input,
    output: names,
    registers,
    isReordered,
    textAtol,
    textSource: path,
    own: own === null ? null : { library, path: own },
  }
}

function outputOf(id: string): readonly string[] {
  return BY_EMBEDDING.has(id) ? ['embedding'] : tokensOf(networkOf(id).expected.atol)
}

function tokensOf(atol: ReadonlyMap<string, number>): readonly string[] {
  const whole = ['tokens', 'forward_features'].filter((name) => atol.has(name))
  return whole.length > 0 ? whole : ['tokens.class', 'tokens.registers', 'tokens.patches']
}

beforeAll(async () => {
  if (loadable.length === 0) return
  const list: unknown[] = []
  for (const [index, job] of loadable.entries()) list.push(await converted(job, index))
  const file = join(folder, 'jobs.json')
  writeFileSync(file, JSON.stringify(list))
  const script = join(import.meta.dirname, 'load_converted.py')
  const environment = { ...process.env, HF_HUB_OFFLINE: '1' }
  const { stdout } = await run(found.python, [script, file], {
    env: environment,
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  })
  const lines = stdout.split('\n').flatMap((line) => /^RESULT (.*)$/.exec(line)?.[1] ?? [])
  for (const [index, job] of loadable.entries()) results.set(job, JSON.parse(lines[index] ?? '{}') as Result)
}, 400_000)

describe('the real library loads with no key missing, and gives the golden numbers of', () => {
  for (const job of jobs.filter(({ to }) => to !== 'facebook')) {
    const { id, to, form } = job
    test.skipIf(!loadable.includes(job))(`${id} in ${to} (${form})`, () => {
      const { expected } = networkOf(id)
      const atol = Math.max(...outputOf(id).map((name) => expected.atol.get(name) ?? 0))
      expect(results.get(job)?.error).toBeUndefined()
      expect(results.get(job)?.difference).toBeLessThan(atol)
    })
  }
})

/** Names Meta's own golden file of each class, with what stands around its names, and those that a written file lacks or has beside it. */
const OF_META: Readonly<
  Record<string, { readonly like: string; readonly around?: string; readonly less?: RegExp }>
> = {
  'layouts/dinov2-reg4': { like: join(LAYOUTS, 'facebook.pth') },
  'hugging-face/dinov3-reg4': { like: 'facebook/dinov3' },
  'timm/dinov3-plus': { like: 'facebook/dinov3-plus' },
  'timm/pe-core': { like: 'meta/pe-core', less: /^proj$/ },
  'meta/dino-s': { like: 'meta/dino-b', around: 'teacher/backbone.' },
  'timm/vit-huge-gap': { like: 'meta/ijepa', around: 'target_encoder/module.' },
  'meta/mae-cls': { like: 'meta/mae-cls', around: 'model/' },
}

describe("torch.load takes a state dict with weights_only, and maps it; its names are those of Meta's own file of", () => {
  const ofMeta = jobs.filter(({ to }) => to === 'facebook').map((job) => [job.id, job] as const)
  test.skipIf(!found.has.has('torch')).each(ofMeta)('%s', async (id, job) => {
    expect(results.get(job)?.error).toBeUndefined()
    const { like, around = '', less } = OF_META[id] ?? { like: '' }
    const [path, told] = like.startsWith('/')
      ? [like, { heads: 2 }]
      : [networkOf(like).path, networkOf(like).told]
    await using open = await openVit(path, told)
    const used = [...open.checkpoint.tensors.keys()].filter(
      (name) => open.vit.leftOver.get(name) !== 'text-tower',
    )
    const wanted = used
      .map((name) => name.replace(/^visual\./, ''))
      .filter((name) => less?.test(name) !== true)
    const inEach = (names: readonly string[]) =>
      new Set(names.map((name) => name.replace(/(blocks\.)\d+/, '$1N')))
    expect(inEach(results.get(job)?.names ?? [])).toEqual(inEach(wanted.map((name) => `${around}${name}`)))
  })
})
